"""Complete, consistent forgeries that somebody with only the loader's login may try to seal."""

import dataclasses
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from chotso.release.seal.parts import Parts, PeriodToFreeze
from chotso.settings import Settings
from chotso.verifier import verify
from tests.worlds import freeze_world as world

Files = list[tuple[str, bytes]]


def manifest_of(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dict(files)["manifest.json"])
    return found


def remade(files: Files, /, **changes: bytes | None) -> Files:
    """The bundle with other files (`data__x_csv` is data/x.csv) and a matching manifest."""
    content = dict(files)
    for name, new in changes.items():
        path = name.replace("__", "/").replace("_csv", ".csv").replace("_py", ".py")
        if new is None:
            content.pop(path)
        else:
            content[path] = new
        if path.startswith("data/") and new is not None:
            content[verify.row_index_path(path)] = b"".join(verify.row_index(io.BytesIO(new)))
    manifest = json.loads(content.pop("manifest.json"))
    entries = [verify.describe(path, io.BytesIO(content[path])) for path in sorted(content)]
    manifest |= {"files": entries, "data_root": verify.data_root(entries)}
    return [*content.items(), ("manifest.json", verify.canonical_json(manifest))]


def said(files: Files, /, **keys: Any) -> Files:
    """The bundle with other keys in its manifest; `absent` removes a key."""
    manifest = {**manifest_of(files), **keys}
    kept = {name: value for name, value in manifest.items() if value != "absent"}
    return as_bytes(files, lambda raw: verify.canonical_json(kept))


def as_bytes(files: Files, change: Callable[[bytes], bytes]) -> Files:
    return [(path, change(raw) if path == "manifest.json" else raw) for path, raw in files]


SIGNER = {"id": "a", "name": "A", "public_key": "d75a980182b10ab7d54bfed3c964073a"
          "0ee172f3daa62325af021a68f707511a"}  # fmt: skip

