"""§4 and §9.1: what a manifest may say."""

import calendar
import re
from functools import cache
from typing import Any

from tests.verifiers.third.text import SPEC


def fits(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value, re.S) is not None


def is_hash(value: Any) -> bool:
    return fits("[0-9a-f]{64}", value)


def is_date(value: Any) -> bool:
    if not fits("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    year, month, day = (int(each) for each in value.split("-"))
    return year > 0 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def is_instant(value: Any) -> bool:
    form = "(.{10})T([0-9]{2}):([0-9]{2}):([0-9]{2})\\.[0-9]{6}Z"
    if not fits(form, value) or not is_date(value[:10]):
        return False
    return int(value[11:13]) < 24 and int(value[14:16]) < 60 and int(value[17:19]) < 60


def lower(text: str) -> str:
    return re.sub("[A-Z]", lambda found: chr(ord(found[0]) + 32), text)


def may_be_path(path: str) -> bool:
    parts = path.split("/")
    devices = "(con|prn|aux|nul|com[0-9]|lpt[0-9])(\\..*)?"
    return len(path) <= 200 and len(parts) <= 16 and all(
        fits("[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", each) and each[-1] != "."
        and not fits(devices, lower(each))
        for each in parts
    )  # fmt: skip


def identity_is_sound(manifest: dict[str, Any]) -> bool:
    release, period, kind = (manifest.get(key) for key in ("release_id", "period_id", "kind"))
    if not all(isinstance(each, str) for each in (release, period, kind)):
        return False
    number = "[1-9][0-9]*"
    forms = {"original": f"{period}", "corrigendum": f"{period}-c{number}",
             "rehearsal": f"rehearsal-{period}-{number}"}  # fmt: skip
    return (
        fits("[a-z0-9][a-z0-9-]*", period)
        and not fits("rehearsal(-.*)?|.*-c[0-9]+", period)
        and kind in forms
        and fits(forms[str(kind)], release)
        and len(str(release)) <= 100
        and (isinstance(manifest.get("corrects"), str) if kind == "corrigendum"
             else manifest.get("corrects") is None)
        and not (kind == "rehearsal" and manifest.get("previous_root") is not None)
    )  # fmt: skip


def instants_are_sound(manifest: dict[str, Any]) -> bool:
    cutoff, known = manifest.get("cutoff_at"), manifest.get("as_known_at")
    if not is_instant(cutoff) or not is_instant(known):
        return False
    if "business_date" in manifest and not is_date(manifest["business_date"]):
        return False
    return manifest.get("kind") == "rehearsal" or str(known) >= str(cutoff)


def are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def correction_is_sound(manifest: dict[str, Any]) -> bool:
    said, files = manifest.get("correction"), manifest.get("files")
    if manifest.get("kind") != "corrigendum":
        return said is None
    if not isinstance(said, dict) or set(said) != {"reason", "author", "corrected_root"}:
        return False
    texts = [said["reason"], said["author"]]
    if not all(isinstance(each, str) and each.replace(" ", "") for each in texts):
        return False
    if are_objects(files):
        listed = [each.get("path") for each in files or []]
        if "data/changes.csv" not in listed or "data/late_changes.csv" not in listed:
            return False
    return is_hash(said["corrected_root"])


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_entry(entry: dict[str, Any]) -> bool:
    if set(entry) != {"path", "bytes", "rows", "sha256", "merkle_root"}:
        return False
    if not isinstance(entry["path"], str) or not is_count(entry["bytes"]):
        return False
    is_csv = entry["path"].endswith(".csv")
    rows_fit = is_count(entry["rows"]) if is_csv else entry["rows"] is None
    return rows_fit and is_hash(entry["sha256"]) and is_hash(entry["merkle_root"])


def list_findings(files: Any) -> set[str]:
    if not are_objects(files):
        return {"file-list"}
    found = set() if all(is_entry(each) for each in files) else {"file-list"}
    paths = [each["path"] for each in files if isinstance(each.get("path"), str)]
    folders = set()
    for path in paths:
        first = lower(path).split("/")[0]
        beside = lower(path) in ("manifest.json", "signature.pdf") or first == "certifications"
        if beside or not may_be_path(path):
            found.add("path")
        if may_be_path(path):
            parts = path.split("/")
            folders |= {"/".join(parts[:end]) for end in range(1, len(parts))}
    if paths != sorted(paths) or len({lower(each) for each in paths}) != len(paths):
        found.add("file-list")
    if len({lower(each) for each in folders}) != len(folders):
        found.add("file-list")
    needed = {"SPEC.md", "verify.py", "data/attainment.csv", "data/arrears_ratio.csv"}
    return found if needed <= set(paths) else found | {"incomplete"}


def are_hashed(value: Any) -> bool:
    return are_objects(value) and all(
        isinstance(each.get("path"), str) and is_hash(each.get("sha256")) for each in value
    )


def fields_are_sound(manifest: dict[str, Any]) -> bool:
    if not is_hash(manifest.get("data_root")) or "previous_root" not in manifest:
        return False
    code = manifest.get("code", {"version": "", "sha256": "0" * 64})
    return (
        (manifest["previous_root"] is None or is_hash(manifest["previous_root"]))
        and isinstance(manifest.get("inputs", []), list)
        and isinstance(manifest.get("final_extract", []), list)
        and are_hashed(manifest.get("configuration", []))
        and are_hashed(manifest.get("rules", []))
        and isinstance(code, dict)
        and isinstance(code.get("version"), str)
        and is_hash(code.get("sha256"))
        and is_hash(manifest.get("lock_sha256", "0" * 64))
    )


PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493


@cache
def small_orders() -> set[str]:
    text = SPEC.read_text("utf-8").split("are, in hexadecimal:")[1].split("### 9.2")[0]
    return set(text.split())


def is_sound_point(key: bytes) -> bool:
    number = int.from_bytes(key, "little")
    y, sign = number % 2**255, number >> 255
    if y >= PRIME or key.hex() in small_orders():
        return False
    d = -121665 * pow(121666, -1, PRIME) % PRIME
    square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
    return pow(square, (PRIME - 1) // 2, PRIME) == 1 or (square == 0 and not sign)


def signers_are_sound(signers: Any) -> bool:
    if not are_objects(signers) or len(signers) > 256:
        return False
    for each in signers:
        if set(each) != {"id", "name", "public_key"} or not isinstance(each["name"], str):
            return False
        if not fits("[a-z0-9][a-z0-9-]{0,62}", each["id"]) or not is_hash(each["public_key"]):
            return False
        if not is_sound_point(bytes.fromhex(each["public_key"])):
            return False
    return all(len({each[key] for each in signers}) == len(signers) for key in ("id", "public_key"))
