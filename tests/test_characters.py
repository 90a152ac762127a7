"""Characters that no table of today knows, and texts that would command a terminal."""

import io
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from rich.table import Table
from rich.text import Text

from chotso import acts
from chotso.characters import is_known, shown, spelled_out
from chotso.cli import console
from chotso.cli.visible import Console, escaped
from chotso.contracts import Column
from chotso.errors import ChotsoError
from chotso.release.bundle.signers import REGISTER, signers_of
from chotso.release.data.canonical import render
from chotso.source import binary_copy, database_values
from chotso.source.drop_folder import Delivery, RefusedDeliveryError

UNKNOWN = "Tòa\U000105d2\u0307nhà"  # Unicode 16 composes the two, 14 does not know the first
SPELLED = "Tòa<U+0105D2>\u0307nhà"
TEXT = Column(type="text", description="x")


def test_what_is_known_stays() -> None:
    for text in ("", "Tây Ninh", "ស្វាយរៀង", "😀", "a\u0302"):
        assert spelled_out(text) == text
        assert is_known(text)
    assert not is_known(UNKNOWN)


def test_what_is_not_known_is_spelled_out_before_it_is_loaded() -> None:
    assert spelled_out(UNKNOWN) == SPELLED
    assert database_values.read_value(UNKNOWN, TEXT) == SPELLED
    assert binary_copy._has_unknown_characters(pa.array(["x", None, UNKNOWN]))
    for known in (["Tây Ninh", None, "😀"], ["x", None], [None]):
        assert not binary_copy._has_unknown_characters(pa.array(known, pa.string()))


def test_it_enters_no_release() -> None:
    """The naive twin: the normal form alone is another one from Unicode 16 on."""
    assert render(UNKNOWN, "text") == SPELLED
    assert is_known(render(UNKNOWN, "text"))
    assert not is_known(unicodedata.normalize("NFC", UNKNOWN))
    assert acts.stated("reason", UNKNOWN) == SPELLED
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    register = f"signers: [{{id: an, name: {UNKNOWN}, public_key: {key}}}]\n"
    with pytest.raises(ChotsoError, match=r"Unicode 14\.0"):
        signers_of({REGISTER: register.encode()})


def test_a_file_with_such_a_name_is_refused(tmp_path: Path) -> None:
    delivery = Delivery(f"KE_HOACH_{UNKNOWN}.xlsx", tmp_path / "x", "0" * 64, "", None, None)
    with pytest.raises(RefusedDeliveryError, match=r"Unicode 14\.0"):
        delivery.check_bytes()


CLEARS = "\x1b[2J\x9b1;1H\u202everified\u200b\U000e0041"
SEEN = "<U+001B>[2J<U+009B>1;1H<U+202E>verified<U+200B><U+E0041>"


def printed(what: object, **options: object) -> str:
    stream = io.StringIO()
    screen = Console(file=stream, highlight=False, soft_wrap=True, width=200)
    screen.print(what, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def test_nothing_printed_commands_the_terminal() -> None:
    table = Table(title=CLEARS)
    table.add_column(CLEARS)
    table.add_row(CLEARS)
    table.add_row(Text(CLEARS))
    for what in (CLEARS, Text(CLEARS), table):
        told = printed(what, markup=False)
        assert SEEN in told
        assert not set(CLEARS) & set("\x1b\x9b\u202e\u200b\U000e0041") & set(told)
    assert printed("Tây Ninh\nđồng", markup=False) == "Tây Ninh\nđồng\n"
    assert shown("a\nb\t") == "a\nb<U+0009>"


def test_both_consoles_of_the_commands_are_such(capsys: pytest.CaptureFixture[str]) -> None:
    for screen in (console.OUTPUT, console.ERRORS):
        assert isinstance(screen, Console)
    console.answer(
        {CLEARS: CLEARS, "vi": "đồng", "at": datetime(2021, 1, 1, tzinfo=UTC)}, True, print
    )
    told = capsys.readouterr().out
    assert "đồng" in told
    assert "\\u001b[2J\\u009b1;1H\\u202everified\\u200b\\udb40\\udc41" in told
    assert told.count("\n") == 1
    assert escaped('"\\n"') == '"\\n"'
