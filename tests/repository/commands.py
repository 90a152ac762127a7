"""Commands in documents: found, and those of `chotso` parsed by the command line itself."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from chotso.cli.app import app


def fenced(document: Path, kind: str) -> list[str]:
    """The texts of a page's fenced blocks of a kind."""
    return fenced_in(document.read_text(encoding="utf-8"), kind)


def fenced_in(text: str, kind: str) -> list[str]:
    """The texts of the fenced blocks of a kind in a page, or in a part of it."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(document: Path) -> Iterator[list[str]]:
    """The words of each line in a page's `sh` blocks, without comments and leading variables."""
    for block in fenced(document, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield words


def refuse_unknown(words: list[str]) -> None:
    """Raise what the command line raises where a command, option or argument does not exist."""
    command, rest = _named(words)
    command.make_context(" ".join(words), rest)


def refuse_unknown_name(words: list[str]) -> None:
    """Raise a LookupError where a command does not exist; its arguments are not looked at."""
    _named(words)


def _named(words: list[str]) -> tuple[Any, list[str]]:
    """The command of the words, and its arguments."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while rest and hasattr(command, "commands"):
        name = rest.pop(0)
        if name not in command.commands:
            raise LookupError(f"no such command: chotso {name}")
        command = command.commands[name]
    return command, rest
