"""Loaders that mean well: both must be caught."""

import hashlib

import psycopg

from tests.canaries.planted import Person


def land_then_mask(url: str, people: list[Person]) -> None:
    """Lands the rows as they come and masks them after, in a table that a dump shows clean."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop table if exists public.naive_spell")
        conn.execute("create table public.naive_spell (number text, name text, birth text)")
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into public.naive_spell values (%s, %s, %s)",
                [(p.number, p.name, p.birth) for p in people],
            )
        conn.execute("update public.naive_spell set number = '**', name = null, birth = null")
        conn.execute("checkpoint")


def plain_hash(number: str) -> str:
    """The pseudonym of a loader that keeps no key."""
    return hashlib.sha256(number.encode()).hexdigest()


def undone(pseudonyms: set[str], around: str, tries: int) -> dict[str, str]:
    """Numbers whose plain hash is among the pseudonyms, found by trying those from `around` on."""
    first = int(around)
    found = {}
    for value in range(first, first + tries):
        number = f"{value:010d}"
        if (made := plain_hash(number)) in pseudonyms:
            found[made] = number
    return found
