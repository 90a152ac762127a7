"""Shows a sealed period's figures and places in the marts as they are in its current release.

A build computes and ranks every period again by what is known now. For a sealed period that is not
official. So the figures, places and points that readers see are replaced by those in the release's
files. The built tables do not change. A freeze does not read the marts: it seals a build of its
own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from chotso.calendar import LOCAL_ZONE_NAME
from chotso.label_register import Label
from chotso.registers import load_registers
from chotso.release.data.canonical import DataFile
from chotso.release.data.changes import Corrected, keyed_rows
from chotso.release.data.tables import ATTAINMENT, RANKING, RANKING_POINTS
from chotso.yaml_reader import read_yaml

STORE = "marts_store"
FIGURES = "rpt_period_attainment"
MARTS = {
    "rpt_emulation_ranking": RANKING,
    "rpt_emulation_points": RANKING_POINTS,
    FIGURES: ATTAINMENT,
}
MARK = ("is_sealed", "release_id")


@dataclass(frozen=True)
class _Release:
    period_id: str
    release_id: str
    root: str
    known_at: datetime  # local wall time
    labels: Mapping[str, Sequence[Label]]


def show_official(conn: psycopg.Connection) -> None:
    """Put what a period's release says into the marts now, because it was just sealed.

    Raises:
        psycopg.Error: The marts cannot be written; the next build that is shown will do it.
        ChotsoError: The warehouse's copy of a release is not what was sealed.
    """
    with conn.transaction():
        row = conn.execute("select generation from ops.exposed for update").fetchone()
        if row is not None:
            put_in_place(conn, int(row[0]))


def put_in_place(conn: psycopg.Connection, generation: int) -> None:
    """Replace the rows of sealed periods in the marts that readers see, in the transaction.

    `generation` is the build that is shown.

    Raises:
        ChotsoError: The warehouse's copy of a release is not what was sealed.
    """
    # A seal and an exposure lock the same row, so neither can miss the other's rows.
    conn.execute("select from ops.exposed for update")
    releases = conn.execute(
        "select period_id, release_id, root_sha256, as_known_at at time zone %s "
        "from frozen.release where is_current order by 1",
        [LOCAL_ZONE_NAME],
    ).fetchall()
    labels = load_registers().labels.labels if releases else {}
    for period_id, release_id, root, known_at in releases:
        release = _Release(period_id, release_id, root, known_at, labels)
        for mart, data_file in MARTS.items():
            columns = _columns(conn, mart)
            if {*MARK} <= {*columns}:  # an older store gets these columns by the next build
                _replace(conn, mart, data_file, columns, generation, release)


def _replace(
    conn: psycopg.Connection,
    mart: str,
    data_file: DataFile,
    columns: dict[str, str],
    generation: int,
    release: _Release,
) -> None:
    """Replace the rows of one mart by those of the file, with today's dimension keys."""
    source = Corrected(release.release_id, release.root, _reader(conn, release.release_id))
    names = _names(source, release.period_id)
    with source.open(data_file.path) as stream:
        rows = [row for _, row in keyed_rows(data_file, stream)]
    if not rows:
        return  # the release was sealed before there was a ranking
    if mart == FIGURES:
        measured = max(row["month"] or "" for row in rows)  # the month of the cutoff
        rows = [row for row in rows if row["month"] == measured]
    shared = [name for name in columns if name in rows[0]]
    _stage(conn, shared, rows)
    given = {
        **{name: sql.SQL("sealed.{}::{}").format(sql.Identifier(name), sql.SQL(columns[name]))
           for name in shared},
        **{name: sql.Literal(value) for name, value in names.items() if name in columns},
        "generation": sql.Literal(generation),
        "period_id": sql.Literal(release.period_id),
        "is_sealed": sql.Literal(True),
        "release_id": sql.Literal(release.release_id),
        **_said(mart, columns, release),
    }  # fmt: skip
    rest = {
        name: sql.SQL("running.{}").format(sql.Identifier(name))
        for name in columns
        if name not in given
    }
    if "agency_key" in rest:
        rest["agency_key"] = sql.SQL("coalesce(running.agency_key, {})").format(_AGENCY_KEY)
    store = sql.Identifier(STORE, mart)
    conn.execute(
        sql.SQL(
            "with running as (delete from {store} where period_id = {period} returning *) "
            "insert into {store} ({columns}) select {values} from pg_temp.sealed_places as sealed "
            "left join running on {same_key}"
        ).format(
            store=store,
            period=sql.Literal(release.period_id),
            columns=sql.SQL(", ").join(map(sql.Identifier, [*given, *rest])),
            values=sql.SQL(", ").join([*given.values(), *rest.values()]),
            same_key=sql.SQL(" and ").join(
                sql.SQL("running.{0} = sealed.{0}::{1}").format(
                    sql.Identifier(name), sql.SQL(columns[name])
                )
                for name in data_file.key
            ),
        )
    )
    conn.execute("drop table pg_temp.sealed_places")


