"""`make bench`: rules over loaded lines, by one plain statement, chotso, and others as documented.

A few lines are made to break each rule, and every way has to count them. chotso applies all rules
of the feed and marks the broken rows, plain SQL counts the same; others apply the six rules that
each of them can say.
"""

import argparse
import sys

import psycopg

from bench.lines import RELATION, SCHEMA
from bench.place import HOME, Place, place, say
from bench.source import make_source
from bench.ways import Measurement, Taken, Way, keep, measure, ratio, show

MOST_RATIO = 1.5
FLOOR = Way("plain SQL", "bench.rules_sql_all")
PRODUCT = Way("chotso", "bench.rules_product")
WAYS = [
    FLOOR,
    PRODUCT,
    Way("plain SQL, six rules", "bench.rules_sql"),
    Way("Great Expectations, six rules", "bench.peers.gx_suite", is_peer=True),
    Way("pandera on pandas, six rules", "bench.peers.pandera_frame", is_peer=True),
]
_UNBROKEN = ("key_unique", "document_known")  # the source has a key, and each line's document
# One document in some thousands; a rule of documents as wholes finds some of them as well.
_BROKEN = (
    "quy = 'QUY' where so_dong = 3 and so_chung_tu like '%0007'",
    "thang = thang + 1 where so_dong = 1 and so_chung_tu like '%0011'",
    "thang = date '1990-01-01' where so_dong = 1 and so_chung_tu like '%0013'",
    "tien_goc = 1000000000000001 where so_dong = 2 and so_chung_tu like '%0017'",
    "tien_lai = null where so_dong = 4 and so_chung_tu like '%0019'",
)


def main() -> int:
    """Measure, print, keep `build/bench/rules.json`; 1 when the limit is passed."""
    parser = argparse.ArgumentParser(prog="bench.rules", description=main.__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="turns: measurements of each way")
    options = parser.parse_args()
    with place() as here:
        say(f"making a source of {options.lines:,} allocation lines, some of which break a rule")
        make_source(here.server.source_admin_url, options.lines, 0)
        environment = here.environment | _load(here)
        turns: dict[Way, list[Measurement]] = {way: [] for way in WAYS}
        for turn in range(options.repeat):
            for way in WAYS if turn % 2 == 0 else reversed(WAYS):
                here.settle()
                turns[way].append(measure(way, environment))
                say(f"{way.name} {turns[way][-1].work_s:.1f} s")
    _compare_counts(turns)
    found = [Taken(way, options.lines, turns[way]) for way in WAYS]
    title = f"rules over {options.lines:,} lines"
    keep(HOME / "rules.json", {title: found})
    show(title, found, FLOOR, PRODUCT, whole_process=False)
    seconds = {taken.way: taken.seconds(whole_process=False) for taken in found}
    times = ratio(seconds[PRODUCT], seconds[FLOOR])
    if times > MOST_RATIO:
        print(f"rules: {times:.2f} × plain SQL, at most {MOST_RATIO} promised", file=sys.stderr)
    return int(times > MOST_RATIO)


def _load(here: Place) -> dict[str, str]:
    """Load the lines for ours and for the others; returns where pandera's are."""
    with psycopg.connect(here.server.source_admin_url) as source:
        for change in _BROKEN:
            source.execute(f"update {RELATION} set {change}".encode())
    everything = here.environment | {"BENCH_WHERE": ""}
    measure(Way("chotso", "bench.product"), everything)
    measure(Way("COPY piped", "bench.piped"), everything)
    with psycopg.connect(here.target_url, autocommit=True) as target:
        target.execute(f"alter table {SCHEMA}.piped rename to lines".encode())
        target.execute(f"vacuum (analyze) {SCHEMA}.lines".encode())
    _publish_documents(here)
    (landed,) = (HOME / "landing").glob("allocations/*/*/data.parquet")
    return {"BENCH_PARQUET": str(landed)}


def _publish_documents(here: Place) -> None:
    """Give both databases the documents that the lines belong to, which two rules ask for."""
    columns = "so_chung_tu, ma_don_vi, ma_co_quan, so_tien, trang_thai"
    with psycopg.connect(here.target_url) as target:
        made = f"create unlogged table {SCHEMA}.documents (so_chung_tu text, ma_don_vi text, "
        made += "ma_co_quan text, so_tien bigint, trang_thai text, batch_id text, known_from text)"
        target.execute(made.encode())
    for url, table in (
        (here.server.admin_url, "raw.payments"),
        (here.target_url, f"{SCHEMA}.documents"),
    ):
        read = f"copy (select {columns}, 'bench', now() from tst.chung_tu) to stdout"
        write = f"copy {table} ({columns}, batch_id, known_from) from stdin"
        with (
            psycopg.connect(here.server.source_admin_url) as source,
            psycopg.connect(url) as target,
            source.cursor().copy(read.encode()) as rows,
            target.cursor().copy(write.encode()) as loaded,
        ):
            for block in rows:
                loaded.write(block)
        with psycopg.connect(url, autocommit=True) as target:
            target.execute(f"vacuum (analyze) {table}".encode())


def _compare_counts(turns: dict[Way, list[Measurement]]) -> None:
    due = turns[FLOOR][0].result
    if not all(due[rule] for rule in due if rule not in _UNBROKEN):
        raise SystemExit(f"a rule that no line breaks proves nothing: {due}")
    for way, taken in turns.items():
        for each in taken:
            if each.result != {rule: due[rule] for rule in each.result}:
                raise SystemExit(f"{way.name} counts {each.result}, plain SQL {due}")


if __name__ == "__main__":
    sys.exit(main())
