"""The commands of the pipeline, from migrate and extract to freeze, certify and verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from chotso import libraries, telemetry
from chotso.ambient import print_anything
from chotso.calendar import local_instant
from chotso.cli import incidents, missing, quarantine, sandbox
from chotso.cli.backup import backup, restore, wal
from chotso.cli.console import OUTPUT, Json, answer, as_date, as_instant, progress, refusals
from chotso.cli.dbt import AS_TYPED, dbt
from chotso.cli.explain import explain
from chotso.cli.late import late
from chotso.cli.refresh import refresh
from chotso.cli.retention import retention
from chotso.cli.status import status
from chotso.contracts import contracts
from chotso.errors import ChotsoError
from chotso.settings import load_settings

if TYPE_CHECKING:
    from chotso.release.seal.freeze import FreezeReport
    from chotso.verifier.verify import Result

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="chốt số: nightly extracts in, attainment against plan out, figures frozen at the cutoff.",
)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(missing.app, name="missing")
app.add_typer(incidents.app, name="incidents")
app.command()(incidents.watch)
app.command()(explain)
app.command()(late)
app.command()(refresh)
app.command()(backup)
app.command()(wal)
app.command()(restore)
app.command()(retention)
app.command()(status)
app.command(context_settings=AS_TYPED)(dbt)

BusinessDate = Annotated[str, typer.Option("--date", help="Business date, YYYY-MM-DD.")]


def main() -> None:
    """Run the command line; exit status 0 done, 1 refused or failed, 2 wrong usage."""
    print_anything()
    with refusals():
        app()


@app.command()
def migrate(json: Json = False) -> None:
    """Create or upgrade the warehouse's own schemas and roles."""
    from chotso.migrate import migrate as run

    report = run(load_settings())

    def tell() -> None:
        for warning in report.warnings:
            OUTPUT.print(f"Warning: {warning}", markup=False)
        if report.rights_put_back:
            OUTPUT.print(f"{report.rights_put_back} roles, owners and rights were put back.")
        done = len(report.applied) + len(report.tables) + len(report.agency_readers)
        OUTPUT.print(
            f"The warehouse is up to date: {done} scripts, feed tables and groups were new."
            if done
            else "The warehouse is up to date; nothing was new."
        )

    answer(report, json, tell)


@app.command()
def extract(
    feed: Annotated[str, typer.Argument(help="One of the nine feeds.")],
    date_: BusinessDate,
    full: Annotated[bool, typer.Option("--full", help="Read the open year whole.")] = False,
    json: Json = False,
) -> None:
    """Bring one feed through publish, with those that share its snapshot."""
    from chotso.ingest.night import extract_feed

    if feed not in contracts():
        raise typer.BadParameter(f"{feed!r} is no feed; name one of {', '.join(contracts())}")
    day = as_date(date_)
    with progress() as show:
        report = extract_feed(load_settings(), feed, day, full=full, progress=show)
    answer(report, json, lambda: _tell_batches(report.batches, report.notes))
    report.raise_if_stopped()


@app.command()
def nightly(date_: BusinessDate, json: Json = False) -> None:
    """Bring all feeds through publish, then build. What is stopped is named; the rest goes on."""
    from chotso.build.compare import build_for_readers
    from chotso.ingest.night import extract_all
    from chotso.warehouse.refused import refused

    day = as_date(date_)
    settings = load_settings()
    with telemetry.step("night", "night", business_date=day) as step, progress() as show:
        with libraries.imported_meanwhile(libraries.GREAT_EXPECTATIONS, *libraries.DBT):
            reports = extract_all(settings, day, progress=show)
        stopped = [text for report in reports for text in report.stopped]
        built: Any = None
        try:
            show("building")
            built = build_for_readers(settings, day)
        except ChotsoError as error:
            stopped.append(str(error))
        except psycopg.Error as error:
            stopped.append(str(refused(error)))
        if stopped:
            step.fail("stopped")
    from chotso.release.seal.readiness import looked_for  # and with it the reports' libraries

    obstacles = looked_for(settings)
    stopped += [str(each) for each in obstacles if each.fails_the_night]
    batches = [batch for report in reports for batch in report.batches]
    notes = list(dict.fromkeys(note for report in reports for note in report.notes))
    notes += [str(each) for each in obstacles if not each.fails_the_night]

    def tell() -> None:
        _tell_batches(batches, notes)
        if built is not None:
            _tell_build(built)

    notes_of_build = built.notes if built is not None else []
    told = {
        "batches": batches,
        "build": built,
        "stopped": stopped,
        "notes": [*notes, *notes_of_build],
    }
    answer(told, json, tell)
    if stopped:
        raise ChotsoError(
            "\n".join(stopped),
            kept="all that is not named here went on.",
            next_step=f"see to what is named above, then run `chotso nightly --date {day}` again.",
        )


