"""Health check of a container: `healthy.py URL` ends with 0 when the answer says healthy.

Airflow's API answers 200 whatever its state, so the text is read too.
"""

import json
import sys
import urllib.request


def main(url: str) -> int:
    """0 when the service at `url` answers and, where it says so, its database is healthy."""
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
