"""What lies in the drop folder is taken for what it is; one entry never stops another."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from chotso.ingest.drop_register import file_sources
from chotso.source.drop_entries import Seen, shown, survey
from chotso.source.drop_folder import DropFolder, NotTakenError, RefusedDeliveryError

SOURCES = file_sources()
PATTERN = SOURCES["c12"].name_pattern
NAME = "C12_202109_20210930T080000.xlsx"
PLAN = "KE_HOACH_1.xlsx"


def seen(folder: Path | str) -> dict[str, Seen]:
    return {each.shown: each for each in survey(DropFolder(str(folder)).entries(), SOURCES)}


def kinds(folder: Path) -> dict[str, str]:
    return {name: each.kind for name, each in seen(folder).items()}


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


NEAR = lines_of("""
c12_202109_20210930T080000.xlsx
C12_202109_20210930T080000.XLSX
C12_202109_20210930080000.xlsx
C12_202109_20210930T080000.xlsx.xlsx
C12_202109_20210930T080000 (1).xlsx
C12-202109-20210930T080000.xlsx
 C12_202109_20210930T080000.xlsx
C12_２０２１09_20210930T080000.xlsx
C12_202109_20210930T080000.xlsx.md5
C12_202109_20210930T080000.xlsx.SHA256
С12_202109_20210930T080000.xlsx
KEHOACH_1.xlsx
KẾ_HOẠCH_1.xlsx
ke_hoach_1.xlsx
Copy of KE_HOACH_1.xlsx
KE HOACH 1.xlsx
Báo cáo quý 4.xlsx
""")
PROGRAMS = [".DS_Store", "Thumbs.db", f"~${PLAN}", f".~lock.{PLAN}#", f"{PLAN}~", f".{PLAN}.swp"]
UNFINISHED = [f"{NAME}.part", f"{PLAN}.crdownload", f"{PLAN}.TMP", f"{NAME}.filepart"]


def test_near_names_are_told_and_never_taken(tmp_path: Path) -> None:
    for name in [*NEAR, *PROGRAMS, *UNFINISHED, NAME, f"{NAME}.count", PLAN]:
        (tmp_path / name).write_text("")
    due = dict.fromkeys(NEAR, "near_name") | dict.fromkeys(PROGRAMS, "other")
    due |= dict.fromkeys(UNFINISHED, "in_progress") | {NAME: "delivery", PLAN: "delivery"}
    assert kinds(tmp_path) == due


def test_letters_of_another_alphabet_are_named(tmp_path: Path) -> None:
    (tmp_path / "\u041112_1.xlsx").write_text("")
    (found,) = seen(tmp_path).values()
    assert "U+0411" in (found.reason or "")


def test_a_manifest_whose_file_never_came(tmp_path: Path) -> None:
    for name in (f"{NAME}.count", f"{PLAN}.sha256", "other.csv.count"):
        (tmp_path / name).write_text("1")
    assert kinds(tmp_path) == dict.fromkeys(sorted(p.name for p in tmp_path.iterdir()),
                                            "orphan_manifest")  # fmt: skip
    assert seen(tmp_path)[f"{NAME}.count"].feed == "c12"


def _link_away(path: Path) -> None:
    secret = path.parent.parent / "pseudonym.key"
    secret.write_text("a key")
    path.symlink_to(secret)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "dangling link": (lambda p: p.symlink_to("nowhere"), "a symbolic link"),
    "link to a folder": (lambda p: p.symlink_to("/etc", True), "a symbolic link"),
    "link to a secret": (_link_away, "a symbolic link"),
    "link to itself": (lambda p: p.symlink_to(p.name), "a symbolic link"),
    "folder": (Path.mkdir, "a folder"),
    "pipe": (os.mkfifo, "a named pipe"),
    "socket": (_socket, "a socket"),
}


@pytest.mark.parametrize("made", MADE)
def test_what_is_no_file_is_named_and_not_opened(tmp_path: Path, made: str) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    make, what = MADE[made]
    make(drop / NAME)
    (drop / PLAN).write_text("")
    found = seen(drop)
    assert (found[NAME].kind, found[NAME].feed) == ("no_file", "c12")
    assert what in (found[NAME].reason or "")
    assert found[PLAN].kind == "delivery"
    folder = DropFolder(str(drop))
    assert folder.names(PATTERN) == []
    with pytest.raises(NotTakenError):
        folder.fetch(NAME, PATTERN, tmp_path)
    assert not (tmp_path / NAME).exists() or not (tmp_path / NAME).read_bytes()


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("ending", ["count", "sha256"])
def test_a_manifest_that_is_no_file_refuses_its_file(
    tmp_path: Path, made: str, ending: str
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / NAME).write_text("")
    make, what = MADE[made]
    make(drop / f"{NAME}.{ending}")
    assert kinds(drop) == {NAME: "delivery"}
    delivery = DropFolder(str(drop)).fetch(NAME, PATTERN, tmp_path)
    with pytest.raises(RefusedDeliveryError, match=f"does not hold .* \\({what}\\)"):
        delivery.check_bytes() if ending == "sha256" else delivery.check_count(0)


BAD_NAMES = [b"C12_\xff.xlsx", b"KE_HOACH_\xe9.xlsx", b"KE_HOACH_\x1b[2J.xlsx",
             "KE_HOACH_\u202exslx.xlsx".encode(), b"KE_HOACH_" + b"x" * 240 + b".xlsx"]  # fmt: skip


def test_names_that_are_no_text_are_shown_and_not_taken(tmp_path: Path) -> None:
    for name in [*BAD_NAMES, b"line\nbreak.csv", b"\xff\xfe"]:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("")
    found = seen(tmp_path)
    assert {each.kind for each in found.values()} == {"bad_name"}
    assert all(name.isprintable() and name.encode("utf-8") for name in found)
    assert {"C12_\\xff.xlsx", "KE_HOACH_\\x1b[2J.xlsx", "line\\nbreak.csv"} <= set(found)


def test_a_file_that_goes_or_grows_between_two_looks(tmp_path: Path) -> None:
    drop, scratch = tmp_path / "drop", tmp_path / "scratch"
    drop.mkdir()
    scratch.mkdir()
    (drop / NAME).write_text("half")
    folder = DropFolder(str(drop))
    folder.entries()
    (drop / NAME).write_text("half and more")
    with pytest.raises(NotTakenError) as growing:
        folder.fetch(NAME, PATTERN, scratch)
    assert growing.value.kind == "in_progress"
    (drop / NAME).unlink()
    with pytest.raises(NotTakenError, match="has been taken away") as gone:
        folder.fetch(NAME, PATTERN, scratch)
    assert gone.value.kind == "gone"


def test_a_drop_folder_that_is_a_link_or_remote_is_read(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / NAME).write_text("x")
    (tmp_path / "link").symlink_to(drop, True)
    assert kinds(tmp_path / "link") == {NAME: "delivery"}
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/far/{NAME}", b"x")
    memory.pipe_file(f"/far/{NAME}.count", b"1")
    memory.makedirs(f"/far/{PLAN}")
    assert {n: e.kind for n, e in seen("memory://far").items()} == {
        NAME: "delivery",
        PLAN: "no_file",
    }
    folder = DropFolder("memory://far")
    assert folder.fetch(NAME, PATTERN, tmp_path).claimed_count == "1"


@pytest.mark.parametrize(("name", "as_shown"), [("quý 4", "quý 4"), ("a\tb", "a\\tb"),
                         ("\udcff", "\\xff"), ("\u200b", "\\u200b")])  # fmt: skip
def test_names_are_shown_whole(name: str, as_shown: str) -> None:
    assert shown(name) == as_shown
