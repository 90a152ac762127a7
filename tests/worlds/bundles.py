"""Makes bundles for the verifier's tests from SPEC.md, without the code under test."""

import hashlib
import json
from pathlib import Path
from typing import Any

PERIOD = "sprint-2021-q4"
FILES = {
    "SPEC.md": b"# Spec\n",
    "verify.py": b"print('a verifier')\n",
    "config/periods.yml": "periods: []  # kỳ\n".encode(),
    "data/arrears_ratio.csv": b"agency_code,ratio\n072,0.008000000\n",
    "data/attainment.csv": (
        'agency_code,agency_name\n072,Tây Ninh\n07200,\\N\n07201,"Tân Biên, \n""mới"""\n'
    ).encode(),
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tree_hash(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, computed recursively."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def lines_of(content: bytes) -> list[bytes]:
    assert b"\r" not in content
    return content.splitlines(keepends=True)


def entry(path: str, content: bytes) -> dict[str, Any]:
    rows = {"data/attainment.csv": 3, "data/arrears_ratio.csv": 1}
    return {
        "path": path,
        "bytes": len(content),
        "rows": rows.get(path, 0) if path.endswith(".csv") else None,
        "sha256": sha256(content),
        "merkle_root": tree_hash(lines_of(content)).hex(),
    }


def data_root(entries: list[dict[str, Any]]) -> str:
    return tree_hash(
        [
            each["path"].encode() + b"\0" + bytes.fromhex(each["merkle_root"])
            for each in sorted(entries, key=lambda each: str(each["path"]))
            if each["path"].startswith("data/")
        ]
    ).hex()


def index_of(content: bytes) -> bytes:
    return b"".join(sha256(b"\0" + line)[:16].encode() + b"\n" for line in lines_of(content))


def all_files() -> dict[str, bytes]:
    indexes = {
        path.replace("data/", "rows/").replace(".csv", ".txt"): index_of(content)
        for path, content in FILES.items()
        if path.startswith("data/")
    }
    return dict(sorted({**FILES, **indexes}.items()))


def manifest_of(files: dict[str, bytes], **changes: Any) -> dict[str, Any]:
    entries = [entry(path, content) for path, content in files.items()]
    return {
        "format": "chotso-bundle/1",
        "release_id": PERIOD,
        "period_id": PERIOD,
        "kind": "original",
        "corrects": None,
        "previous_root": None,
        "cutoff_at": "2021-12-31T10:00:00.000000Z",
        "as_known_at": "2021-12-31T10:00:03.000000Z",
        "files": entries,
        "data_root": data_root(entries),
        "inputs": [],
    } | changes


def canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def write(folder: Path, files: dict[str, bytes], manifest: dict[str, Any] | bytes) -> str:
    """Write files and manifest; returns the root."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    raw = manifest if isinstance(manifest, bytes) else canonical(manifest)
    (folder / "manifest.json").write_bytes(raw)
    return sha256(raw)


def correction(corrected_root: str = "ab" * 32, **changes: Any) -> dict[str, Any]:
    return {"reason": "ghi muộn", "author": "Kế toán", "corrected_root": corrected_root} | changes


def make(folder: Path, **changes: Any) -> str:
    """Make a correct bundle, with changes to its manifest if given; returns the root."""
    files = all_files()
    if changes.get("kind") == "corrigendum":
        correcting = {
            "data/changes.csv": b"table_name,row_key\n", "data/late_changes.csv": b"feed\n"
        }  # fmt: skip
        files = dict(sorted({**files, **correcting}.items()))
        changes = {"correction": correction()} | changes
    return write(folder, files, manifest_of(files, **changes))
