"""Superset's users follow `users.yml`; users that people made do not. Superset is a stand-in."""

import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.bi.datasets import BI


@dataclass
class Manager:
    """What `apply.py` uses of Superset's security manager."""

    users: dict[str, Any] = field(default_factory=dict)
    commits: int = 0

    def add_role(self, name: str) -> str:
        return name

    def find_user(self, username: str) -> Any:
        return self.users.get(username)

    def add_user(
        self, username: str, first: str, last: str, email: str, roles: list[str], password: str
    ) -> None:
        assert (first, last) == ("Tên", "")
        assert password
        self.users[username] = SimpleNamespace(email=email, roles=roles)

    def commit(self) -> None:
        self.commits += 1


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manager:
    made = Manager()
    superset = ModuleType("superset")
    superset.security_manager = made  # type: ignore[attr-defined]
    superset.db = SimpleNamespace(session=made)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "superset", superset)
    monkeypatch.syspath_prepend(str(BI))
    monkeypatch.setenv("CHOTSO_BI_HOME", str(tmp_path))
    return made


def apply(folder: Path, *users: tuple[str, str]) -> list[str]:
    lines = [f"- {{user: {user}, name: Tên, roles: [{roles}]}}\n" for user, roles in users]
    (folder / "users.yml").write_text("".join(lines), encoding="utf-8")
    importlib.import_module("apply").make_users()
    listed = (folder / "passwords.txt").read_text("utf-8").splitlines()
    return [line.partition("\t")[0] for line in listed]


def test_changed_roles_of_ours_take_effect_and_peoples_stay(
    manager: Manager, tmp_path: Path
) -> None:
    manager.users["nguoi_khac"] = SimpleNamespace(email="khac@bhxh.example", roles=["Gamma"])
    assert apply(tmp_path, ("kysu", "Alpha, sql_lab"), ("nguoi_khac", "Admin")) == ["kysu"]
    assert manager.users["kysu"].roles == ["Alpha", "sql_lab"]
    assert apply(tmp_path, ("kysu", "Gamma"), ("nguoi_khac", "Admin")) == ["kysu"]
    assert manager.users["kysu"].roles == ["Gamma"]
    assert manager.users["nguoi_khac"].roles == ["Gamma"]
    assert manager.commits == 1
