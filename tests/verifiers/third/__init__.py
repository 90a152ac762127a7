"""A third reader, written from SPEC.md alone: plain, slow, and without a line of the other two.

It is here to show that SPEC.md suffices: where it would have to guess, the specification is mended.
It takes files whole, and is no verifier to use.
"""

import os
from pathlib import Path
from typing import Any

from tests.verifiers.third.release import Found, Release, is_folder, is_utf8, shown


def check_chain(folder: bytes, anchor: str | None) -> tuple[Found, Release | None]:
    names = os.listdir(folder)
    if len(names) > 10_000:
        return {("bounds", "", 0)}, None
    found: Found = set()
    releases: dict[str, Release] = {}
    for name in sorted(names):
        if name.startswith(b".") or name == b"rehearsal":
            continue
        if not is_utf8(name):
            found.add(("not-a-folder", shown(name) + "/", 0))
            continue
        one = Release(folder + b"/" + name)
        found |= {(code, f"{shown(name)}/{path}", row) for code, path, row in one.found}
        if one.manifest is not None and one.root is not None:
            releases[one.root] = one
            if one.manifest["release_id"] != shown(name):
                found.add(("folder-name", shown(name), 0))
    said = {root: one.manifest or {} for root, one in releases.items()}
    found |= links(said)
    newest = along(said, found)
    if newest and anchor and newest != anchor:
        found.add(("anchor", "", 0))
    return found, releases[newest] if newest else None


def links(said: dict[str, dict[str, Any]]) -> Found:
    found: Found = {
        ("chain-rehearsal", each["release_id"], 0)
        for each in said.values() if each["kind"] == "rehearsal"
    }  # fmt: skip
    before = {each["previous_root"] for each in said.values()}
    if None not in before:
        found.add(("chain-start", "", 0))
    for root in before:
        ids = sorted(e["release_id"] for e in said.values() if e["previous_root"] == root)
        if len(ids) > 1:
            found.add(("chain-fork", ", ".join(ids), 0))
        if root is not None and root not in said:
            found.add(("chain-gap", ", ".join(ids), 0))
    return found


def along(said: dict[str, dict[str, Any]], found: Found) -> str | None:
    last: str | None = None
    periods: dict[str, list[str]] = {}
    while True:
        following = [root for root, each in said.items() if each["previous_root"] == last]
        if len(following) != 1:
            return last
        last = following[0]
        each = said[last]
        earlier = periods.setdefault(each["period_id"], [])
        wanted: tuple[Any, ...] = (each["period_id"], None, None)
        if earlier:
            number = f"{each['period_id']}-c{len(earlier)}"
            wanted = (number, said[earlier[-1]]["release_id"], earlier[-1])
        root = (each.get("correction") or {}).get("corrected_root")
        is_due = (each["release_id"], each.get("corrects"), root) == wanted
        if not is_due and each["kind"] != "rehearsal":
            found.add(("chain-order", each["release_id"], 0))
        earlier.append(last)


def ask(path: str | Path, anchor: str | None = None) -> dict[str, Any]:
    """What §10 says that verifiers agree on."""
    given = os.fsencode(path)
    while given != b"/" and (given.endswith((b"/", b"/."))):
        given = (given[:-1] if given.endswith(b"/") else given[:-2]) or b"/"
    own = [os.path.lexists(given + b"/" + name) for name in (b"manifest.json", b"SPEC.md")]
    release: Release | None
    if is_folder(given) and not any(own):
        found, release = check_chain(given, anchor)
    else:
        release = Release(given)
        found = release.found
        if anchor and release.root and release.root != anchor:
            found.add(("anchor", "manifest.json", 0))
    known = release.manifest if release and release.manifest else {}
    status = "failed" if found else "verified" if anchor else "unanchored"
    certified_by = release.certified_by if release else []
    return {
        "status": status,
        "release_id": known.get("release_id"),
        "root": release.root if release else None,
        "data_root": known.get("data_root"),
        "certified_by": certified_by,
        "is_certified": status == "verified" and len(certified_by) >= 2,
        "findings": sorted(found),
    }
