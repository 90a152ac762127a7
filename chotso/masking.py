"""The one place that takes secrets out of what is shown: errors, alerts, logs."""

from urllib.parse import quote, quote_plus

HIDDEN = "***"
_SHORTEST = 4  # a shorter one would hide letters of every sentence
_SECRETS: set[str] = set()


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
