"""The one place that takes secrets out of what is shown: errors, alerts, logs."""

import re
from urllib.parse import quote, quote_plus

HIDDEN = "***"
_SHORTEST = 4  # a shorter one would hide letters of every sentence
_SECRETS: set[str] = set()
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|«[^»]*»")


def remember(secret: str | None) -> None:
    """From now on this process shows this secret nowhere."""
    if secret and len(secret) >= _SHORTEST:
        _SECRETS.add(secret)


def masked(text: str) -> str:
    """The text without any secret that this process has read, quoted as in a URL or not."""
    for secret in sorted(_SECRETS, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
            text = text.replace(form, HIDDEN)
    return text


def first_line_without_values(error: BaseException, said: str | None = None) -> str:
    """The first line of what an error says, without what it quotes: that may be of a person."""
    lines = (said or str(error)).strip().splitlines()
    return _QUOTED.sub('"…"', lines[0]) if lines else type(error).__name__
