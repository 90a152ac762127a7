"""Makes `verify.html` of its parts: `python -m chotso.verifier.page`.

The parts are joined as they are, the table of characters is that of SPEC.md §13, and the page's
policy names script and style by their hashes: the browser runs nothing else.
"""

import base64
import hashlib
import re
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "verify.html"
CORE = ("hashes.js", "ed25519.js", "json.js", "manifest.js", "release.js", "chain.js")
"""Checks a release; runs in the page's worker, and without a page in the tests."""
WORKER = ("csv.js", "table.js", "worker.js")
PAGE = (
    "words.js", "labels.js", "columns.js", "figures.js", "input.js", "grid.js", "verdict.js",
    "view.js", "page.js",
)  # fmt: skip


def assigned() -> str:
    """SPEC.md §13, as a script's constant."""
    spec = TARGET.with_name("SPEC.md").read_text("utf-8")
    section = spec.split("\n## 13. ")[1].split("\n## 14. ")[0]
    ranges = re.findall(r"^    (\S.*)$", section, re.MULTILINE)
    return "const ASSIGNED = `\n" + "\n".join(ranges) + "\n`;\n"


def page() -> str:
    """The whole of `verify.html`."""
    core = '"use strict";\n' + assigned() + _joined(CORE)
    parts = {
        "style": _joined(("style.css",)),
        "core": core,
        "worker": _joined(WORKER),
        "page": '"use strict";\n' + _joined(PAGE),
    }
    text = (HERE / "page.html").read_text("utf-8")
    for name, content in parts.items():
        assert "</script" not in content
        text = text.replace(f"{{{{{name}}}}}", f"\n{content}")
        text = text.replace(f"{{{{{name} hash}}}}", _hash(f"\n{content}"))
    return text


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((HERE / name).read_text("utf-8") for name in names)


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return "'sha256-" + base64.b64encode(digest).decode() + "'"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
