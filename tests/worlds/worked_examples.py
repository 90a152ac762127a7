"""What docs/maintaining.md shows: its sections, their blocks, and files that a difference adds."""

import re
from collections.abc import Iterable

import psycopg
from psycopg import sql

from chotso import PROJECT_ROOT
from tests.worlds.product import SOURCE_LOGIN

PAGE = PROJECT_ROOT / "docs" / "maintaining.md"
NEW_FEED = "config/feeds/points.yml"


def section(heading: str) -> str:
    """What the page says under a heading of the second level."""
    found = re.search(rf"^## {heading}$(.*?)(?=^## )", PAGE.read_text("utf-8"), re.M | re.S)
    assert found, heading
    return found[1]


def block(heading: str, language: str) -> str:
    """The only block of a section in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section(heading), re.M | re.S)
    return str(found)


def added(heading: str, path: str) -> str:
    """The text of a file that a section's difference adds."""
    start = f"--- /dev/null\n+++ b/{path}\n"
    _, found, rest = block(heading, "diff").partition(start)
    assert found, f"{heading} adds no {path}"
    lines = rest.split("\n--- ", 1)[0].splitlines()
    return "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))


def new_contract() -> str:
    """The contract of the page's new feed."""
    return added("A new feed", NEW_FEED)


def make_points(source_admin_url: str, rows: Iterable[tuple[object, ...]]) -> None:
    """The new feed's table at the source."""
    with psycopg.connect(source_admin_url) as conn:
        conn.execute(
            "create table tst.diem_thu "
            "(ma_diem text, so_quay int, ten text, ma_co_quan text, so_tien bigint)"
        )
        login = sql.Identifier(SOURCE_LOGIN)
        conn.execute(sql.SQL("grant select on tst.diem_thu to {}").format(login))
        insert = "insert into tst.diem_thu values (%s, %s, %s, %s, %s)"
        conn.cursor().executemany(insert, rows)
