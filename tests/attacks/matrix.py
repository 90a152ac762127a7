"""Every attacker tries every operation on every object of its kind: what came of it, as a table.

`python -m tests.attacks.matrix` writes matrix.csv anew. Read what changed before you commit it.
"""

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from chotso.warehouse import locks as locks
from tests.attacks import operations as operations
from tests.attacks.roles import ATTACKERS, Attacker, made, session
from tests.attacks.sealed_world import SealedWorld, sealed_world

PAGE = Path(__file__).with_name("matrix.csv")
FORGE = Path(__file__).with_name("attempt.sql")
NAMES = [attacker.name for attacker in ATTACKERS]
SCHEMAS = ("frozen", "rehearsal", "sealing", "ed25519", "guard", "marts", "marts_store", "public")
EVERYTHING = "the warehouse"
NOT_TRIED = "-"
_HEADS = ("kind", "operation", "objects")
_BETWEEN = "; "  # objects of a line; names of functions hold blanks and commas

# (kind, operation, object) → attacker → denied, sealed, fails, done or CHANGES
Cells = dict[tuple[str, str, str], dict[str, str]]


@dataclass(frozen=True)
class Objects:
    """What the warehouse has to attack."""

    tables: list[str]
    views: list[str]
    functions: dict[str, dict[str, str]]
    schemas: list[str]
    values: dict[str, str] = field(default_factory=dict)


def prepare(admin: psycopg.Connection) -> None:
    """The forge, in a session of the superuser's."""
    admin.execute(FORGE.read_bytes())
    admin.commit()


def objects_of(admin: psycopg.Connection) -> Objects:
    """Read from the catalogs, so that nothing new is left out."""
    relations = admin.execute(
        """
        select format('%I.%I', nspname, relname), relkind
        from pg_class inner join pg_namespace as schema on schema.oid = relnamespace
        where nspname in ('frozen', 'rehearsal') and relkind in ('r', 'p', 'v', 'm', 'f')
        order by 1
        """
    ).fetchall()
    functions = admin.execute(
        """
        select proc.oid::regprocedure::text,
            format('%s(%s)', proc.oid::regproc, (
                select string_agg('null::' || format_type(argument, null), ', ')
                from unnest(proargtypes) as argument
            )),
            pg_get_function_result(proc.oid)
        from pg_proc as proc inner join pg_namespace as schema on schema.oid = pronamespace
        where nspname in ('frozen', 'rehearsal', 'sealing', 'guard')
            or nspname = 'ops' or (nspname, proname) = ('ed25519', 'is_signed')
        order by 1
        """
    ).fetchall()
    return Objects(
        tables=[name for name, kind in relations if kind != "v"],
        views=[name for name, kind in relations if kind == "v"],
        functions={name: {"call": call, "returns": kind} for name, call, kind in functions},
        schemas=list(SCHEMAS),
        values={
            "database": admin.info.dbname,
            "admin": str(admin.info.backend_pid),
            "victim": "0",
        },
    )


def attacks(objects: Objects) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    """All that is tried inside a transaction: its line in the table and its statements."""
    kinds: list[tuple[str, dict[str, str], Iterable[str]]] = [
        ("table", operations.TABLES, objects.tables),
        ("view", operations.VIEWS, objects.views),
        ("schema", operations.SCHEMAS, objects.schemas),
        ("function", operations.FUNCTIONS, objects.functions),
        ("other", operations.OTHERS, [EVERYTHING]),
    ]
    for kind, templates, names in kinds:
        for operation, template in templates.items():
            for name in names:
                yield (kind, operation, name), _statements(template, name, objects)


def _statements(template: str, name: str, objects: Objects) -> list[str]:
    schema, _, plain = name.partition(".")
    values = {"o": name, "s": schema, "n": plain, **objects.values}
    values |= objects.functions.get(name, {})
    return [part.strip().format(**values) for part in template.split(";;")]


def only_tables(objects: Objects, tables: Iterable[str]) -> Objects:
    """The same with fewer tables to attack."""
    return replace(objects, tables=[name for name in objects.tables if name in tables])


def tried(world: SealedWorld, names: Iterable[str], objects: Objects) -> Cells:
    """What becomes of each attack by each of these attackers."""
    cells: Cells = defaultdict(dict)
    with psycopg.connect(world.settings.warehouse_url) as victim:
        objects.values["victim"] = str(victim.info.backend_pid)
        for attacker in ATTACKERS:
            if attacker.name not in names:
                continue
            with made(world.admin, attacker), session(world.admin_url, attacker) as conn:
                before = state(world.admin)
                for line, outcome in _outcomes(conn, attacker, objects, before):
                    cells[line][attacker.name] = outcome
                assert state(world.admin) == before, f"what {attacker.name} did was not undone"
    return cells


def state(admin: psycopg.Connection) -> str:
    row = admin.execute("select attack.state()").fetchone()
    admin.commit()
    assert row is not None
    return str(row[0])


def _outcomes(
    conn: psycopg.Connection, attacker: Attacker, objects: Objects, before: str
) -> Iterator[tuple[tuple[str, str, str], str]]:
    for line, statements in attacks(objects):
        row = conn.execute("select attack.attempt(%s, %s)", [statements, before]).fetchone()
        assert row is not None
        yield line, row[0]
    for operation, template in operations.COPIES.items():
        for name in objects.tables:
            statement = template.format(o=name)
            yield ("table", operation, name), _copied(conn, statement)
    for operation, template in operations.AT_ONCE.items():
        line = ("other", operation, EVERYTHING)
        statement = template.format(**objects.values)
        yield line, NOT_TRIED if attacker.is_super else _done_at_once(conn, statement)


def _copied(conn: psycopg.Connection, statement: str) -> str:
    try:
        with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            if statement.endswith("stdout"):
                while copy.read():
                    pass
    except psycopg.Error as error:
        return _refusal(error)
    return "done"


def _done_at_once(conn: psycopg.Connection, statement: str) -> str:
    try:
        conn.execute(statement.encode())
    except psycopg.Error as error:
        return _refusal(error)
    return "done"


def _refusal(error: psycopg.Error) -> str:
    if error.sqlstate != "42501":
        return "fails"
    return "sealed" if error.diag.constraint_name == "sealed" else "denied"


def folded(cells: Cells) -> list[list[str]]:
    """One row per operation and outcome, its objects together: what people read."""
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (kind, operation, name), outcomes in cells.items():
        together[kind, operation, *(outcomes[who] for who in NAMES)].append(name)
    return [
        [kind, operation, _BETWEEN.join(names), *outcomes]
        for (kind, operation, *outcomes), names in together.items()
    ]


def written(cells: Cells) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_HEADS, *NAMES])
    writer.writerows(folded(cells))
    return text.getvalue()


def committed() -> Cells:
    """The table as it stands in the repository, one cell per object."""
    cells: Cells = {}
    with PAGE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for name in row["objects"].split(_BETWEEN):
                line = (row["kind"], row["operation"], name)
                assert line not in cells, f"{line} stands twice"
                cells[line] = {who: row[who] for who in row if who not in _HEADS}
    return cells


if __name__ == "__main__":
    with sealed_world() as world:
        prepare(world.admin)
        found = tried(world, NAMES, objects_of(world.admin))
        PAGE.write_text(written(found), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {sum(map(len, found.values()))} cells\n")
