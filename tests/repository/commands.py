"""Commands of `chotso` in documents, parsed by the command line itself, and not run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from chotso.cli.app import app


def fenced(document: Path, kind: str) -> list[str]:
    """The texts of a page's fenced blocks of a kind."""
    text = document.read_text(encoding="utf-8")
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
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "commands"):
        name = rest.pop(0)
        if name not in command.commands:
            raise LookupError(f"no such command: chotso {name}")
        command = command.commands[name]
    command.make_context(name, rest)
