"""Health check of a container: `healthy.py URL` ends with 0 when the answer says healthy.

Airflow's API answers 200 whatever its state, so the text is read too. `healthy.py FILE` ends with 0
when the file was touched within the last five minutes, and not more than a minute ahead of now:
what `chotso watch` does after each look.
"""

import json
import os
import sys
import time
import urllib.request

LONGEST_S = 300
AHEAD_S = 60  # a file that is touched later than that says nothing: a clock was wrong


def main(place: str) -> int:
    """0 when the service at an URL, or the one that touches a file, is well."""
    return _answers(place) if "://" in place else _was_touched(place)


def _was_touched(path: str) -> int:
    try:
        age = time.time() - os.stat(path).st_mtime
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{path}: touched {age:.0f} s ago")
    return 0 if -AHEAD_S <= age < LONGEST_S else 1


def _answers(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            body = answer.read()
    except OSError as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1
    if url.endswith("/monitor/health"):
        state = json.loads(body)["metadatabase"]["status"]
        print(f"metadata database: {state}")
        return 0 if state == "healthy" else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