# All of them would be sealed if a seal only compared rows with files.
BUNDLES: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a blank after the manifest": (lambda f: as_bytes(f, lambda raw: raw + b" "), "canonical"),
    "blanks in the manifest": (
        lambda f: as_bytes(f, lambda raw: json.dumps(json.loads(raw), sort_keys=True).encode()),
        "canonical",
    ),
    "keys in another order": (
        lambda f: as_bytes(f, lambda raw: json.dumps(
            dict(reversed(json.loads(raw).items())), separators=(",", ":"), ensure_ascii=False
        ).encode() + b"\n"),
        "canonical",
    ),
    "a key twice": (
        lambda f: as_bytes(f, lambda raw: raw.replace(b'"code":', b'"code":1,"code":', 1)),
        "canonical",
    ),
    "a fraction": (
        lambda f: as_bytes(f, lambda raw: raw.replace(b'"format":', b'"fo":1.5,"format":')),
        "canonical",
    ),
    "a number too large": (
        lambda f: as_bytes(f, lambda raw: raw.replace(b'"format":', b'"fo":9007199254740992,'
                                                      b'"format":')),
        "canonical",
    ),
    "a text not in NFC": (
        lambda f: as_bytes(f, lambda raw: raw.replace(b'"format":', '"fo":"e\u0301","format":'
                                                      .encode())),
        "canonical",
    ),
    "nested too deep": (
        lambda f: as_bytes(f, lambda raw: raw.replace(
            b'"format":', b'"fo":' + b"[" * 64 + b"]" * 64 + b',"format":')),
        "canonical",
    ),
    "no JSON": (lambda f: as_bytes(f, lambda raw: raw[:-2]), "canonical"),
    "no UTF-8": (lambda f: as_bytes(f, lambda raw: raw.replace(b"chotso", b"chots\xff", 1)),
                 "canonical"),
    "another format": (lambda f: said(f, format="chotso-bundle/2"), "not that of"),
    "another business date": (lambda f: said(f, business_date="2021-12-30"), "not that of"),
    "another data root": (lambda f: said(f, data_root="0" * 64), "not those of its manifest"),
    "files in another order": (
        lambda f: said(f, files=manifest_of(f)["files"][::-1]), "not those of its manifest"),
    "another number of rows": (
        lambda f: said(f, files=[{**each, "rows": 7} if each["rows"] else each
                                 for each in manifest_of(f)["files"]]),
        "not those of its manifest",
    ),
    "another Merkle root": (
        lambda f: said(f, files=[{**each, "merkle_root": "0" * 64}
                                 for each in manifest_of(f)["files"]]),
        "not those of its manifest",
    ),
    "a key missing": (lambda f: said(f, lock_sha256="absent"), "lacks a key"),
    "invented inputs": (
        lambda f: said(f, inputs=manifest_of(f)["inputs"][1:]), "its inputs are not the batches"),
    "an invented final extract": (lambda f: said(f, final_extract=[]), "its final extract is not"),
    "other code": (lambda f: said(f, code={"version": "9", "sha256": "a" * 64}), "not those of"),
    "a signer without a key": (lambda f: said(f, signers=[{**SIGNER, "public_key": "0" * 64}]),
                               "no Ed25519 key"),
    "one signer twice": (lambda f: said(f, signers=[SIGNER, SIGNER]), "one id or key"),
    "another verifier": (lambda f: remade(f, verify_py=b"print('verified')\n"), "a document is"),
    "a file of one's own": (lambda f: remade(f, data__more_csv=b"a\n1\n"), "none of a release"),
    "a file not made": (lambda f: remade(f, **{"report.pdf": None}), "a file is missing"),
    "a row index of another file": (
        lambda f: remade(f, **{"rows/ranking.txt": b"0123456789abcdef\n"}), "a row index is not"),
    "another plan": (
        lambda f: remade(f, data__plans_csv=dict(f)["data/plans.csv"].replace(b"5000", b"1000")),
        "data/plans.csv is not made from",
    ),
    "a check that was met": (
        lambda f: remade(f, data__checks_csv=dict(f)["data/checks.csv"].replace(
            b"all feeds", b"any feeds")),
        "data/checks.csv is not made from",
    ),
    "fewer known issues": (
        lambda f: remade(f, data__known_issues_csv=dict(f)["data/known_issues.csv"].splitlines(
            keepends=True)[0]),
        "data/known_issues.csv is not made from",
    ),
}  # fmt: skip