@app.command()
def build(
    as_known_at: Annotated[str | None, typer.Option(help="Only what was known then.")] = None,
    cutoff: Annotated[str | None, typer.Option(help="Only what happened before then.")] = None,
    schema: Annotated[str | None, typer.Option(help="A scratch schema to build into.")] = None,
    config: Annotated[str, typer.Option(help="as-of (of that time) or current.")] = "as-of",
    whole: Annotated[bool, typer.Option("--whole", help="Count all persons anew.")] = False,
    compare: Annotated[bool, typer.Option("--compare", help="Then with a whole build.")] = False,
    json: Json = False,
) -> None:
    """Build the marts and show them to readers; a past or cut-off build needs --schema."""
    from chotso.build.compare import show_what_is_whole
    from chotso.build.dbt import run_build

    if compare and schema:
        raise typer.BadParameter("--compare is about what readers see: without --schema")
    if (as_known_at or cutoff) and not schema:
        raise typer.BadParameter("--as-known-at and --cutoff need --schema: readers see only now")
    if config not in ("as-of", "current"):
        raise typer.BadParameter("--config is as-of or current")
    known = as_instant(as_known_at) if as_known_at else None
    cut = as_instant(cutoff) if cutoff else None
    with progress() as show:
        show("building")
        report = run_build(
            load_settings(),
            as_known_at=known,
            event_cutoff=cut,
            schema=schema,
            config="current" if config == "current" else "as-of",
            is_whole=whole,
        )
        if compare:
            show("comparing")
            show_what_is_whole(load_settings(), report)
    answer(report, json, lambda: _tell_build(report))


@app.command()
def freeze(
    period: Annotated[str, typer.Argument(help="A period of config/periods.yml.")],
    rehearse: Annotated[bool, typer.Option(help="Do everything under a rehearsal's id.")] = False,
    override: Annotated[str | None, typer.Option(help="A check that is let pass.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is let pass; is printed.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Who lets it pass: twice.")] = None,
    json: Json = False,
) -> None:
    """Final extract, build at the cutoff, seal a release; of a sealed period: change nothing."""
    from chotso.release.seal.checks import override_of
    from chotso.release.seal.freeze import freeze as run

    if override is None and (reason or by):
        raise typer.BadParameter("--reason and --by belong to --override")
    passed = override_of(override, reason, by or []) if override else None
    with progress() as show:
        report = run(load_settings(), period, rehearse=rehearse, override=passed, progress=show)
    answer(report, json, lambda: _tell_release(report))


@app.command()
def corrigendum(
    period: Annotated[str, typer.Argument(help="A period whose original is sealed.")],
    reason: Annotated[str, typer.Option(help="Why it is corrected; stands in the release.")],
    by: Annotated[str, typer.Option(help="Who corrects it; stands in the release.")],
    override: Annotated[str | None, typer.Option(help="A check that is let pass.")] = None,
    override_reason: Annotated[str | None, typer.Option(help="Why it is let pass.")] = None,
    override_by: Annotated[list[str] | None, typer.Option(help="Who lets it: twice.")] = None,
    json: Json = False,
) -> None:
    """A new release at the same cutoff, by what is known by now; the sealed one stays."""
    from chotso.release.seal.checks import override_of
    from chotso.release.seal.corrigendum import corrigendum as run

    if override is None and (override_reason or override_by):
        raise typer.BadParameter("--override-reason and --override-by belong to --override")
    passed = override_of(override, override_reason, override_by or []) if override else None
    with progress() as show:
        report = run(
            load_settings(), period, reason=reason, author=by, override=passed, progress=show
        )
    answer(report, json, lambda: _tell_release(report))


