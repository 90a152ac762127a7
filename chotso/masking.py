"""Removes secrets from everything that is shown: errors, alerts, logs."""

import re
from urllib.parse import quote, quote_plus

HIDDEN = "***"
_SHORTEST = 4  # a shorter secret would hide parts of ordinary words
_SECRETS: set[str] = set()
# A value may hold its own quotes and line breaks, so what is quoted reaches from the first quote to
# the last one, or to the end. An apostrophe within a word opens nothing.
_QUOTED = [
    re.compile(f"{opening}(?:.*{closing}|.*)", re.DOTALL)
    for opening, closing in (('"', '"'), (r"(?<!\w)'", "'"), ("«", "»"))
]
# What a server, libpq or SQLAlchemy adds to a message: rows, keys and the statement.
_ADDED = re.compile(r"\n\s*(?:DETAIL|HINT|CONTEXT|QUERY|WHERE|LINE \d+|\[SQL)\b.*", re.DOTALL)


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
    return without_values(said or str(error)) or type(error).__name__


def without_values(text: str) -> str:
    """The first line of a text, without what it quotes; empty if there is none."""
    text = _ADDED.sub("", text.strip())
    for quoted in _QUOTED:
        text = quoted.sub('"…"', text, count=1)
    return next(iter(text.splitlines()), "")
