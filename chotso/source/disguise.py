"""Finds out what a file really is, by its first bytes and parts, if its name is wrong."""

import zipfile
from pathlib import Path

_HEAD = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0"
_STARTS = {
    b"%PDF": "a PDF document",
    b"{\\rtf": "a rich text document",
    b"\x1f\x8b": "an archive of gzip",
    b"7z\xbc\xaf\x27\x1c": "an archive of 7-Zip",
    b"Rar!": "an archive of RAR",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"SQLite format 3": "a database file",
    b"\x09\x00": "an Excel workbook of the old form .xls",
    b"\x09\x02": "an Excel workbook of the old form .xls",
    b"\x09\x04": "an Excel workbook of the old form .xls",
    b"\x09\x08": "an Excel workbook of the old form .xls",
}
# Names of streams in a compound file.
_STREAMS = {
    "EncryptedPackage": "a workbook or document protected by a password",
    "EncryptionInfo": "a workbook or document protected by a password",
    "Workbook": "an Excel workbook of the old form .xls",
    "Book": "an Excel workbook of the old form .xls",
    "WordDocument": "a Word document of the old form .doc",
    "PowerPoint Document": "a presentation of the old form .ppt",
    "__properties_version1.0": "an Outlook message",
}
_MARKUP = {
    "urn:schemas-microsoft-com:office:spreadsheet": "XML Spreadsheet 2003, no .xlsx",
    "office:document": "an OpenDocument file in one piece (.fods)",
    "<html": "a web page (HTML)",
    "<!doctype html": "a web page (HTML)",
    "<table": "a web page (HTML)",
    "<?xml": "an XML file",
    "mime-version:": "a web archive (MHTML)",
}


def what_it_is(path: Path) -> str | None:
    """The kind of a file in words; None if it may be an .xlsx workbook or is unknown."""
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    if not head.strip(b"\0"):
        return "an empty file" if not head else "a file of zeros"
    if head.startswith(_OLE):
        return _compound(path)
    for start, named in _STARTS.items():
        if head.startswith(start):
            return named
    if head.startswith(b"PK"):
        return _archive(path)
    return _markup(head)


def is_text(path: Path) -> bool:
    """Whether the beginning of a file is text in some encoding."""
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    return not any(byte < 9 or 13 < byte < 26 for byte in head)


def _compound(path: Path) -> str:
    """The kind of a compound file, by the names of its streams, which are in UTF-16."""
    with path.open("rb") as handle:
        content = handle.read(64 << 20)
    for stream, kind in _STREAMS.items():
        if stream.encode("utf-16-le") + b"\0\0" in content:
            return kind
    return "a compound file of Office (protected by a password, or of a format older than .xlsx)"


def _archive(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.replace("\\", "/").lower().lstrip("/") for name in archive.namelist()]
            if "mimetype" in names:
                with archive.open(archive.namelist()[names.index("mimetype")]) as part:
                    kind = part.read(100).decode("ascii", "replace").strip()
                return f"an OpenDocument file or the like ({kind})"
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return None
    if any(name.endswith("workbook.bin") for name in names):
        return "an Excel workbook of the binary form .xlsb"
    for folder, document in (("word/", "a Word document"), ("ppt/", "a presentation")):
        if any(name.startswith(folder) for name in names):
            return document
    if "[content_types].xml" not in names and "_rels/.rels" not in names:
        return f"an archive of other files ({', '.join(names)[:80] or 'none'})"
    return None


def _markup(head: bytes) -> str | None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "latin-1"):
        if encoding == "utf-16" and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        text = head[: len(head) // 2 * 2].decode(encoding, "ignore").casefold()
        first = text.lstrip("\ufeff\u00ef\u00bb\u00bf \t\r\n\0")
        if first.startswith(("<", "mime-version:")):
            return next((kind for mark, kind in _MARKUP.items() if mark in first), "markup")
    return None