@app.command()
def verify(
    bundle: Annotated[
        Path | None, typer.Argument(help="A release's folder, or the releases folder.")
    ] = None,
    anchor: Annotated[str | None, typer.Option(help="The root that was deposited.")] = None,
    database: Annotated[bool, typer.Option(help="Also compare what readers see.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also make the release again from the archive.")
    ] = False,
    landing: Annotated[
        str | None, typer.Option(help="For --deep: a copy of the landing archive.")
    ] = None,
    daily: Annotated[
        bool, typer.Option("--daily", help="All releases, as the DAG verify_releases.")
    ] = False,
    json: Json = False,
) -> None:
    """Check a bundle: without database, network or third-party code, unless asked for more."""
    from chotso.verifier.verify import told

    if daily:
        if bundle or anchor or database or deep or landing:
            raise typer.BadParameter("--daily stands alone: all releases, by CHOTSO_ANCHOR_FILE")
        _verify_daily(json)
        return
    if bundle is None:
        raise typer.BadParameter("name a release's folder or the releases folder, or --daily")
    if deep and not (bundle / "manifest.json").is_file():
        raise typer.BadParameter("--deep makes one release again: name its folder")
    if landing and not deep:
        raise typer.BadParameter("--landing belongs to --deep")
    result = _verified(bundle, None if anchor is None else _root(anchor), database)
    if deep and not result.findings:
        from chotso.release.check.deep import verify_deep

        with progress() as show:
            archive = landing or load_settings().landing_url
            again = verify_deep(archive, bundle, progress=show)
        result.findings.extend(again.findings)
        result.notes.extend(again.notes)

    def tell() -> None:
        for line in told(result):
            OUTPUT.print(line, markup=False)

    answer(result.as_json(), json, tell)
    if result.status != "verified":
        raise SystemExit(1)


@app.command()
def certify(
    release: Annotated[str, typer.Argument(help="Id of a sealed release.")],
    by: Annotated[str, typer.Option(help="Id or name of a signer of config/signers.yml.")],
    root: Annotated[str, typer.Option(help="The root that is signed, off the page.")],
    key: Annotated[Path, typer.Option(help="File of the signer's own Ed25519 private key.")],
    json: Json = False,
) -> None:
    """Sign a release's root with a person's own key; two persons make it certified."""
    from chotso.release.seal.certify import certify as run

    report = run(load_settings(), release, by=by, root=_root(root), key=key)

    def tell() -> None:
        OUTPUT.print(f"{report.signer_id} signed {report.root_sha256}", markup=False)
        OUTPUT.print(f"signed by {', '.join(report.certified_by)}: {report.status}", markup=False)

    answer(report, json, tell)


def _verified(bundle: Path, root: str | None, database: bool) -> "Result":
    from chotso.verifier.verify import verify as run

    if not database:
        return run(bundle, root)
    from chotso.release.check.database import verify_with_database

    return verify_with_database(load_settings(), bundle, root)


def _verify_daily(json: bool) -> None:
    """Compare and record as the DAG does; the watch and `chotso status` go by the record."""
    from chotso.release.check.daily import check_releases

    checked = check_releases(load_settings())
    told = f"verified: {', '.join(checked.releases)}" if checked.releases else "nothing is sealed"
    answer(checked, json, lambda: OUTPUT.print(told, markup=False))


def _root(text: str) -> str:
    from chotso.verifier.verify import read_anchor

    try:
        return read_anchor(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _tell_release(report: "FreezeReport") -> None:
    OUTPUT.print(f"release  {report.release_id}", markup=False)
    OUTPUT.print(f"root     {report.root_sha256}", markup=False)
    OUTPUT.print(f"bundle   {report.bundle}", markup=False)


def _tell_batches(batches: list[dict[str, Any]], notes: list[str]) -> None:
    for batch in batches:
        OUTPUT.print(
            f"{batch['batch_id']}: {batch['rows_delivered']:,} rows delivered, "
            f"{batch['rows_accepted']:,} accepted, {batch['rows_quarantined']:,} set aside, "
            f"{batch['rows_changed']:,} changed; {batch['money_delivered']:,} đồng",
            markup=False,
        )
    for note in notes:
        OUTPUT.print(f"note: {note}", markup=False)


def _tell_build(report: Any) -> None:
    shown = "shown to readers" if report.exposed else f"in schema {report.schema}"
    OUTPUT.print(
        f"build {report.build_id}: known at {local_instant(report.as_known_at)}, {shown}",
        markup=False,
    )
    for note in report.notes:
        OUTPUT.print(f"note: {note}", markup=False)
