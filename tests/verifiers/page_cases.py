"""Releases as a browser may be given them, and what verify.py says of each."""

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chotso.verifier import verify
from tests.verifiers import mutations, page_worlds

# What a browser does not show to a page, so that no page can judge it.
UNSEEN = {"a link to the same bytes", "an odd name"}
_FINDING = re.compile(r"^(.*?)(?:, dòng (\d+))?$", re.S)


class Case(NamedTuple):
    folder: Path
    anchor: str | None
    kind: str


def cases(place: Path, count: int) -> Iterator[Case]:
    """Clean and mutated releases of a province; each folder is gone when the next one comes."""
    by = random.Random(1404)
    root = page_worlds.province(place / "sound")
    kinds = ["clean", *sorted(set(mutations.MUTATIONS) - UNSEEN)]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        folder = place / f"b{number}"
        shutil.copytree(place / "sound", folder)
        if kind != "clean":
            mutations.MUTATIONS[kind](folder, by)
        yield Case(folder, by.choice([root, root, root, None]), kind)
        shutil.rmtree(folder)


Seen = tuple[str, set[tuple[str, str, int]]]


def wanted(case: Case) -> Seen:
    """Status and findings as verify.py gives them."""
    result = verify.verify(case.folder, case.anchor)
    found = {(each.code, verify.visible(each.path), each.row or 0) for each in result.findings}
    return result.status, found


# What the page shows: the verdict's class, and each finding's two first cells.
READ = """
const panel = document.querySelector('.verdict');
if (!panel) return null;
const rows = [...panel.querySelectorAll('.findings tbody tr')];
return [panel.className.split(' ')[1],
        rows.map((row) => [row.cells[0].textContent, row.cells[1].textContent]),
        document.querySelectorAll('.release, .release td').length];
"""
# Not before a verified release's figures are there too.
READ_WHOLE = f"""
if (document.querySelector('.verdict.verified') && !document.querySelector('.release')) return null;
{READ}
"""


def seen(told: tuple[str, list[list[str]], int]) -> Seen:
    """What `READ` gave, in the form of `wanted`; a release that is not verified shows no figure."""
    status, rows, figures = told
    assert (figures > 0) == (status == "verified")
    found = set()
    for code, where in rows:
        match = _FINDING.match(where)
        assert match is not None
        path = "" if match[1] == "(cả thư mục)" else match[1]
        found.add((code, path, int(match[2] or 0)))
    return status, found
