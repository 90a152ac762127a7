"""Ways to damage a bundle: each takes a folder and a generator of random numbers."""

import json
import os
import random
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.worlds import bundles

Place = tuple[Any, Any]
Mutation = Callable[[Path, random.Random], None]


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def contents_of(folder: Path) -> dict[str, bytes | str]:
    """What stands in a folder, links as where they lead."""
    return {
        str(path.relative_to(folder)): f"to {path.readlink()}"
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
    }


def _of_content(change: Callable[[bytes, random.Random], bytes]) -> Mutation:
    def mutate(folder: Path, by: random.Random) -> None:
        path = by.choice([each for each in files_of(folder) if each.stat().st_size])
        path.write_bytes(change(path.read_bytes(), by))

    return mutate


def _of_lines(change: Callable[[list[bytes], random.Random], list[bytes]]) -> Mutation:
    return _of_content(lambda raw, by: b"".join(change(raw.split(b"\n"), by)))


def _flip(raw: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << by.randrange(8)]) + raw[place + 1 :]


def _another_byte(raw: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(raw))
    return raw[:place] + by.randbytes(1) + raw[place + 1 :]


def _without_byte(raw: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(raw))
    return raw[:place] + raw[place + 1 :]


def _with_byte(raw: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(raw) + 1)
    return raw[:place] + by.randbytes(1) + raw[place:]


def _block_of_zeros(raw: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(raw))
    return raw[:place] + bytes(min(512, len(raw) - place)) + raw[place + 512 :]


def _another_digit(raw: bytes, by: random.Random) -> bytes:
    places = [at for at, byte in enumerate(raw) if 48 <= byte <= 57] or [0]
    place = by.choice(places)
    return raw[:place] + str(by.randrange(10)).encode() + raw[place + 1 :]


def _swapped_lines(lines: list[bytes], by: random.Random) -> list[bytes]:
    one, two = by.randrange(len(lines)), by.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return [b"\n".join(lines)]


def _without_line(lines: list[bytes], by: random.Random) -> list[bytes]:
    del lines[by.randrange(len(lines))]
    return [b"\n".join(lines)]


def _doubled_line(lines: list[bytes], by: random.Random) -> list[bytes]:
    place = by.randrange(len(lines))
    return [b"\n".join([*lines[:place], lines[place], *lines[place:]])]


def _decomposed(raw: bytes, by: random.Random) -> bytes:
    return unicodedata.normalize("NFD", raw.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )


def _delete_file(folder: Path, by: random.Random) -> None:
    path = by.choice([each for each in files_of(folder) if each.parent.name != "certifications"])
    path.unlink()


def _add_file(folder: Path, by: random.Random) -> None:
    name = by.choice(["x", "data/x.csv", "rows/x.txt", ".x", "config/x/y.yml", "certifications/x"])
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(by.randbytes(by.randrange(20)))


def _rename(folder: Path, by: random.Random) -> None:
    path = by.choice(files_of(folder))
    path.rename(path.with_name(path.name + by.choice(["~", ".bak", "1"])))


def _exchange(folder: Path, by: random.Random) -> None:
    one, two = by.sample(files_of(folder), 2)
    raw = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(raw)


def _link(folder: Path, by: random.Random) -> None:
    path = by.choice(files_of(folder))
    kept = folder.parent / "elsewhere"
    kept.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(kept)


def _add_folder(folder: Path, by: random.Random) -> None:
    (folder / by.choice(["x", "data/x", "config/x/y", "certifications/x"])).mkdir(parents=True)


def _manifest(change: Callable[[dict[str, object], random.Random], object]) -> Mutation:
    def mutate(folder: Path, by: random.Random) -> None:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        change(manifest, by)
        (folder / "manifest.json").write_bytes(bundles.canonical(manifest))

    return mutate


_VALUES: list[object] = [
    None, 0, -1, 7, "", "x", [], {}, True, "a" * 64, "rehearsal", 2**53, "e\u0302", "\x7f",
]  # fmt: skip


