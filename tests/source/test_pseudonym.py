"""Persons' numbers become pseudonyms under a key; nothing clear is left."""

import hashlib
import hmac

import pyarrow as pa
import pytest

from chotso.source.pseudonym import key_id, mask, pseudonymiser, shape

KEY = b"k" * 32


def test_the_pseudonym_is_hmac_under_the_key() -> None:
    landed = pseudonymiser(KEY)(pa.array(["0123456789", None, "0123456789"]))
    wanted = hmac.new(KEY, b"0123456789", hashlib.sha256).hexdigest()
    assert landed["person_pseudonym"].to_pylist() == [wanted, None, wanted]
    assert landed["number_shape"].to_pylist() == ["ok", "missing", "ok"]
    assert set(landed["key_id"].to_pylist()) == {key_id(KEY)}


def test_another_key_makes_other_pseudonyms() -> None:
    numbers = pa.array(["0123456789"])
    other = pseudonymiser(b"j" * 32)(numbers)["person_pseudonym"]
    assert other != pseudonymiser(KEY)(numbers)["person_pseudonym"]
    assert key_id(KEY) != key_id(b"j" * 32)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        ("0123456789", "ok"),
        ("123456789", "9 digits"),
        ("01234567890", "11 digits"),
        ("012345678A", "not digits"),
        ("0123456789 ", "not digits"),
        ("٠١٢٣٤٥٦٧٨٩", "not digits"),
        (" ", "missing"),
    ],
)
def test_shapes(number: str, wanted: str) -> None:
    assert shape(number) == wanted


def test_a_mask_tells_no_number() -> None:
    assert mask("0123456789") == "01********"
    assert mask("12345678A") == "*********"
