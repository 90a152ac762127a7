"""`chotso backup`, `chotso wal` and `chotso restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chotso.calendar import local_instant
from chotso.cli.console import OUTPUT, Json, answer, as_instant, progress
from chotso.settings import load_places

if TYPE_CHECKING:
    from chotso.backup.restore import Restored

_MIB = 1 << 20


def backup(
    to: Annotated[Path, typer.Option(help="A folder for backups alone, on another disk.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many backups stay; by default all.")
    ] = None,
    json: Json = False,
) -> None:
    """Back up the server, the landing archive and the releases, but not the pseudonym key."""
    from chotso.backup.take import take

    with progress() as show:
        taken = take(load_places(), to, keep=keep, progress=show)

    def tell() -> None:
        _say(f"backup    {taken.backup}")
        _say(f"manifest  {taken.sha256}")
        _say(f"server    {taken.server_bytes / _MIB:,.0f} MiB, read again and compared")
        _say(f"files     {taken.files:,}, of which {taken.new_bytes / _MIB:,.1f} MiB are new")
        _say(
            "Not in it: the pseudonym key and other secrets. Keep them elsewhere (docs/backup.md)."
        )

    answer(taken, json, tell)


def wal(to: Annotated[Path, typer.Option(help="A folder for the WAL alone.")]) -> None:
    """Receive the server's WAL all the time, so that a backup can go on to any instant."""
    from chotso.backup.wal import receive

    receive(load_places(), to)


def restore(
    backup: Annotated[Path, typer.Argument(help="A backup's folder.")],
    database: Annotated[
        Path | None, typer.Option(help="The empty data directory of a server of your own.")
    ] = None,
    wal: Annotated[Path | None, typer.Option(help="Go on by the WAL in this folder.")] = None,
    until: Annotated[str | None, typer.Option(help="… until this instant, ISO-8601.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only read it and compare.")] = False,
    json: Json = False,
) -> None:
    """Put a backup back where nothing stands; every byte is compared first."""
    from chotso.backup import restore as room

    if until and not wal:
        raise typer.BadParameter("--until belongs to --wal")
    if check and (wal or database):
        raise typer.BadParameter("--check restores nothing")
    with progress() as show:
        if check:
            found = room.check(backup, progress=show)
            told = {"taken_at": found.taken_at, "files": len(found.landing) + len(found.releases)}
            answer(
                told, json, lambda: _say(f"{backup} is whole, of {local_instant(found.taken_at)}")
            )
            return
        replay = room.Replay(wal, as_instant(until) if until else None) if wal else None
        done = room.restore(load_places(), backup, database=database, replay=replay, progress=show)
    answer(done, json, lambda: _tell_restored(done))


def _tell_restored(done: "Restored") -> None:
    places = load_places()
    _say(f"restored  {done.backup}")
    _say(f"server    {done.database}{' (running)' if done.is_running else ''}")
    _say(f"files     {done.files:,} were missing and are back")
    if not places.pseudonym_key_file.exists():
        _say(f"Put the pseudonym key back: {places.pseudonym_key_file}, mode 600.")
    if not done.is_running:
        _say("Give the data directory to the server's user, and start the server.")
    _say("Then: chotso migrate; chotso status;")
    _say(f"      chotso verify {places.releases_dir} --database, with each release's anchor.")


def _say(text: str) -> None:
    OUTPUT.print(text, markup=False)
