"""Removes secrets from everything that is shown: errors, alerts, logs."""

import re
from urllib.parse import quote, quote_plus

HIDDEN = "***"
_SHORTEST = 4  # a shorter secret would hide parts of ordinary words
_SECRETS: set[str] = set()
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|«[^»]*»")


def remember(secret: str | None) -> None:
    """Register a secret that this process must not show."""
    if secret and len(secret) >= _SHORTEST:
        _SECRETS.add(secret)


def masked(text: str) -> str:
    """The text without any registered secret, URL-quoted or not."""
    for secret in sorted(_SECRETS, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
            text = text.replace(form, HIDDEN)
    return text


def first_line_without_values(error: BaseException, said: str | None = None) -> str:
    """The first line of an error, without what it quotes, which may be personal data."""
    lines = (said or str(error)).strip().splitlines()
    return _QUOTED.sub('"…"', lines[0]) if lines else type(error).__name__
