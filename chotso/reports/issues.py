"""Known issues, grouped: what is said of many agencies and metrics alike is said once.

A sentence of the release reads `agency: what is known` or `agency, metric: what is known`. Those
with one code that say the same are one group; a sentence of another form stands alone, whole.
"""

from dataclasses import dataclass, field

from chotso.reports.data import FigureRow
from chotso.reports.overview import Overview


@dataclass
class IssueGroup:
    """One thing that is known: of which agencies, and in which metrics, if it names some."""

    code: str
    said: str
    agencies: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    def where(self, count_of_all: int) -> str:
        """The agencies and metrics in words.

        Args:
            count_of_all: How many agencies the release has.
        """
        if not self.agencies:
            return ""
        count = len(self.agencies)
        told = f"Cả {count} cơ quan" if count == count_of_all > 1 else ", ".join(self.agencies)
        return f"{told}: {', '.join(self.metrics)}" if self.metrics else told


def grouped(view: Overview) -> list[IssueGroup]:
    """The groups in the order of their first issues in the file."""
    by_saying: dict[tuple[str, str, str], dict[str, list[tuple[str, str]]]] = {}
    for row in view.release.rows("known_issues"):
        code = str(row.get("issue_code") or "")
        agency, metric, said = _parts(view, row)
        subject = str(row.get("subject_code") or "")
        # what has no agency of its own is a group of its own
        key = (code, said, "" if agency else subject)
        by_saying.setdefault(key, {}).setdefault(metric, []).append((agency, subject))
    return [
        group for (code, said, _), metrics in by_saying.items()
        for group in _groups(code, said, metrics)
    ]  # fmt: skip


def _groups(code: str, said: str, metrics: dict[str, list[tuple[str, str]]]) -> list[IssueGroup]:
    """One group for each set of agencies: metrics that name the same ones are told together."""
    found: dict[tuple[str, ...], IssueGroup] = {}
    for metric, named in metrics.items():
        agencies = tuple(agency for agency, _ in named if agency)
        group = found.setdefault(agencies, IssueGroup(code, said, list(agencies)))
        group.metrics += [metric] if metric else []
        group.subjects += [subject for _, subject in named]
    return list(found.values())


def _parts(view: Overview, row: FigureRow) -> tuple[str, str, str]:
    """Agency (short), metric, and what is said of both; another sentence is left whole."""
    sentence = str(row.get("sentence_vi") or "")
    code = str(row.get("subject_code") or "").split("/", 1)[0]
    agency = view.agencies.get(code)
    if agency is None or not agency.name or not sentence.startswith(agency.name):
        return "", "", sentence
    rest = sentence[len(agency.name) :]
    if rest.startswith(": "):
        return agency.short, "", _upper(rest[2:])
    metric, colon, said = rest.removeprefix(", ").partition(": ")
    if rest.startswith(", ") and colon:
        return agency.short, _upper(metric), _upper(said)
    return "", "", sentence


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
