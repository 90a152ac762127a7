"""Makes a release again from the landing archive on an empty warehouse, and compares every byte.

The inputs in the manifest are published again in the order in which they became known, and recorded
acts are carried out at their instants. The same code builds at the same cutoff, and a bundle is
written. The source is not read. No pseudonym key is needed, because landed data are pseudonymised.
Rules that stop whole batches are not applied: the inputs were published once.
"""

import csv
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg

from chotso.contracts import contracts
from chotso.errors import ChotsoError
from chotso.ingest import prove
from chotso.landing import Landing
from chotso.progress import Progress, silent
from chotso.release import state
from chotso.release.bundle import inputs
from chotso.release.bundle.writer import Correction, Identity, write_bundle
from chotso.release.check.archive import KEPT, Inputs, acts_in_order, inputs_in_order
from chotso.release.check.republish import carry_out, republish_folder
from chotso.release.data.canonical import DataFile
from chotso.release.data.changes import Changes, Corrected, keyed_rows
from chotso.release.data.reading import FileRow, Frozen, reading
from chotso.release.data.tables import ATTAINMENT, CHECKS, LATE_CHANGES
from chotso.release.seal import checks
from chotso.release.seal.parts import Parts
from chotso.settings import Settings
from chotso.verifier import verify
from chotso.warehouse.connect import connect

_READ: dict[str, Callable[[str], object]] = {
    "text": str,
    "integer": Decimal,
    "ratio": Decimal,
    "figure": Decimal,
    "plan": Decimal,
    "fraction": Decimal,
    "date": date.fromisoformat,
    "instant": datetime.fromisoformat,
    "boolean": lambda field: field == "true",
}


@dataclass(frozen=True)
class Rebuilt:
    """A release that was made again: its root, its differences, and its folder.

    `folder` is None if there is no difference. `others` are folders of the archive from that time
    that are no inputs. `copied` are parts of the bundle that cannot be made from the archive.
    """

    root_sha256: str
    findings: list[verify.Finding]
    folder: Path | None
    others: list[str]
    copied: list[str]

    @property
    def notes(self) -> list[str]:
        """What was proven, what was copied, and which folders of the archive were not used."""
        same = [] if self.findings else ["made again from the archive: the same to the byte"]
        same += [f"not made again but taken from the bundle: {what}" for what in self.copied]
        if not self.others:
            return same
        shown = ", ".join(self.others[:5]) + (", …" if len(self.others) > 5 else "")
        return [*same, f"{len(self.others)} folders of the archive are no inputs of it: {shown}"]


def verify_deep(landing_url: str, bundle: Path, *, progress: Progress = silent) -> Rebuilt:
    """Make a release again on a temporary server.

    Args:
        landing_url: The landing archive that the release was made from.
        bundle: The release's folder, verified with its anchor before.
        progress: Told each step as a sentence.

    Raises:
        ChotsoError: This is other code or configuration, or the archive lacks an input.
    """
    place = Path(tempfile.mkdtemp(prefix="chotso-again-"))
    again = None
    try:
        with _empty_warehouse() as empty:
            again = rebuild(empty, bundle, landing_url, place / bundle.name, progress=progress)
        return again
    finally:
        if again is None or again.folder is None:
            shutil.rmtree(place, ignore_errors=True)


def rebuild(
    empty: Settings,
    bundle: Path,
    landing_url: str,
    folder: Path,
    *,
    parts: Parts | None = None,
    progress: Progress = silent,
) -> Rebuilt:
    """Make a release again in an empty warehouse, from its inputs alone.

    Args:
        empty: A migrated warehouse that holds nothing; its source is never asked.
        bundle: The release's folder.
        landing_url: The landing archive.
        folder: Where the bundle is made again; must not exist.
        parts: Replaces what a freeze calls, in tests.
        progress: Told each step as a sentence.

    Raises:
        ChotsoError: This is other code or configuration, or the archive lacks an input.
    """
    parts = parts or Parts()
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    _check_same_code(manifest, parts)
    corrected = _corrected(bundle, manifest)
    landing = Landing(landing_url)
    found, acts = inputs_in_order(landing, manifest), acts_in_order(landing, manifest)
    settings = empty.model_copy(update={"landing_url": landing_url})
    with connect(settings) as conn:
        _check_empty(conn)
        _republish_all(settings, conn, found, acts, progress)
        freeze = _extracted(conn, manifest)
        progress("build at the cutoff")
        assert freeze.as_known_at is not None
        parts.build(
            settings,
            as_known_at=freeze.as_known_at,
            event_cutoff=freeze.cutoff_at,
            schema=freeze.target_schema,
            config="current",
        )
        progress("write the bundle")
        root = _write(conn, freeze, manifest, parts, corrected, bundle, folder)
        state.drop_scratch(conn, freeze)
    findings = differences(bundle, folder)
    copied = [f"override of {code} ({CHECKS.path})" for code in _overridden(bundle)]
    copied += [LATE_CHANGES.path] if corrected else []
    return Rebuilt(root, findings, folder if findings else None, found.others, copied)


