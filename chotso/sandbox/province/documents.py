"""Versions of payment documents: entered, corrected, voided, refunded, partly allocated.

Most documents have one version and are made as arrays. The few with several versions are made one
by one. A version is visible from its commit instant on. Its `changed_at` (ngay_sua) is mostly the
same instant, but up to 55 minutes earlier if the transaction was committed late.
"""

from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.employers import OFFICE_COUNT, Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.payments import Payments
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.schedule import late_commits
from chotso.sandbox.province.timeline import DAY, LOCAL_OFFSET, Flags, Ints

# What can happen to a document, with its share; all others have only one version.
PLAIN, TWICE, MONTH, AMOUNT, MISSING, EXTRA, AGENCY, LATER, OPEN, REFUND = range(10)
_SHARES = (0.0, 0.006, 0.004, 0.003, 0.0025, 0.0025, 0.003, 0.005, 0.006, 0.003)
# Corrections come within this many days of the credit, as exports go back only two months.
_LAST_DAY_OF_CORRECTION = 35

AllocatedLine = tuple[int, int, int, int]  # fund, month, principal, interest


@dataclass(slots=True)
class Documents:
    """Documents, their versions and their lines' versions, all as arrays."""

    employer: Ints  # per document
    form: Ints
    entered_at: Ints  # ngay_nhap
    number: Ints  # serial number in the order of entry, from 1
    v_document: Ints  # per version
    v_at: Ints
    v_changed_at: Ints
    v_office: Ints
    v_credited_at: Ints
    v_amount_vnd: Ints
    v_void: Flags
    l_document: Ints  # per line version
    l_line: Ints
    l_at: Ints
    l_changed_at: Ints
    l_fund: Ints
    l_month: Ints
    l_principal_vnd: Ints
    l_interest_vnd: Ints
    l_deleted: Flags

    @property
    def count(self) -> int:
        """Number of documents."""
        return int(self.employer.size)


class _DocumentBook:
    """Collects documents with several versions."""

    def __init__(self, next_document: int) -> None:
        self.next_document = next_document
        self.documents: list[tuple[int, int, int]] = []
        self.versions: list[tuple[int, int, int, int, int, int, bool]] = []
        self.lines: list[tuple[int, int, int, int, int, int, int, int, bool]] = []

    def open(self, employer: int, form: int, entered: int) -> int:
        self.documents.append((employer, form, entered))
        self.next_document += 1
        return self.next_document - 1

    def version(
        self, document: int, at: int, office: int, credited: int, amount: int, void: bool = False
    ) -> None:
        self.versions.append((document, at, at, office, credited, amount, void))

    def write_lines(
        self,
        document: int,
        at: int,
        lines: dict[int, AllocatedLine],
        before: dict[int, AllocatedLine] | None = None,
    ) -> None:
        """Writes lines as of an instant; only lines that have changed are written."""
        before = before or {}
        for number in sorted(before.keys() - lines.keys()):
            self.lines.append((document, number, at, at, *before[number], True))
        for number, line in sorted(lines.items()):
            if before.get(number) != line:
                self.lines.append((document, number, at, at, *line, False))


def _total(lines: dict[int, AllocatedLine]) -> int:
    return sum(line[2] + line[3] for line in lines.values())


