"""A plain hash of a ten-digit number is undone by trying; a keyed one is not."""

import hashlib
import hmac

import pyarrow as pa

from chotso.source.pseudonym import pseudonymiser

NUMBER = "7900045123"
KEY = b"a key of thirty-two bytes or more, for tests"


def _tried(wanted: str) -> str | None:
    """The number among 10^5 neighbours whose plain hash is the one wanted."""
    for value in range(7900000000, 7900100000):
        if hashlib.sha256(str(value).encode()).hexdigest() == wanted:
            return str(value)
    return None


def test_a_plain_hash_of_a_number_is_undone() -> None:
    assert _tried(hashlib.sha256(NUMBER.encode()).hexdigest()) == NUMBER
    landed = pseudonymiser(KEY)(pa.array([NUMBER]))["person_pseudonym"][0].as_py()
    assert _tried(landed) is None
    assert landed == hmac.digest(KEY, NUMBER.encode(), "sha256").hex()


def test_two_keys_make_two_pseudonyms() -> None:
    one = pseudonymiser(KEY)(pa.array([NUMBER]))
    other = pseudonymiser(KEY[::-1])(pa.array([NUMBER]))
    assert one["person_pseudonym"] != other["person_pseudonym"]
    assert one["key_id"] != other["key_id"]
