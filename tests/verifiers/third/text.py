"""§2, §3 and §13: JSON read by hand, which spells the canonical form as it goes; hashes."""

import hashlib
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parents[3] / "chotso/verifier/SPEC.md"


class UnreadableError(Exception):
    """§2."""


def numbers_of_section_13() -> list[tuple[int, int]]:
    text = SPEC.read_text("utf-8").split("\n## 13. ")[1].split("\n## 14. ")[0]
    lines = [line for line in text.split("\n") if line.startswith("    ")]
    pairs = [each.split("-") for line in lines for each in line.split()]
    return [(int(each[0], 16), int(each[-1], 16)) for each in pairs]


KNOWN = bytearray(0x110000)
for first, last in numbers_of_section_13():
    KNOWN[first : last + 1] = b"\1" * (last - first + 1)


class Text:
    TOKEN = re.compile(
        r'[ \t\n\r]*(?:([{}\[\],:])|("(?:[^"\\\x00-\x1f]++|\\.)*+")|(-?(?:0|[1-9][0-9]*))([.eE]?)'
        r"|(true|false|null))", re.S,
    )  # fmt: skip

    def __init__(self, raw: bytes) -> None:
        try:
            self.text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise UnreadableError from None
        self.at = 0
        self.normal = True
        self.value, self.form = self.read(0)
        if self.text[self.at :].strip(" \t\n\r"):
            raise UnreadableError
        self.is_canonical = self.normal and (self.form + "\n").encode() == raw

    def token(self) -> tuple[str, str]:
        found = self.TOKEN.match(self.text, self.at)
        if not found or found[4]:
            raise UnreadableError
        self.at = found.end()
        for kind, place in (("mark", 1), ("string", 2), ("number", 3), ("word", 5)):
            if found[place] is not None:
                return kind, found[place]
        raise UnreadableError

    def read(self, depth: int, token: tuple[str, str] | None = None) -> tuple[Any, str]:
        kind, text = token or self.token()
        if kind == "string":
            return self.string(text)
        if kind == "number":
            if len(text) > 17 or abs(int(text)) > 2**53 - 1:
                raise UnreadableError
            return int(text), str(int(text))
        if kind == "word":
            return {"true": True, "false": False, "null": None}[text], text
        if text not in "{[" or depth == 64:
            raise UnreadableError
        return self.object(depth + 1) if text == "{" else self.array(depth + 1)

    def array(self, depth: int) -> tuple[Any, str]:
        values, forms = [], []
        token = self.token()
        while token != ("mark", "]"):
            value, form = self.read(depth, token)
            values.append(value)
            forms.append(form)
            token = self.after("]")
        return values, "[" + ",".join(forms) + "]"

    def after(self, end: str) -> tuple[str, str]:
        """What comes after a member: the end, or a comma and the next one's first token."""
        token = self.token()
        if token == ("mark", end):
            return token
        following = self.token() if token == ("mark", ",") else ("mark", end)
        if following == ("mark", end):
            raise UnreadableError
        return following

    def object(self, depth: int) -> tuple[Any, str]:
        values: dict[str, Any] = {}
        forms: dict[str, str] = {}
        token = self.token()
        while token != ("mark", "}"):
            if token[0] != "string":
                raise UnreadableError
            key, form = self.string(token[1])
            if key in values or self.token() != ("mark", ":"):
                raise UnreadableError
            values[key], inner = self.read(depth)
            forms[key] = form + ":" + inner
            token = self.after("}")
        return values, "{" + ",".join(forms[key] for key in sorted(forms)) + "}"

    def string(self, quoted: str) -> tuple[str, str]:
        try:
            text = json.loads(quoted)
            size = len(text.encode("utf-8"))
        except ValueError:
            raise UnreadableError from None
        is_known = text.isascii() or all(KNOWN[ord(each)] for each in text)
        if size > 65_536 or not is_known:
            raise UnreadableError
        self.normal = self.normal and unicodedata.is_normalized("NFC", text)
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        long = {code: f"\\u{code:04x}" for code in range(32)}
        return text, '"' + text.translate(long | short) + '"'


def digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def lines_of(raw: bytes) -> list[bytes]:
    pieces = raw.split(b"\n")
    return [each + b"\n" for each in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def tree(leaves: list[bytes]) -> bytes:
    if not leaves:
        return digest(b"")
    level = [digest(b"\0" + leaf) for leaf in leaves]
    while len(level) > 1:  # an odd one out goes up as it is: the same tree as the recursive one
        pairs = [digest(b"\1" + b"".join(level[n : n + 2])) for n in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def row_count(raw: bytes) -> int:
    quotes = records = 0
    for line in lines_of(raw):
        quotes += line.count(b'"')
        records += line.endswith(b"\n") and quotes % 2 == 0
    return max(0, records - 1)


def first_row(data: bytes, index: bytes) -> int | None:
    one, two = lines_of(data), lines_of(index)
    for at in range(max(len(one), len(two))):
        if at >= len(one) or at >= len(two) or len(one[at]) > 1_048_576:
            return at + 1
        if two[at] != digest(b"\0" + one[at]).hex()[:16].encode() + b"\n":
            return at + 1
    return None
