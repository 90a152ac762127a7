"""Every class of malformed file, read by the readers alone: refused for its reason, or right."""

from pathlib import Path

import pytest

from chotso.source.drop_folder import RefusedDeliveryError
from tests.malformed.case import ID
from tests.malformed.desk import Delivered, Desk
from tests.malformed.files_read import READ
from tests.malformed.files_refused import REFUSED
from tests.malformed.test_rows_parsed import misread, read

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("kind", (READ | REFUSED))
def test_every_class(kind: str, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    made = (READ | REFUSED)[kind](Desk(drop, seed=21, steps=64))
    assert made
    wrong = [told for each in made if (told := misjudged(each, drop, tmp_path / "scratch"))]
    assert not wrong, "\n".join(wrong)


def misjudged(made: Delivered, drop: Path, scratch: Path) -> str | None:
    try:
        parsed = read(drop / made.name, scratch)
    except RefusedDeliveryError as error:
        if made.may_be_refused:
            return None
        if made.refusal is None:
            return f"{made.name}: refused: {error.what}"
        return None if made.refusal in error.what else f"{made.name}: reason {error.what}"
    if made.refusal is not None:
        return f"{made.name}: read, due is a refusal for {made.refusal!r}"
    rows = parsed.rows.to_pylist()
    due = {case.id for case in made.cases}
    torn = [row for row in rows if row[ID] not in due]
    if len(torn) != made.torn or any(row["unreadable"] is None for row in torn):
        return f"{made.name}: {len(torn)} torn rows, due are {made.torn}"
    told = [
        t for t in misread(made.cases, parsed) if not (made.torn and t.endswith("a row of no case"))
    ]
    return f"{made.name}: {told}" if told else None