# Changes that the loader may make to its own build, but that `raw` contradicts.
BUILDS: dict[str, tuple[str, str]] = {
    "collected": (
        "update fct_monthly_attainment set actual_to_date = actual_to_date + 1 "
        "where metric_code = 'collection_total' and agency_code = '07200' and month = '2021-12-01'",
        "collection_total of 07200, 2021-12",
    ),
    "collected in the month": (
        "update fct_monthly_attainment set actual_month = 8 "
        "where metric_code = 'collection_total' and month = '2021-06-01'",
        "collection_total of 072, 2021-06",
    ),
    "an agency": (
        "insert into fct_monthly_attainment select '07299', month, metric_code, actual_month, "
        "actual_to_date, numerator, denominator, plan_original, plan_in_force, attainment_ratio, "
        "is_met, quarantined_money, known_at, agency_key, plan_final, plan_status_code "
        "from fct_monthly_attainment where agency_code = '07200'",
        "07299 in 2021-01 is no agency in force",
    ),
    "an agency left out": (
        "delete from fct_monthly_attainment where agency_code = '07201' and month = '2021-12-01'",
        "07201 in 2021-12 is left out",
    ),
    "arrears": (
        "update fct_arrears_ratio set numerator = 84, ratio = 0.0084; "
        "update fct_monthly_attainment set numerator = 84, actual_month = 0.0084, "
        "actual_to_date = 0.0084, attainment_ratio = 0.933333333 where numerator = 85",
        "arrears total",
    ),
    "a receivable": (
        "update fct_arrears_ratio set denominator = 20000, ratio = 0.00425; "
        "update fct_monthly_attainment set denominator = 20000, actual_month = 0.00425, "
        "actual_to_date = 0.00425, attainment_ratio = 0.472222222 where numerator = 85",
        "arrears total",
    ),
    "an employer's arrears": (
        "update fct_employer_account set arrears_vnd = 0 where employer_code = 'TA0001A'; "
        "update fct_employer_debt set arrears_vnd = 0 where employer_code = 'TA0001A'",
        "the account of TA0001A in 2021-12: it is not the one that was published",
    ),
    "a surplus": (
        "update fct_employer_debt set surplus_vnd = 9 where employer_code = 'DL00001'",
        "the account of DL00001 in 2021-12: it is not the one",
    ),
    "months owed": (
        "update fct_employer_debt set months_owed_count = 0.5 where month = '2021-06-01'",
        "the account of DL00001 in 2021-06: it is not the one",
    ),
    "an employer of another agency": (
        "update fct_employer_debt set agency_code = '072', agency_key = '072|first' "
        "where employer_code = 'TA0201A'",
        "the account of TA0201A in 2021-12: it is not the one",
    ),
    "a debtor left out": (
        "delete from fct_employer_debt where employer_code = 'TA0001A' and month = '2021-12-01'",
        "the account of TA0001A in 2021-12: it is left out",
    ),
    "a month of debtors left out": (
        "delete from fct_employer_debt where month = '2021-06-01'",
        "the account of DL00001 in 2021-06: it is left out",
    ),
    "an employer that never was": (
        "insert into fct_employer_account select 'DL00009', month, group_code, arrears_vnd "
        "from fct_employer_account where employer_code = 'DL00001'; "
        "insert into fct_employer_debt select 'DL00009', month, agency_code, agency_key, "
        "employer_key, stated_at, arrears_vnd, interest_bearing_arrears_vnd, surplus_vnd, "
        "interest_closing_vnd, months_owed_count, debt_class_code, employer_status_code "
        "from fct_employer_debt where employer_code = 'DL00001'",
        "the account of DL00009 in 2021-12: it is of nothing that was published",
    ),
    "an arrears ratio": ("update fct_arrears_ratio set ratio = 0.0084", "arrears total"),
    "a plan": (
        "update fct_monthly_attainment set plan_in_force = 0.02, attainment_ratio = 0.425 "
        "where metric_code = 'arrears_ratio_total'",
        "the plan of arrears_ratio_total of 072, 2021-12",
    ),
    "a plan that never was": (
        "update fct_monthly_attainment set plan_in_force = 1, is_met = true, "
        "attainment_ratio = actual_to_date where metric_code = 'collection_total'",
        "the plan of collection_total",
    ),
    "the first plan of the year": (
        "update fct_monthly_attainment set plan_original = 0.01 "
        "where metric_code = 'arrears_ratio_total'",
        "the plan of arrears_ratio_total of 072, 2021-12: .* .first 0.010",
    ),
    "the last plan of the year": (
        "update fct_monthly_attainment set plan_final = null "
        "where metric_code = 'arrears_ratio_total'",
        "the plan of arrears_ratio_total of 072, 2021-12",
    ),
    "what became of a plan": (
        "update fct_monthly_attainment set plan_status_code = 'zero' "
        "where metric_code = 'collection_total'",
        "the plan of collection_total",
    ),
    "a verdict": (
        "update fct_monthly_attainment set is_met = false where is_met",
        "ratio or verdict",
    ),
    "an attainment": (
        "update fct_monthly_attainment set attainment_ratio = 0.9 where is_met",
        "ratio or verdict",
    ),
    "the kind of a metric": (
        "update dim_metric set kind_code = 'stock' where metric_code = 'collection_total'",
        "its kind, ratio",
    ),
    "the official ratio": (
        "update fct_arrears_ratio set is_official = not is_official, ratio = ratio; "
        "update fct_monthly_attainment set numerator = 1, actual_month = 0.0001, "
        "actual_to_date = 0.0001, attainment_ratio = 0.011111111 where numerator = 85",
        "ratio or verdict",
    ),
    "another ratio made the official one": (
        "update fct_arrears_ratio set is_official = variant_code = 'total_plan'; "
        "update fct_arrears_ratio set denominator = 1000000, ratio = 0.000085 where is_official; "
        "update fct_monthly_attainment set denominator = 1000000, actual_month = 0.000085, "
        "actual_to_date = 0.000085, attainment_ratio = 0.009444444 where numerator = 85",
        "ratio or verdict",
    ),
    "a target that an agency missed": (
        "delete from fct_monthly_attainment where agency_code = '07200' "
        "and month = '2021-12-01' and metric_code = 'arrears_ratio_total'",
        "07200 in 2021-12 is left out of arrears_ratio_total",
    ),
    "a target that every agency missed": (
        "delete from fct_monthly_attainment where metric_code = 'arrears_ratio_total'",
        "left out of arrears_ratio_total",
    ),
    "the last month": (
        "delete from fct_monthly_attainment where month = '2021-12-01'",
        "a month until the cutoff is left out",
    ),
}

