"""The extracts of a night, one per group of contracts: each with its DAG, its asset and its page.

They are made from the contracts, so a new feed or group needs no Python. What people should know of
a group is in `dags/groups/<group>.md`. The heading there, `# Name: title.`, names the DAG
(`extract_name`) and the asset (`name`). A group without such a file has a general page.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from chotso import PROJECT_ROOT
from chotso.contracts import Contract, FileSource, TableSource, groups
from chotso.errors import ChotsoError

PAGES = PROJECT_ROOT / "dags" / "groups"
REGISTERS = "registers"  # the other groups refer to its rows, and wait for it
_GENERAL = "_any.md"
_HEADING = re.compile(r"# ([A-Z][A-Za-z0-9_]*): (.+)\.\n")

_WAIT = (
    "**wait_for_registers**. Input: the ledger. Runs on any worker, asks every 2 s for up to 3 h. "
    "Output: the business date, and `published` or, where a register was stopped tonight, "
    "`stopped`: this extract then goes on with the registers in force."
)
_LAND = (
    "**land**. Input: {inputs}. Runs on a worker that reaches {reached}. Output: immutable landing "
    "files with their manifest, and a row per batch in `ops.batch`. A feed that could not be read "
    "has a row with the reason."
)
_PUBLISH = (
    "**publish**. Input: the landed batches of the date. Runs in the warehouse: load, rules, each "
    "row into force or into quarantine, one transaction. Output: {outputs}, `quarantine.row`, and "
    "the asset `{name}` for the date."
)
_COUNTED = (
    "Then every month's rows and đồng are compared with the source's own count (`doi_soat`); a "
    "month that differs is read whole at once and compared again. What still differs fails the "
    "task, and no build is shown. Runs on a worker that reaches `chotso_source`."
)
_STATED = (
    "Then every sheet's newest statement in the archive is compared with what the warehouse holds "
    "of it, in rows and đồng; one that differs is published once more. What still differs fails "
    "the task, and no build is shown."
)
_UNCOUNTED = (
    "A row that the source no longer shows stays in force, and fails this task until it is back or "
    "closed (`chotso missing`)."
)
_PARTITION = (
    "**Partition.** The business date, `YYYY-MM-DD`: the run of 01:00 local belongs to the day "
    "before. A run by hand takes its partition key, or else the business date of the form, or else "
    "the newest date that is due by the source's clock."
)


@dataclass(frozen=True)
class Extract:
    """One group's extract.

    Attributes:
        group: The contracts' group.
        name: Of the asset; the DAG is `extract_<name>`.
        title: What it brings, in a few words.
        page: The DAG's page: a numbered story, one step per task.
        feeds: The group's feeds, in order.
    """

    group: str
    name: str
    title: str
    page: str
    feeds: tuple[str, ...]

    @property
    def dag_id(self) -> str:
        """The DAG's id."""
        return f"extract_{self.name}"

    @property
    def waits_for_registers(self) -> bool:
        """Whether it begins only when the date's registers are through."""
        return self.group != REGISTERS


def extracts() -> tuple[Extract, ...]:
    """All extracts, in the order in which their groups are published.

    Raises:
        ChotsoError: A page has no heading of the form `# Name: title.`, or two have one name.
    """
    made = tuple(_extract(group, members, PAGES) for group, members in groups().items())
    names = [each.name for each in made]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ChotsoError(
            f"Two groups of feeds have the name {', '.join(twice)}.",
            next_step=f"give one of the pages in {PAGES} another heading.",
        )
    return made


def _extract(group: str, members: list[Contract], pages: Path) -> Extract:
    path = pages / f"{group}.md"
    text = path.read_text("utf-8") if path.exists() else _general(group, members, pages)
    heading = _HEADING.match(text)
    if heading is None:
        raise ChotsoError(
            f"The page of the group {group} does not begin with `# Name: title.`.",
            next_step=f"mend {path}.",
        )
    name, title = heading[1].lower(), heading[2]
    page = Template(text).safe_substitute(steps=_steps(group, name, members))
    return Extract(
        group, name, title[0].upper() + title[1:], page, tuple(each.feed for each in members)
    )


def _general(group: str, members: list[Contract], pages: Path) -> str:
    """The page of a group that nobody has written about yet."""
    titles = ", ".join(each.title.rpartition(" — ")[2] for each in members)
    text = (pages / _GENERAL).read_text("utf-8")
    return Template(text).safe_substitute(name=group.capitalize(), titles=titles, group=group)


def _steps(group: str, name: str, members: list[Contract]) -> str:
    steps = [_land_step(members), _publish_step(name, members)]
    if group != REGISTERS:
        steps.insert(0, _WAIT)
    numbered = (f"{number}. {step}" for number, step in enumerate(steps, start=1))
    return "\n".join(numbered) + f"\n\n{_PARTITION}"


def _land_step(members: list[Contract]) -> str:
    files = [each.source.named_like for each in members if isinstance(each.source, FileSource)]
    tables = [each.source for each in members if isinstance(each.source, TableSource)]
    inputs = [f"the files of the drop folder that were not taken yet (`{each}`)" for each in files]
    if tables:
        named = ", ".join(f"`{each.relation}`" for each in tables)
        changes = any(each.read == "changes" for each in tables)
        since = ", changes since the last published position" if changes else ", whole"
        inputs.insert(0, f"{named} of the collection system, in one consistent snapshot{since}")
    reached = "`chotso_source`" + (" (its clock) and `chotso_drop`" if files else "")
    columns = [column for each in members for column in each.columns.values()]
    if any(column.personal == "pseudonym" for column in columns):
        reached += " and holds the pseudonym key"
    return _LAND.format(inputs="; ".join(inputs), reached=reached)


def _publish_step(name: str, members: list[Contract]) -> str:
    outputs = ", ".join(f"`raw.{each.feed}`" for each in members)
    told = [_PUBLISH.format(outputs=outputs, name=name)]
    if any(each.control and isinstance(each.source, TableSource) for each in members):
        told.append(_COUNTED)
    if any(each.control and isinstance(each.source, FileSource) for each in members):
        told.append(_STATED)
    if not all(each.believes_absence for each in members):
        told.append(_UNCOUNTED)
    return " ".join(told)