def _first_attempt(
    fate: int, lines: dict[int, AllocatedLine], rng: np.random.Generator
) -> tuple[dict[int, AllocatedLine], int]:
    """Lines and amount as entered, before the correction."""
    first = dict(lines)
    numbers = sorted(lines)
    fund, month, principal, interest = lines[numbers[0]]
    if fate == AMOUNT:
        wrong = principal + max(principal // int(rng.integers(8, 40)), 1_000)
        first[numbers[0]] = (fund, month, wrong, interest)
    elif fate == MISSING and len(numbers) > 1:
        del first[numbers[int(rng.integers(1, len(numbers)))]]
    elif fate == EXTRA:
        first[numbers[-1] + 1] = (fund, month, max(principal // 9, 1_000), 0)
    elif fate == LATER and len(numbers) > 1:
        del first[numbers[-1]]
        return first, _total(lines)
    return first, _total(first)


def _history(
    book: _DocumentBook, document: int, fate: int, base: tuple[int, int, int, int, int],
    lines: dict[int, AllocatedLine], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Writes one document with several versions.

    `base` is employer, form, office, credited, entered.
    """
    employer, form, office, credited, entered = base
    amount = _total(lines)
    day = int((entered + LOCAL_OFFSET) // DAY) + int(rng.integers(1, 26))
    fixed_at = day * DAY - LOCAL_OFFSET + int(rng.integers(28_800, 60_000))
    latest = credited + (_LAST_DAY_OF_CORRECTION - 6) * DAY
    fixed_at = max(min(fixed_at, latest), entered + 3_600)
    if fate == OPEN:
        extra = int(rng.integers(1, 400)) * 1_000
        book.version(document, entered, office, credited, amount + extra)
        book.write_lines(document, entered, lines)
    elif fate == REFUND:
        extra = max(abs(amount) // 50, 2_000)
        fund, month, principal, interest = lines[1]
        more = {**lines, 1: (fund, month, principal + extra, interest)}
        book.version(document, entered, office, credited, amount + extra)
        book.write_lines(document, entered, more)
        back = book.open(employer, 0, entered + 7_200)
        # Within the month of the payment, so that the month's sum does not change.
        book.version(back, entered + 7_200, office, credited + 60, -extra)
        book.write_lines(back, entered + 7_200, {1: (fund, month, -extra, 0)})
    elif fate == TWICE:
        book.version(document, entered, office, credited, amount)
        book.write_lines(document, entered, lines)
        again = book.open(employer, form, entered + 900)
        book.version(again, entered + 900, office, credited, amount)
        book.write_lines(again, entered + 900, lines)
        book.version(again, fixed_at, office, credited, amount, void=True)
    else:
        first, first_amount = _first_attempt(fate, lines, rng)
        first_office = (office + 4) % OFFICE_COUNT if fate == AGENCY else office
        shift = int(rng.integers(1, 6)) * DAY if fate == MONTH else 0
        book.version(document, entered, first_office, credited - shift, first_amount)
        book.write_lines(document, entered, first)
        book.version(document, fixed_at, office, credited, amount)
        book.write_lines(document, fixed_at, lines, before=first)


def _fates(payments: Payments, cutoff: int, rng: np.random.Generator) -> Ints:
    n = payments.count
    shares = np.array(_SHARES)
    shares[PLAIN] = 1 - shares.sum()
    fate = rng.choice(len(_SHARES), p=shares, size=n)
    lateness = payments.recorded_at - payments.credited_at
    fate[(lateness > 9 * DAY) | payments.is_large] = PLAIN
    # At least one of each around the cutoff, because these test a freeze.
    near = np.flatnonzero(
        (np.abs(payments.credited_at - cutoff) < 12 * DAY)
        & (lateness < 2 * DAY)
        & ~payments.is_large
    )
    fate[near[: len(_SHARES) - 1]] = np.arange(1, len(_SHARES))[: near.size]
    return fate.astype(np.int64)


def make_documents(parameters: Parameters, employers: Employers, payments: Payments) -> Documents:
    """Turns payments into documents with their versions."""
    rng = stream(parameters.seed, "documents")
    timeline = parameters.timeline
    fate = _fates(payments, timeline.cutoff, rng)
    moved = employers.moved_at[payments.employer] <= payments.credited_at
    office = np.where(
        moved, employers.moved_office[payments.employer], employers.office[payments.employer]
    )
    line_number = np.arange(payments.line_document.size)
    line_number = line_number - np.searchsorted(payments.line_document, payments.line_document) + 1
    amount = np.bincount(payments.line_document, minlength=payments.count).astype(np.int64) * 0
    np.add.at(amount, payments.line_document,
              payments.line_principal_vnd + payments.line_interest_vnd)  # fmt: skip
    book = _DocumentBook(payments.count)
    bounds = np.searchsorted(payments.line_document, np.arange(payments.count + 1))
    for document in np.flatnonzero(fate != PLAIN).tolist():
        start, end = int(bounds[document]), int(bounds[document + 1])
        lines = {
            index - start + 1: (
                int(payments.line_fund[index]),
                int(payments.line_month[index]),
                int(payments.line_principal_vnd[index]),
                int(payments.line_interest_vnd[index]),
            )
            for index in range(start, end)
        }
        base = (
            int(payments.employer[document]),
            int(payments.form[document]),
            int(office[document]),
            int(payments.credited_at[document]),
            int(payments.recorded_at[document]),
        )
        _history(book, document, int(fate[document]), base, lines, rng)
    documents = _joined(payments, fate, office, amount, line_number, book)
    _commit_some_late(parameters, documents)
    order = np.lexsort((np.arange(documents.count), documents.entered_at))
    documents.number[order] = np.arange(1, documents.count + 1)
    return documents


def _joined(
    payments: Payments,
    fate: Ints,
    office: Ints,
    amount: Ints,
    line_number: Ints,
    book: _DocumentBook,
) -> Documents:
    plain = np.flatnonzero(fate == PLAIN)
    lines = np.flatnonzero(fate[payments.line_document] == PLAIN)
    extra = np.array(book.documents, dtype=np.int64).reshape(-1, 3)
    versions = np.array(book.versions, dtype=np.int64).reshape(-1, 7)
    written = np.array(book.lines, dtype=np.int64).reshape(-1, 9)
    at = payments.recorded_at
    plain_lines = payments.line_document[lines]

    def joined(arrays: Ints, more: Ints) -> Ints:
        return np.concatenate([arrays, more])

    return Documents(
        employer=joined(payments.employer, extra[:, 0]),
        form=joined(payments.form, extra[:, 1]),
        entered_at=joined(at, extra[:, 2]),
        number=np.zeros(payments.count + len(extra), dtype=np.int64),
        v_document=joined(plain, versions[:, 0]),
        v_at=joined(at[plain], versions[:, 1]),
        v_changed_at=joined(at[plain], versions[:, 2]),
        v_office=joined(office[plain], versions[:, 3]),
        v_credited_at=joined(payments.credited_at[plain], versions[:, 4]),
        v_amount_vnd=joined(amount[plain], versions[:, 5]),
        v_void=joined(np.zeros(plain.size, np.int64), versions[:, 6]).astype(np.bool_),
        l_document=joined(plain_lines, written[:, 0]),
        l_line=joined(line_number[lines], written[:, 1]),
        l_at=joined(at[plain_lines], written[:, 2]),
        l_changed_at=joined(at[plain_lines], written[:, 3]),
        l_fund=joined(payments.line_fund[lines], written[:, 4]),
        l_month=joined(payments.line_month[lines], written[:, 5]),
        l_principal_vnd=joined(payments.line_principal_vnd[lines], written[:, 6]),
        l_interest_vnd=joined(payments.line_interest_vnd[lines], written[:, 7]),
        l_deleted=joined(np.zeros(lines.size, np.int64), written[:, 8]).astype(np.bool_),
    )


def _commit_some_late(parameters: Parameters, documents: Documents) -> None:
    """Moves `changed_at` of some transactions before their commit, and the entry accordingly."""
    changed = late_commits(parameters, "documents", documents.v_at, floor=documents.v_credited_at)
    documents.v_changed_at[:] = changed
    first = documents.v_at == documents.entered_at[documents.v_document]
    documents.entered_at[documents.v_document[first]] = changed[first]
    # Lines have the instant of the transaction that wrote them: same document, same commit.
    shift = 1 << 33
    version_key = documents.v_document * shift + documents.v_at
    order = np.argsort(version_key)
    line_key = documents.l_document * shift + documents.l_at
    place = order[np.searchsorted(version_key, line_key, sorter=order)]
    documents.l_changed_at[:] = changed[place]
