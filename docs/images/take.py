"""Takes the README's picture of the terminal from what `make demo` left running.

Needs Debian's chromium and fonts-jetbrains-mono.

    make pictures

It is the demo's own output, run again on the same home (it takes up where the source's clock stands
and only reports).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page
from rich.console import Console
from rich.text import Text

from chotso.local import airflow as local
from tests.worlds.chromium import running_chromium

HERE = Path(__file__).resolve().parent
FONT = "JetBrains Mono"  # has every Vietnamese letter in one piece, bold too
WIDTH = 116


def demo_output() -> str:
    """What the demo prints in a terminal, with its colours."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    done = subprocess.run(
        [sys.executable, "-m", "chotso.demo.play"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout


def picture_of_terminal(page: Page, output: str) -> None:
    """The last part of the output, as a terminal shows it."""
    lines = [line.split("\r")[-1] for line in output.rstrip().split("\n")]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print("$ make demo")
        console.print(Text.from_ansi("\n".join(lines)))
        svg = console.export_svg(title="chotso").replace("Fira Code", FONT)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "terminal.svg"
        source.write_text(svg, encoding="utf-8")
        page.goto(source.as_uri())
        page.locator("svg").screenshot(path=HERE / "demo.png")


def main() -> None:
    """Take the picture."""
    local.start(Path(os.environ.get("CHOTSO_HOME", ".chotso")).resolve())
    output = demo_output()
    with running_chromium() as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 1400})
        picture_of_terminal(page, output)


if __name__ == "__main__":
    main()
