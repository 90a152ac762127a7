"""What a release is, in words: its period, kind, instants, hashes."""

from collections.abc import Iterator

from chotso.reports.data import Release
from chotso.reports.words import KINDS, day, in_fours, instant, shown


def told_facts(release: Release) -> Iterator[tuple[str, str]]:
    """The facts of the release in words, one per line."""
    facts = release.facts
    yield "Đợt thi đua", shown(facts.period_name, 300)
    yield "Loại", KINDS.get(facts.kind, facts.kind)
    yield "Mã bản chốt", shown(facts.release_id, 200)
    if facts.kind == "corrigendum":
        yield "Thay cho bản", shown(facts.corrects or "", 200)
        yield "Lý do đính chính", shown(facts.reason or "", 2000)
        yield "Người lập đính chính", shown(facts.author or "", 200)
    yield "Thời điểm chốt", instant(facts.cutoff_at)
    yield "Dữ liệu ghi nhận đến", instant(facts.as_known_at)
    yield "Ngày nghiệp vụ", day(facts.business_date)
    yield "Mã dữ liệu", in_fours(facts.data_root)
    if facts.code_version:
        yield "Phiên bản phần mềm", shown(facts.code_version, 100)