def _republish_all(
    settings: Settings,
    conn: psycopg.Connection,
    found: Inputs,
    acts: list[dict[str, Any]],
    progress: Progress,
) -> None:
    waiting = list(acts)
    for landed in found.folders:
        while waiting and datetime.fromisoformat(waiting[0]["known_at"]) < landed.known_at:
            carry_out(conn, waiting.pop(0))
        progress(f"publish {landed.folder}")
        republish_folder(settings, conn, landed)
    for act in waiting:
        carry_out(conn, act)
    for contract in contracts().values():
        if contract.control:
            prove.compare(settings, conn, contract)


@contextmanager
def _empty_warehouse() -> Iterator[Settings]:
    from chotso.migrate import migrate
    from chotso.sandbox import server

    place = Path(tempfile.mkdtemp(prefix="chotso-empty-"))
    place.chmod(0o755)  # the server may run as another user
    home = place / "home"
    try:
        running = server.start(home)
        settings = Settings(
            home=home,
            warehouse_url=running.warehouse_url,
            admin_url=running.admin_url,
            source_url=running.source_url,
            drop_url=str(home / "drop"),
            landing_url=str(home / "landing"),
            releases_dir=home / "releases",
            pseudonym_key_file=home / "pseudonym.key",
            embedded=True,
        )
        migrate(settings)
        yield settings
    finally:
        server.stop(home)
        shutil.rmtree(place, ignore_errors=True)


def _check_same_code(manifest: dict[str, Any], parts: Parts) -> None:
    here = parts.made_by().manifest_part()
    if other := [
        f"{name} ({_other(here[name], manifest[name])})"
        for name in sorted(here)
        if here[name] != manifest[name]
    ]:
        raise ChotsoError(
            f"{manifest['release_id']} was made by other {', '.join(other)} than is here.",
            kept=KEPT,
            next_step=f"install version {manifest['code']['version']} with the configuration of "
            "the bundle, then run it again.",
        )


def _other(here: Any, there: Any) -> str:
    """How code and configuration differ from the release's: paths of files, a hash or a version."""
    if not isinstance(here, list):
        return str(there.get("version", there) if isinstance(there, dict) else there)
    mine, its = ({each["path"]: each["sha256"] for each in files} for files in (here, there))
    return ", ".join(path for path in sorted({*mine, *its}) if mine.get(path) != its.get(path))


def _corrected(bundle: Path, manifest: dict[str, Any]) -> Corrected | None:
    """The release that a corrigendum corrects: its folder beside this one, verified."""
    if manifest["correction"] is None:
        return None
    beside, root = bundle.parent / manifest["corrects"], manifest["correction"]["corrected_root"]
    if verify.verify_bundle(beside, root).status != "verified":
        raise ChotsoError(
            f"{manifest['release_id']} says what changed since {manifest['corrects']}, which is "
            f"not to be had at {beside} with the root {root}.",
            kept=KEPT,
            next_step="restore the folder of the corrected release beside this one, then run it "
            "again.",
        )
    return Corrected(manifest["corrects"], root, lambda path: _bytes(beside / path))


def _check_empty(conn: psycopg.Connection) -> None:
    if conn.execute("select 1 from ops.batch limit 1").fetchone():
        raise ChotsoError(
            "The warehouse to rebuild in is not empty.", kept=KEPT, next_step="name a new one."
        )
    conn.commit()


