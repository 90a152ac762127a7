"""Debian's Chromium without a window, for tests and for the pictures of the docs.

The package `chromium-headless-shell` is taken where it is there. The full browser without a window
(`chromium`) at times draws no frame any more on a busy machine, and every click waits for one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_PROGRAMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((program for program in _PROGRAMS if program.exists()), None)
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def running_chromium(*arguments: str) -> Iterator[Browser]:
    """A browser that asks nobody but the pages it is shown.

    Args:
        arguments: More arguments of its command line.
    """
    arguments = (*_ARGUMENTS, *arguments)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=arguments) as browser,
    ):
        yield browser