_AGENCY_KEY = sql.SQL(
    "(select max(agency.agency_key) from marts_store.dim_agency as agency "
    "where agency.agency_code = sealed.agency_code)"
)


def _said(mart: str, columns: dict[str, str], release: _Release) -> dict[str, sql.Composable]:
    """Values for the columns with words and positions of a sealed row.

    Only for columns that the mart's store has; an older store lacks some.
    """
    if mart == FIGURES:
        said = _judged(release.labels)
    else:
        said = _texts(release.labels, "ranking_state", sql.Literal("official"))
        said["data_as_of"] = sql.Literal(release.known_at)
        if mart == "rpt_emulation_points":
            result = sql.SQL("sealed.result_code")
            said |= {
                **_texts(release.labels, "points_result", result, "result"),
                **_place(release.labels, "points_result", result),
            }
        else:
            said["ranking_order"] = _RANKING_ORDER
    return {name: value for name, value in said.items() if name in columns}


def _judged(labels: Mapping[str, Sequence[Label]]) -> dict[str, sql.Composable]:
    """The status of a sealed figure, and how much the figure of today differs from it."""
    code = sql.SQL(
        "case when sealed.plan_in_force is null then 'no_plan' "
        "when sealed.is_met::boolean then 'met' when not sealed.is_met::boolean then 'missed' end"
    )
    shown = sql.SQL("coalesce({}, 'unknown')").format(code)
    return {
        "status_code": code,
        **_texts(labels, "status", shown),
        **_place(labels, "status", shown),
        "change_since_sealed": sql.SQL(
            "running.running_actual_to_date - sealed.actual_to_date::numeric"
        ),
    }


_RANKING_ORDER = sql.SQL(
    "row_number() over (partition by sealed.participant_type, sealed.province_code order by "
    'sealed.rank_number::integer nulls last, sealed.participant_code collate "C")'
)


def _texts(
    registered: Mapping[str, Sequence[Label]], kind: str, code: sql.Composable, name: str = ""
) -> dict[str, sql.Composable]:
    labels = registered.get(kind, [])
    return {
        f"{name or kind}_vi": _case(code, [(label.code, label.vi) for label in labels], code),
        f"{name or kind}_en": _case(code, [(label.code, label.en) for label in labels], code),
    }


def _place(
    registered: Mapping[str, Sequence[Label]], kind: str, code: sql.Composable
) -> dict[str, sql.Composable]:
    labels = registered.get(kind, [])
    places: list[tuple[str, str | int]] = [
        (label.code, place) for place, label in enumerate(labels, 1)
    ]
    name = kind.removeprefix("points_")
    return {f"{name}_order": _case(code, places, sql.Literal(len(labels) + 1))}


def _case(
    code: sql.Composable, entries: Sequence[tuple[str, str | int]], otherwise: sql.Composable
) -> sql.Composable:
    if not entries:
        return otherwise
    whens = [
        sql.SQL("when {} then {}").format(sql.Literal(entry), sql.Literal(value))
        for entry, value in entries
    ]
    return sql.SQL("case {} {} else {} end").format(code, sql.SQL(" ").join(whens), otherwise)


def _stage(conn: psycopg.Connection, names: list[str], rows: list[dict[str, str | None]]) -> None:
    conn.execute(
        sql.SQL("create temporary table sealed_places ({}) on commit drop").format(
            sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
        )
    )
    with (
        conn.cursor() as cursor,
        cursor.copy("copy pg_temp.sealed_places from stdin") as copy,
    ):
        for row in rows:
            copy.write_row([row[name] for name in names])


def _names(source: Corrected, period_id: str) -> dict[str, str | None]:
    """The period's names from the release's own register."""
    with source.open("config/periods.yml") as stream:
        register = read_yaml(stream.read())
    periods = register.get("periods") or [] if isinstance(register, dict) else []
    found: dict[str, str] = next((each for each in periods if each.get("id") == period_id), {})
    return {f"period_{name}": found.get(name) for name in ("name_vi", "name_en")}


def _reader(conn: psycopg.Connection, release_id: str) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        row = conn.execute(
            "select content from frozen.bundle_file where release_id = %s and path = %s",
            [release_id, path],
        ).fetchone()
        return None if row is None else bytes(row[0])

    return read


def _columns(conn: psycopg.Connection, mart: str) -> dict[str, str]:
    """Columns of a mart's store and their types; none if nothing was exposed yet."""
    rows = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [f"{STORE}.{mart}"],
    ).fetchall()
    return {name: kind for name, kind in rows if name != "generation"}
