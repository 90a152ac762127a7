"""The kinds of incidents: how bad each is, what it explains, and its names.

Each kind has a runbook, docs/runbooks/<kind>.md.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import psycopg  # DAG files read the kinds, and need no database for it

Severity = Literal["critical", "error", "warning"]
WORST_FIRST: tuple[Severity, ...] = ("critical", "error", "warning")
EVERYTHING = frozenset({"*"})


@dataclass(frozen=True)
class IncidentKind:
    """A kind of incident.

    Attributes:
        severity: `critical` (figures or a cutoff are at stake), `error` (a night is), `warning`.
        title: Its name in English.
        title_vi: Its name in Vietnamese.
        explains: Kinds that are only its consequences; they open no incident of their own.
        is_of_a_night: Whether it belongs to one night; otherwise it goes on over several.
    """

    severity: Severity
    title: str
    title_vi: str
    explains: frozenset[str] = frozenset()
    is_of_a_night: bool = True


def _standing(
    severity: Severity, title: str, title_vi: str, explains: frozenset[str] = frozenset()
) -> IncidentKind:
    return IncidentKind(severity, title, title_vi, explains, is_of_a_night=False)


_NIGHT = frozenset({"night_not_begun", "night_not_ended"})
KINDS: dict[str, IncidentKind] = {
    "warehouse_away": _standing(
        "critical", "The warehouse does not answer", "Kho không trả lời", EVERYTHING
    ),
    "disk_nearly_full": _standing("critical", "A disk is nearly full", "Ổ đĩa gần đầy"),
    "source_away": _standing(
        "error",
        "The source does not answer",
        "Hệ thống nguồn không trả lời",
        _NIGHT | {"landing_failed", "freeze_due", "task_failed"},
    ),
    "drop_folder_away": _standing(
        "error",
        "The drop folder cannot be read",
        "Không đọc được thư mục nhận tệp",
        frozenset({"landing_failed", "night_not_ended", "freeze_due", "task_failed"}),
    ),
    "airflow_away": _standing(
        "error",
        "Airflow does not work",
        "Airflow không hoạt động",
        _NIGHT | {"freeze_due", "task_failed"},
    ),
    "clock_differs": _standing("error", "Two clocks differ", "Đồng hồ lệch nhau", _NIGHT),
    "warehouse_restored": _standing(
        "critical",
        "The warehouse is older than its archive",
        "Kho cũ hơn kho lưu trữ",
        _NIGHT | {"landing_failed", "build_failed", "task_failed"},
    ),
    "night_not_begun": IncidentKind("error", "A night has not begun", "Phiên đêm chưa bắt đầu"),
    "night_not_ended": _standing("error", "A night has not ended", "Phiên đêm chưa kết thúc"),
    "landing_failed": _standing(
        "error",
        "A feed did not land",
        "Không lấy được dữ liệu nguồn",
        frozenset({"night_not_ended", "task_failed"}),
    ),
    "batch_blocked": _standing(
        "error",
        "A rule blocked a batch",
        "Quy tắc chặn cả lô",
        frozenset({"night_not_ended", "task_failed"}),
    ),
    "file_refused": _standing(
        "error", "A file was refused", "Tệp bị từ chối", frozenset({"task_failed"})
    ),
    "extract_hangs": IncidentKind(
        "error",
        "An extract hangs",
        "Việc lấy dữ liệu bị treo",
        frozenset({"night_not_ended", "landing_failed", "task_failed"}),
    ),
    "lock_waited_for": IncidentKind(
        "error",
        "A session waits for a lock",
        "Phiên làm việc chờ khoá",
        frozenset({"night_not_ended", "build_hangs", "extract_hangs", "task_failed"}),
    ),
    "build_failed": IncidentKind(
        "error",
        "A build failed",
        "Dựng số liệu thất bại",
        frozenset({"night_not_ended", "task_failed"}),
    ),
    "build_hangs": IncidentKind(
        "error",
        "A build hangs",
        "Dựng số liệu bị treo",
        frozenset({"night_not_ended", "build_failed", "task_failed"}),
    ),
    "control_totals_differ": _standing(
        "error",
        "Control totals differ",
        "Tổng đối soát lệch",
        frozenset({"build_failed", "night_not_ended", "task_failed"}),
    ),
    "register_rows_missing": _standing(
        "error",
        "Register rows are missing at the source",
        "Nguồn thiếu dòng danh mục",
        frozenset({"night_not_ended", "task_failed"}),
    ),
    "freeze_due": _standing(
        "critical", "A freeze is overdue", "Quá hạn chốt số", frozenset({"task_failed"})
    ),
    "freeze_would_fail": _standing("warning", "A freeze would fail", "Chốt số sẽ không thành công"),
    "quarantine_old": _standing("warning", "Rows are set aside for long", "Dòng cách ly quá lâu"),
    "quarantine_money": _standing(
        "error", "Too much money is set aside", "Số tiền cách ly vượt mức"
    ),
    "releases_unchecked": _standing(
        "warning",
        "Sealed releases are not vouched for",
        "Bản chốt chưa được đối chiếu",
        frozenset({"task_failed"}),
    ),
    "release_differs": _standing(
        "critical",
        "What is sealed is not what is shown",
        "Bản chốt khác số đang hiển thị",
        frozenset({"task_failed", "releases_unchecked"}),
    ),
    "route_failed": _standing("error", "A way to tell people fails", "Không gửi được thông báo"),
    "watch_silent": _standing("warning", "No watch looks any more", "Không còn giám sát"),
    "task_failed": IncidentKind("error", "A task failed in Airflow", "Tác vụ Airflow thất bại"),
}


def register(conn: "psycopg.Connection") -> None:
    """Write `ops.incident_kind`, the words of the view `ops.incidents`; as superuser."""
    from chotso.warehouse.registered import replace

    rows = sorted((code, kind.title_vi, kind.title) for code, kind in KINDS.items())
    replace(conn, "ops.incident_kind", list(rows))
