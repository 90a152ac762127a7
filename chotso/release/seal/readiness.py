"""Checks every night what a freeze will need, so that nothing fails at the cutoff.

Nothing is changed. Each finding says what would fail and what to do about it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from chotso.build.scratch import MARKER
from chotso.calendar import local_instant
from chotso.errors import ChotsoError
from chotso.folder import local_folder, nearest
from chotso.registers import load_registers
from chotso.release.bundle import inputs, signers
from chotso.release.seal import registered
from chotso.settings import Settings
from chotso.warehouse import rights
from chotso.warehouse.connect import connect
from chotso.warehouse.refused import said

ENOUGH_BYTES = 200 * 1024 * 1024
_MIGRATE = "run `chotso migrate` with CHOTSO_ADMIN_URL, which puts roles and rights back"
_TOLD = 5


@dataclass(frozen=True)
class Obstacle:
    """Why a freeze would fail, and what to do. An intended change is told but fails no night."""

    what: str
    next_step: str
    fails_the_night: bool = True

    def __str__(self) -> str:
        return f"the freeze would fail: {self.what}. Next: {self.next_step}."


Look = Callable[[Settings, psycopg.Connection], Iterator[Obstacle]]


def obstacles(settings: Settings, conn: psycopg.Connection) -> list[Obstacle]:
    """Everything that would stop a freeze now, as if its cutoff had passed.

    Raises:
        psycopg.Error: The connection broke, or a lock was waited for in vain.
    """
    found: list[Obstacle] = []
    for look in LOOKS:
        try:
            with conn.transaction():
                found += look(settings, conn)
        except ChotsoError as error:
            found.append(Obstacle(error.what.rstrip("."), error.next_step.rstrip(".")))
        except psycopg.Error as error:
            if conn.broken or isinstance(error, psycopg.errors.LockNotAvailable):
                raise  # that says nothing of a freeze
            found.append(Obstacle(said(error), _MIGRATE))
    return found


def looked_for(settings: Settings) -> list[Obstacle]:
    """The obstacles at the end of a night; a warehouse that is away is one, too."""
    try:
        with connect(settings) as conn:
            return obstacles(settings, conn)
    except ChotsoError as error:
        return [Obstacle(error.what.rstrip("."), error.next_step.rstrip("."))]


def freeze_obstacles(settings: Settings) -> list[str]:
    """The obstacles as sentences."""
    return [str(each) for each in looked_for(settings)]


def _rights(_: Settings, conn: psycopg.Connection) -> Iterator[Obstacle]:
    """Tables, functions, roles, owners and rights that are not as migrated."""
    wrong = rights.wrong(conn) if rights.is_written_down(conn) else ["no rights are written down"]
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        yield Obstacle("; ".join(wrong[:_TOLD]) + more, _MIGRATE)
    row = conn.execute(
        "select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')"
    ).fetchone()
    if row == (False,):
        yield Obstacle("the login may make no temporary tables", _MIGRATE)


def _periods(_: Settings, conn: psycopg.Connection) -> Iterator[Obstacle]:
    """Faults of periods that are not sealed: in the register, their schema, or a begun freeze."""
    sealed = {name for (name,) in conn.execute("select distinct period_id from frozen.release")}
    for period in load_registers().periods:
        if period.id in sealed:
            continue
        schema = "freeze_" + period.id.replace("-", "_")
        row = conn.execute(
            "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
            [schema],
        ).fetchone()
        if row is not None and row[0] != MARKER:
            yield Obstacle(
                f"the schema {schema} is there and was not made by a build",
                "find out whose it is, and rename or drop it",
            )
        begun = conn.execute(
            "select cutoff_at from ops.freeze where release_id = %s and state <> 'started'",
            [period.id],
        ).fetchone()
        if begun is not None and begun[0] != period.cutoff_at:
            yield Obstacle(
                f"the cutoff of {period.id} was {local_instant(begun[0])} at its final extract and "
                f"is {local_instant(period.cutoff_at)} now",
                "restore the cutoff in config/periods.yml",
            )


def _registered(_: Settings, conn: psycopg.Connection) -> Iterator[Obstacle]:
    """Documents and queries that differ from what the last migration registered."""
    if other := registered.unregistered(conn):
        yield Obstacle(
            f"code or configuration changed since the last migration: {', '.join(other[:_TOLD])}",
            "run `chotso migrate` with CHOTSO_ADMIN_URL, or restore the file of config/",
            fails_the_night=False,
        )


def _configuration(_: Settings, __: psycopg.Connection) -> Iterator[Obstacle]:
    """Code, lock file, registers, rules and signers, as the manifest will hold them."""
    try:
        signers.signers_of(inputs.made_by().configuration)
    except OSError as error:
        yield Obstacle(f"{error.filename} cannot be read: {error.strerror}", "restore it")


def _key(settings: Settings, _: psycopg.Connection) -> Iterator[Obstacle]:
    """The pseudonym key; without it, the final extract can read no person."""
    if not settings.embedded or settings.pseudonym_key_file.exists():
        settings.pseudonym_key()
    yield from ()


def _papers(_: Settings, __: psycopg.Connection) -> Iterator[Obstacle]:
    """The fonts of report and signed page."""
    from chotso.reports.page import load_fonts

    try:
        load_fonts()
    except Exception as error:  # any error of reportlab about a font file
        yield Obstacle(f"the reports' fonts cannot be loaded: {error}", "install chotso anew")


def _places(settings: Settings, _: psycopg.Connection) -> Iterator[Obstacle]:
    """Folders that a freeze writes: whether each can be written and has room."""
    home = settings.home / "dbt"
    landing = local_folder(settings.landing_url)
    places = [("CHOTSO_RELEASES_DIR", settings.releases_dir), ("CHOTSO_HOME", home)]
    if landing is not None:
        places.append(("CHOTSO_LANDING_URL", landing))
    for name, folder in places:
        place = nearest(folder, os.path.lexists)  # a broken link is told, too
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
            free = shutil.disk_usage(place).free
        except OSError as error:
            yield Obstacle(
                f"{folder} cannot be written: {error.strerror}", f"mend {name} and its rights"
            )
            continue
        if free < ENOUGH_BYTES:
            yield Obstacle(f"{free // 1024**2} MB are left for {folder}", "make room")


LOOKS: tuple[Look, ...] = (
    _rights, _registered, _periods, _configuration, _key, _papers, _places
)  # fmt: skip
