"""What the programs of this machine have in common: their home, and a command line of one word."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from chotso.ambient import print_anything
from chotso.errors import ChotsoError
from chotso.settings import load_home


def settled_home() -> Path:
    """The home of this process, absolute, as the processes that it starts find it too."""
    home = load_home()
    os.environ["CHOTSO_HOME"] = str(home)
    return home


def run_main(
    module: str, commands: Mapping[str, Callable[[Path], None]], arguments: list[str]
) -> int:
    """Run the command that the arguments name, in the home; returns the exit status."""
    print_anything()
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m {module} {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        commands[arguments[0]](settled_home())
    except ChotsoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
