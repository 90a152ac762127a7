"""Replaces persons' numbers: only pseudonym, shape and mask land."""

import hashlib
import hmac
import re
from collections.abc import Callable

import pyarrow as pa

_WELL_FORMED = re.compile(r"[0-9]{10}")


def key_id(key: bytes) -> str:
    """An id of the key that does not help to guess it: 16 hex digits of a keyed digest."""
    return hmac.digest(key, b"chotso key id", "sha256").hex()[:16]


def pseudonymiser(key: bytes) -> Callable[[pa.Array], dict[str, pa.Array]]:
    """A function from clear numbers (string array) to the four columns that land.

    The pseudonym is HMAC-SHA-256 with the key, 64 hex digits. A plain hash of ten digits could be
    reversed in minutes by trying all numbers.
    """
    made_with = key_id(key)

    def landed(numbers: pa.Array) -> dict[str, pa.Array]:
        encoded = numbers.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        return {
            "person_pseudonym": _spread([_digest(key, n) for n in distinct], encoded),
            "number_shape": _spread([shape(n) for n in distinct], encoded, missing="missing"),
            "number_mask": _spread([mask(n) for n in distinct], encoded),
            "key_id": pa.array([made_with] * len(numbers), pa.string()),
        }

    return landed


def shape(number: str) -> str:
    """'ok' for ten digits, or else what is wrong; never the number itself."""
    if _WELL_FORMED.fullmatch(number):
        return "ok"
    if number.strip() == "":
        return "missing"
    if number.isascii() and number.isdigit():
        return f"{len(number)} digits"
    return "not digits"


def mask(number: str) -> str:
    """The first two characters of a well-formed number and stars; only stars for any other."""
    if _WELL_FORMED.fullmatch(number):
        return number[:2] + "*" * 8
    return "*" * min(len(number), 10)


def _digest(key: bytes, number: str) -> str:
    return hmac.digest(key, number.encode(), hashlib.sha256).hex()


def _spread(values: list[str], encoded: pa.DictionaryArray, missing: str | None = None) -> pa.Array:
    spread = pa.array(values, pa.string()).take(encoded.indices)
    return spread.fill_null(missing) if missing else spread
