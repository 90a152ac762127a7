"""Which login of the warehouse a Superset user reads with: his own, or none."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy.engine.url import make_url

from tests.bi.datasets import BI

GIVEN = make_url("postgresql+psycopg2://somebody:secret@elsewhere:1/other")


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BI))
    monkeypatch.setenv("CHOTSO_BI_HOME", str(tmp_path))
    (tmp_path / "users.yml").write_text(
        "- {user: giamdoc, warehouse_login: bi_giamdoc}\n- {user: admin}\n", encoding="utf-8"
    )
    (tmp_path / "warehouse.url").write_text("postgresql://127.0.0.1:5433/kho\n", encoding="utf-8")
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse/bi_giamdoc").write_text("p@ss/word\n", encoding="utf-8")
    sys.modules.pop("warehouse_logins", None)
    import warehouse_logins

    return warehouse_logins


def test_a_user_reads_with_his_own_login(logins: ModuleType) -> None:
    url, params = logins.as_the_user(GIVEN, {"poolclass": None}, "giamdoc", None, None)
    assert (url.username, url.password) == ("bi_giamdoc", "p@ss/word")
    assert (url.host, url.port, url.database) == ("127.0.0.1", 5433, "kho")
    assert url.drivername == "postgresql+psycopg2"
    assert "default_transaction_read_only=on" in params["connect_args"]["options"]
    assert "poolclass" in params


@pytest.mark.parametrize("username", ["admin", "ai_do", "", None])
def test_nobody_else_gets_a_connection(logins: ModuleType, username: str | None) -> None:
    with pytest.raises(logins.NoWarehouseLoginError, match="không có tài khoản"):
        logins.as_the_user(GIVEN, {}, username)