def _extracted(conn: psycopg.Connection, manifest: dict[str, Any]) -> state.Freeze:
    """The freeze's row after its final extract; the preconditions read it."""
    begun = state.begin(
        conn,
        state.Freeze(
            release_id=manifest["release_id"],
            period_id=manifest["period_id"],
            is_rehearsal=manifest["kind"] == "rehearsal",
            state="started",
            cutoff_at=datetime.fromisoformat(manifest["cutoff_at"]),
            business_date=date.fromisoformat(manifest["business_date"]),
            as_known_at=None,
            target_schema="again_" + manifest["release_id"].replace("-", "_"),
            inputs_sha256=None,
            corrects=manifest["corrects"],
            correction_reason=(manifest["correction"] or {}).get("reason"),
            correction_author=(manifest["correction"] or {}).get("author"),
        ),
    )
    known_at = datetime.fromisoformat(manifest["as_known_at"])
    return state.advance(conn, begun, state="extracted", as_known_at=known_at)


def _write(
    conn: psycopg.Connection,
    freeze: state.Freeze,
    manifest: dict[str, Any],
    parts: Parts,
    corrected: Corrected | None,
    bundle: Path,
    folder: Path,
) -> str:
    assert freeze.as_known_at is not None
    with conn.transaction():
        landed = inputs.landed_inputs(conn, freeze.as_known_at)
        newest = inputs.newest_batches(conn, freeze.as_known_at)
        found = [each.row for each in checks.checks_of(conn, freeze)]
    identity = Identity(
        release_id=freeze.release_id,
        period_id=freeze.period_id,
        kind=manifest["kind"],
        cutoff_at=freeze.cutoff_at,
        as_known_at=freeze.as_known_at,
        business_date=freeze.business_date,
        corrects=freeze.corrects,
        previous_root=manifest["previous_root"],
        correction=Correction(**manifest["correction"]) if corrected else None,
    )
    source = Frozen(
        freeze.target_schema,
        freeze.period_id,
        freeze.cutoff_at,
        freeze.as_known_at,
        parts.period(freeze.period_id).withheld_employer_groups,
        _last_month(corrected) if corrected else None,
    )
    overridden = _overridden(bundle)
    with reading(conn, source) as tables:
        rows = [overridden.get(str(row["check_code"]), row) for row in found]
        whole: dict[str, Iterable[FileRow]] = {**tables, CHECKS.name: rows}
        if corrected:
            whole["changes"] = Changes(corrected, folder)
            whole[LATE_CHANGES.name] = _copied(bundle, LATE_CHANGES)
        return write_bundle(folder, identity, whole, parts.made_by(), landed, newest).root


def _overridden(bundle: Path) -> dict[str, FileRow]:
    """Checks that persons let pass, from the bundle: overrides are not in the archive."""
    return {str(row["check_code"]): row for row in _copied(bundle, CHECKS) if row["is_overridden"]}


def _copied(bundle: Path, data_file: DataFile) -> Iterator[FileRow]:
    """The rows of a bundle's data file, as values."""
    kinds = {column.name: _READ[column.kind] for column in data_file.columns}
    with (bundle / data_file.path).open(encoding="utf-8", newline="\n") as stream:
        for _, row in keyed_rows(data_file, stream):
            yield {n: None if text is None else kinds[n](text) for n, text in row.items()}


def _last_month(corrected: Corrected) -> date:
    with corrected.open(ATTAINMENT.path) as stream:
        return max(date.fromisoformat(row["month"]) for row in csv.DictReader(stream))


def differences(bundle: Path, folder: Path) -> list[verify.Finding]:
    """The files, manifest included, that are not the same in both folders, by their first row."""
    names = {
        path.relative_to(top).as_posix()
        for top in (bundle, folder)
        for path in top.rglob("*")
        if path.is_file() and not verify.stands_beside(path.relative_to(top).as_posix())
    }
    return [
        verify.Finding("made-again", name, f"another one when made again: {folder / name}", row)
        for name in sorted(names)
        for row in _first_difference(_bytes(bundle / name), _bytes(folder / name), name)
    ]


def _first_difference(sealed: bytes | None, again: bytes | None, name: str) -> list[int | None]:
    if sealed == again:
        return []
    if not name.startswith("data/") or sealed is None or again is None:
        return [None]
    lines = zip_longest(sealed.split(b"\n"), again.split(b"\n"))
    return [next(row for row, (one, other) in enumerate(lines, 1) if one != other)]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
