"""Rows of two sorted sides, paired by their keys; neither side is held in memory."""

import json
from collections.abc import Iterator

from chotso.release.data.changes import Fields

Key = tuple[str, ...]
Keyed = Iterator[tuple[Key, Fields]]


def pairwise(kept: Keyed, sealed: Keyed) -> Iterator[str]:
    """Sentences on rows and values that differ between the warehouse and the bundle."""
    one, two = next(kept, None), next(sealed, None)
    while one or two:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None
            yield f"{named(one[0])} is not in the bundle"
            one = next(kept, None)
        elif one is None or two[0] < one[0]:
            yield f"{named(two[0])} of the bundle is not there"
            two = next(sealed, None)
        else:
            if one[1] != two[1]:
                yield from _fields_differing(one[0], one[1], two[1])
            one, two = next(kept, None), next(sealed, None)


def _fields_differing(key: Key, kept: Fields, sealed: Fields) -> Iterator[str]:
    """The differing columns; a column added after the seal must be null."""
    for name in sorted({*kept, *sealed}):
        if kept.get(name) != sealed.get(name):
            yield says(key, name, kept.get(name), sealed.get(name))


def says(key: Key, name: str, value: object, wanted: object) -> str:
    """The sentence about one value."""
    return f"{named(key)}: {name} is {_text(value)}, in the bundle {_text(wanted)}"


def named(key: Key) -> str:
    """A row's name."""
    return "row " + json.dumps(key, ensure_ascii=False)


def _text(value: object) -> str:
    return "null" if value is None else json.dumps(value, ensure_ascii=False, default=str)