# Relations that would run the loader's code when they are read.
RELATIONS = {
    "a view": "alter table dim_officer rename to kept; "
    "create view dim_officer as select * from kept",
    "a rule": "create rule r as on insert to dim_metric do instead nothing",
    "a policy": "alter table dim_metric enable row level security",
    "rows of a child": "create table child () inherits (fct_employer_debt)",
    "a type of one's own": "create domain money_of_mine as numeric; "
    "alter table fct_employer_debt alter column surplus_vnd type money_of_mine",
    "a generated column": "alter table rpt_emulation_ranking add column more text "
    "generated always as (explanation_vi || '!') stored",
    "nothing": "drop table fct_plan_target",
}


def built_then(statements: str) -> Parts:
    """The fake build, changed afterwards by the loader with its own rights."""

    def build(settings: Settings, **given: Any) -> object:
        made = world.build(settings, **given)
        with world.connect(settings) as conn:
            schema = sql.Identifier(given["schema"])
            conn.execute(sql.SQL("set local search_path = {}").format(schema))
            conn.execute(statements.encode())
            conn.commit()
        return made

    return dataclasses.replace(world.PARTS, build=build)


def ledger_says(statement: str) -> Parts:
    """The fake build, with a second row in the ledger."""

    def build(settings: Settings, **given: Any) -> object:
        made = world.build(settings, **given)
        with world.connect(settings) as conn:
            conn.execute(statement.encode(), [given["schema"]])
            conn.commit()
        return made

    return dataclasses.replace(world.PARTS, build=build)


def at_cutoff(cutoff: datetime) -> Parts:
    """A period of the register with another cutoff."""

    def build(settings: Settings, **given: Any) -> object:
        made = world.build(settings, **{**given, "event_cutoff": world.CUTOFF})
        with world.connect(settings) as conn:
            conn.execute("update ops.build set event_cutoff = %s", [cutoff])
            conn.commit()
        return made

    return dataclasses.replace(
        world.PARTS,
        build=build,
        period=lambda period_id: PeriodToFreeze(period_id, cutoff, ("DL",)),
    )


LEDGERS: dict[str, tuple[Parts, str]] = {
    "no build": (ledger_says("update ops.build set status = 'failed' where target_schema = %s"),
                 "has no build"),
    "a build of other knowledge": (
        ledger_says("update ops.build set as_known_at = as_known_at - interval '1 hour' "
                    "where target_schema = %s"),
        "has no build",
    ),
    "a build of another code": (
        ledger_says("update ops.build set code_version = 'x' where target_schema = %s"),
        "another code",
    ),
    "a build of another configuration": (
        ledger_says("update ops.build set config = jsonb_set(config, "
                    "'{measures,is_interest_collected,0,value}', 'true') where target_schema = %s"),
        "another configuration",
    ),
    "an invented period in the configuration": (
        ledger_says("update ops.build set config = jsonb_set(config, '{periods,periods,0,id}', "
                    "'\"sprint-2099-q1\"') where target_schema = %s"),
        "another configuration",
    ),
    "another cutoff": (at_cutoff(world.CUTOFF - timedelta(hours=1)), "not the registered one"),
}  # fmt: skip
