"""Deliveries in the drop folder, with the manifest files that may stand beside them."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import fsspec

from chotso.calendar import LOCAL_ZONE
from chotso.characters import is_known
from chotso.errors import ChotsoError

_COUNT = re.compile(r"[0-9]{1,12}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class RefusedDeliveryError(ChotsoError):
    """A delivered file is refused whole; it is kept, and tried again when its bytes change."""


@dataclass(frozen=True)
class Delivery:
    """One delivered file, fetched.

    `identity` covers the file and its manifest files: when any of them changes it is a new try.
    """

    name: str
    local: Path
    sha256: str
    identity: str
    claimed_sha256: str | None
    claimed_count: str | None
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def stated_at(self) -> datetime | None:
        """The local instant of the export that the name gives, aware."""
        text = self.parts.get("stated_at")
        if text is None:
            return None
        return _from_name(self, text, "%Y%m%dT%H%M%S").replace(tzinfo=LOCAL_ZONE)

    @property
    def month(self) -> date | None:
        """The month that the name gives, first day."""
        text = self.parts.get("month")
        return None if text is None else _from_name(self, text, "%Y%m").date()

    def check_bytes(self) -> None:
        """Compare the file with its `.sha256`.

        Raises:
            RefusedDeliveryError: They differ, or the manifest file is malformed.
        """
        if not is_known(self.name):
            raise refused(self.name, "its name holds a character that Unicode 14.0 does not know")
        if self.claimed_sha256 is None:
            return
        if not _SHA256.fullmatch(self.claimed_sha256):
            raise refused(self.name, f"{self.name}.sha256 does not hold 64 hex digits")
        if self.claimed_sha256.lower() != self.sha256:
            raise refused(
                self.name,
                f"its sha256 is {self.sha256[:12]}…, its manifest says "
                f"{self.claimed_sha256[:12].lower()}…: it is truncated or was changed",
            )

    def check_count(self, rows: int) -> None:
        """Compare the number of data rows with `.count`.

        Raises:
            RefusedDeliveryError: They differ, or there are no rows and no `.count` of 0.
        """
        claimed = self.claimed_count
        if claimed is not None and not _COUNT.fullmatch(claimed):
            raise refused(self.name, f"{self.name}.count does not hold a number")
        if claimed is not None and int(claimed) != rows:
            raise refused(self.name, f"it has {rows} data rows, its manifest says {int(claimed)}")
        if claimed is None and rows == 0:
            raise refused(self.name, "it has no data rows, and no .count of 0 says so")


class DropFolder:
    """A folder at a path or fsspec URL; only its top level is read."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)

    def names(self, pattern: re.Pattern[str]) -> list[str]:
        """Names of deliveries that match, by code point.

        Raises:
            ChotsoError: The folder cannot be listed.
        """
        try:
            entries = self._fs.ls(self._root, detail=True)
        except OSError as error:
            raise ChotsoError(
                f"The drop folder {self._root} cannot be listed: {error}.",
                kept="everything published before stands.",
                next_step="check CHOTSO_DROP_URL, then run the same command again.",
            ) from error
        files = [entry["name"] for entry in entries if entry["type"] != "directory"]
        found = {str(name).rstrip("/").rsplit("/", 1)[-1] for name in files}
        return sorted(name for name in found if pattern.fullmatch(name))

    def fetch(self, name: str, pattern: re.Pattern[str], scratch: Path) -> Delivery:
        """Copy a delivery next to us, so that what is checked is what is read.

        Raises:
            ChotsoError: It cannot be read: its rights, or it has just been taken away.
        """
        local = scratch / name
        try:
            self._fs.get_file(f"{self._root}/{name}", str(local))
        except OSError as error:
            raise ChotsoError(
                f"{name} in the drop folder {self._root} cannot be read: {error}.",
                kept="everything published before stands.",
                next_step="mend its rights, wait until it is whole, or make room in TMPDIR, then "
                "run the same command again.",
            ) from error
        with local.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        claims = [self._beside(name, suffix) for suffix in ("sha256", "count")]
        identity = hashlib.sha256(repr((sha256, *claims)).encode()).hexdigest()
        match = pattern.fullmatch(name)
        parts = {k: v for k, v in match.groupdict().items() if v} if match else {}
        return Delivery(name, local, sha256, identity, claims[0], claims[1], parts)

    def _beside(self, name: str, suffix: str) -> str | None:
        try:
            content: bytes = self._fs.cat_file(f"{self._root}/{name}.{suffix}")
        except FileNotFoundError:
            return None
        return content.decode("ascii", "replace").strip()


def refused(name: str, reason: str) -> RefusedDeliveryError:
    """The refusal of a delivered file, in the operator's words."""
    return RefusedDeliveryError(
        f"{name} is refused: {reason}.",
        kept="the file as it came, in the landing archive; what was published before stands.",
        next_step="have the sender deliver it again; it is read again when its bytes change.",
    )


def _from_name(delivery: Delivery, text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)
    except ValueError as error:
        raise refused(delivery.name, f"{text} in its name is no instant or month") from error
