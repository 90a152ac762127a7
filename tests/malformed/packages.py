"""Workbooks written part by part, so that each part can be said in another way."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"


def letters(at: int) -> str:
    """A column's letters."""
    text, number = "", at + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def inline(at: int, row: int, text: object) -> str:
    """A cell of text, in its own words."""
    return f'<c r="{letters(at)}{row}" t="inlineStr"><is><t>{escape(str(text))}</t></is></c>'


def number(at: int, row: int, value: object, more: str = "") -> str:
    """A cell of a number."""
    return f'<c r="{letters(at)}{row}"{more}><v>{value}</v></c>'


def row_of(row: int, cells: Mapping[int, str], more: str = "") -> str:
    """A row of cells that are already written."""
    return f'<row r="{row}"{more}>{"".join(cells[at] for at in sorted(cells))}</row>'


@dataclass
class Written:
    """A workbook in the making: what of it a test wants otherwise is changed before `save`."""

    sheets: Mapping[str, Sequence[str]]
    main: str = MAIN
    office: str = OFFICE
    book: str = ""
    after_list: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    styles: str = ""
    strings: Sequence[str] = ()

    def parts(self) -> dict[str, bytes]:
        """The parts by their names."""
        names = list(self.sheets)
        links = [("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(names) + 1)]
        links += [("styles", "styles.xml")] if self.styles else []
        links += [("sharedStrings", "sharedStrings.xml")] if self.strings else []
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}" '
            f"{self.states.get(name, '')}/>"
            for at, name in enumerate(names, 1)
        )
        made = {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": self._links([("officeDocument", "xl/workbook.xml")]),
            "xl/workbook.xml": f'<workbook xmlns="{self.main}" xmlns:r="{self.office}">{self.book}'
            f"<sheets>{listed}</sheets>{self.after_list}</workbook>",
            "xl/_rels/workbook.xml.rels": self._links(links),
        }
        for at, name in enumerate(names, 1):
            made[f"xl/worksheets/sheet{at}.xml"] = (
                f'<worksheet xmlns="{self.main}"><sheetData>{"".join(self.sheets[name])}'
                f"</sheetData>{self.beside.get(name, '')}</worksheet>"
            )
        if self.styles:
            made["xl/styles.xml"] = f'<styleSheet xmlns="{self.main}">{self.styles}</styleSheet>'
        if self.strings:
            texts = "".join(f"<si>{text}</si>" for text in self.strings)
            made["xl/sharedStrings.xml"] = f'<sst xmlns="{self.main}">{texts}</sst>'
        return {name: text.encode() for name, text in made.items()}

    def _links(self, links: Sequence[tuple[str, str]]) -> str:
        told = "".join(
            f'<Relationship Id="r{at}" Type="{self.office}/{kind}" Target="{target}"/>'
            for at, (kind, target) in enumerate(links, 1)
        )
        return f'<Relationships xmlns="{_PACKAGE}">{told}</Relationships>'


def save(path: Path, parts: Mapping[str, bytes]) -> Path:
    """Write the parts as an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path