def _another_value(manifest: dict[str, object], by: random.Random) -> None:
    manifest[by.choice(sorted(manifest))] = by.choice(_VALUES)


def _another_entry(manifest: dict[str, object], by: random.Random) -> None:
    files = manifest["files"]
    assert isinstance(files, list)
    entry = by.choice(files)
    entry[by.choice([*sorted(entry), "more"])] = by.choice(_VALUES)


def _shuffled_entries(manifest: dict[str, object], by: random.Random) -> None:
    files = manifest["files"]
    assert isinstance(files, list)
    by.shuffle(files)


def _places(value: object, container: object = None, key: object = None) -> Iterator[Place]:
    """Every list or object within a manifest, with a key of it; of long lists the first ones."""
    if isinstance(container, dict | list):
        yield container, key
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict | list):
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))[:20]
    for inner, each in pairs:
        yield from _places(each, value, inner)


def _another_value_anywhere(manifest: dict[str, object], by: random.Random) -> None:
    container, key = by.choice(list(_places(manifest)))
    value = by.choice([*_VALUES, "2021-02-30", "CON", "DATA/x.csv", "\U000105d2\u0307", [{}]])
    if by.random() < 0.3:
        container.insert(0, value) if isinstance(container, list) else container.pop(key)
    else:
        container[key] = value


_ODD_NAMES = [b"\xff", b"\x1b[2J", b"e\xcc\x82", b"CON", b"a.", b".DS_Store", b"data/\xc3\x28",
              b"certifications/\xff.json", b"certifications/AN.json", b"rows/x/y"]  # fmt: skip


def _odd_name(folder: Path, by: random.Random) -> None:
    path = os.fsencode(folder) + b"/" + by.choice(_ODD_NAMES)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    match by.randrange(3):
        case 0:
            os.mkdir(path)
        case 1:
            os.mkfifo(path)
        case _:
            os.symlink("x", path)


def _respelled(folder: Path, by: random.Random) -> None:
    path = folder / "manifest.json"
    raw = path.read_bytes()
    spellings = [raw[:-1], raw + b"\n", b"\xef\xbb\xbf" + raw, raw.replace(b":", b": ", 3),
                 raw.replace(b"a", b"\\u0061", 1), raw.replace(b"0", b"0.0", 1),
                 raw.replace(b'"files"', b'"kind":"x","files"')]  # fmt: skip
    path.write_bytes(by.choice(spellings))


MUTATIONS: dict[str, Mutation] = {
    "a flipped bit": _of_content(_flip),
    "another byte": _of_content(_another_byte),
    "a byte less": _of_content(_without_byte),
    "a byte more": _of_content(_with_byte),
    "cut off": _of_content(lambda raw, by: raw[: by.randrange(len(raw))]),
    "something after the end": _of_content(lambda raw, by: raw + by.randbytes(by.randrange(1, 9))),
    "a block of zeros": _of_content(_block_of_zeros),
    "another digit": _of_content(_another_digit),
    "two lines exchanged": _of_lines(_swapped_lines),
    "a line less": _of_lines(_without_line),
    "a line twice": _of_lines(_doubled_line),
    "line ends of another system": _of_content(lambda raw, by: raw.replace(b"\n", b"\r\n")),
    "decomposed letters": _of_content(_decomposed),
    "emptied": _of_content(lambda raw, by: b""),
    "a file less": _delete_file,
    "a file more": _add_file,
    "a file renamed": _rename,
    "two files exchanged": _exchange,
    "a link to the same bytes": _link,
    "a folder more": _add_folder,
    "another value in the manifest": _manifest(_another_value),
    "another entry in the manifest": _manifest(_another_entry),
    "a key less in the manifest": _manifest(lambda m, by: m.pop(by.choice(sorted(m)))),
    "entries in another order": _manifest(_shuffled_entries),
    "another value anywhere in the manifest": _manifest(_another_value_anywhere),
    "an odd name": _odd_name,
    "the manifest spelled another way": _respelled,
}
