"""The landing archive: write-once folders, one per batch, complete when they have a manifest.

    <landing>/<feed>/<business date>/<batch id>/data.parquet, scope.parquet, manifest.json
    <landing>/originals/<sha256>/<delivered name>
    <landing>/acts/<business date>/<act id>.json

Everything in the warehouse can be rebuilt from it. Originals contain clear contact data of
employers, so only the archive's owner may read their folder.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from chotso.errors import ChotsoError

MANIFEST = "manifest.json"
_SCRATCH = "chotso-landing-"
_SUMS = pa.decimal128(38, 0)


@dataclass(frozen=True)
class LandedFile:
    """One file of the archive: its path under the landing URL, its hash, rows and sums."""

    path: str
    sha256: str
    bytes: int
    rows: int
    sums: dict[str, int]


class Landing:
    """The archive at one fsspec URL."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)

    @contextmanager
    def parquet(
        self, path: str, schema: pa.Schema, money_columns: list[str]
    ) -> Iterator["ParquetDraft"]:
        """Write batches to a draft, and move it into the archive if the block ends well.

        Raises:
            ChotsoError: Draft or archive cannot be written, e.g. because a disk is full.
        """
        with self._written(path), tempfile.TemporaryDirectory(prefix=_SCRATCH) as scratch:
            draft = ParquetDraft(Path(scratch) / "draft.parquet", schema, money_columns)
            try:
                yield draft
            finally:
                draft.close()
            self._put(draft.path, path)
            draft.landed = LandedFile(
                path,
                _sha256(draft.path),
                draft.path.stat().st_size,
                draft.rows,
                {name: int(total) for name, total in draft.sums.items()},
            )

    def keep_original(self, name: str, content: Path, sha256: str) -> str:
        """Archive a delivered file by its hash, before it is parsed; returns its path.

        Raises:
            ChotsoError: The archive cannot be written.
        """
        path = f"originals/{sha256}/{name}"
        full = self._full(path)
        with self._written(path):
            # If the archive has no atomic writes, a killed run may have left a partial file.
            if not self._fs.exists(full) or self._fs.size(full) != content.stat().st_size:
                self._put(content, path)
                self.close_originals()
        return path

    def close_originals(self) -> None:
        """Let nobody else read the delivered files, where the archive is a folder."""
        if os.path.isdir(full := self._full("originals")):
            os.chmod(full, 0o700)

    def write_manifest(self, folder: str, manifest: dict[str, Any]) -> None:
        """Complete a batch's folder; a folder without a manifest never landed.

        Raises:
            ChotsoError: The archive cannot be written.
        """
        text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1, default=str)
        with self._written(folder), tempfile.TemporaryDirectory(prefix=_SCRATCH) as scratch:
            draft = Path(scratch) / MANIFEST
            draft.write_text(text + "\n", encoding="utf-8")
            self._put(draft, f"{folder}/{MANIFEST}")

    def keep_act(self, path: str, content: bytes) -> None:
        """Archive the file of an operator's act; an existing file is never changed.

        Raises:
            ChotsoError: The archive cannot be written, or has another file at this path.
        """
        full = self._full(path)
        with self._written(path):
            if self._fs.exists(full):
                if self._fs.cat_file(full) == content:
                    return
                raise ChotsoError(
                    f"Another file stands at {path} in the landing archive.",
                    kept="it; nothing was recorded.",
                    next_step="find out who put it there.",
                )
            with tempfile.TemporaryDirectory(prefix=_SCRATCH) as scratch:
                draft = Path(scratch) / "act.json"
                draft.write_bytes(content)
                self._put(draft, path)

    def manifests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Folder and manifest of every complete batch, in no order."""
        for path in self._files(depth=4):
            if path.count("/") == 3 and path.endswith(f"/{MANIFEST}"):
                yield path.rsplit("/", 1)[0], json.loads(self._fs.cat_file(self._full(path)))

    def newest_batches(self, feed: str) -> dict[str, str]:
        """When each complete batch of a feed's newest business date here was known, by its id."""
        top = self._full(feed)
        if not self._fs.exists(top):
            return {}
        dates = [str(each) for each in self._fs.ls(top, False)]
        found = self._fs.ls(max(dates), False) if dates else []
        manifests = {str(each).rsplit("/", 1)[-1]: f"{each}/{MANIFEST}" for each in found}
        return {
            batch_id: str(json.loads(self._fs.cat_file(path))["known_at"])
            for batch_id, path in manifests.items()
            if self._fs.exists(path)
        }

    def has(self, folder: str) -> bool:
        """Whether anything stands in a folder of the archive."""
        return bool(self._fs.exists(self._full(folder)))

    def files_in(self, folder: str) -> list[str]:
        """The files of a folder, relative to the archive's root."""
        names = (str(each).rsplit("/", 1)[-1] for each in self._fs.ls(self._full(folder), False))
        return sorted(f"{folder}/{name}" for name in names if not name.endswith(".part"))

    def act(self, act_id: str) -> bytes | None:
        """The file of an operator's act; None if the archive has none."""
        for path in self._files("acts/", depth=2):
            if path.rsplit("/", 1)[-1] == f"{act_id}.json":
                return bytes(self._fs.cat_file(self._full(path)))
        return None

    def fetch_original(self, path: str, target: Path) -> None:
        """Copy an archived delivery to this machine, and check its hash.

        Raises:
            ChotsoError: It is missing or is not what was delivered.
        """
        try:
            self._fs.get_file(self._full(path), str(target))
            found = _sha256(target)
        except FileNotFoundError:
            found = "missing"
        if found != path.split("/")[1]:
            raise ChotsoError(
                f"The archived delivery {path} is not what was delivered (sha256 {found[:12]}…).",
                kept="what was published before stands.",
                next_step="find out who changed the archive; have the file delivered again.",
            )

    @contextmanager
    def open_checked(self, landed: LandedFile) -> Iterator[pq.ParquetFile]:
        """Open a landed Parquet file after checking its hash.

        Raises:
            ChotsoError: The file is missing or is not what was landed.
        """
        full = self._full(landed.path)
        try:
            with self._fs.open(full, "rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
        except FileNotFoundError:
            digest = "missing"
        if digest != landed.sha256:
            raise ChotsoError(
                f"The landed file {landed.path} is not what was landed (sha256 {digest[:12]}…, "
                f"was {landed.sha256[:12]}…).",
                kept="nothing of it was published.",
                next_step="find out who changed the archive; run the feed's extract again.",
            )
        with self._fs.open(full, "rb") as handle:
            yield pq.ParquetFile(handle)

    def _files(self, below: str = "", *, depth: int) -> list[str]:
        """Paths of all files below the root. No glob is used: a root may contain `[` or `*`."""
        top = self._full(below)
        if not self._fs.exists(top):
            return []
        start = len(self._root.rstrip("/")) + 1
        return sorted(str(full)[start:] for full in self._fs.find(top, maxdepth=depth))

    def _full(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def _put(self, local: Path, path: str) -> None:
        full = self._full(path)
        self._fs.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        if isinstance(self._fs, LocalFileSystem):
            place_whole(local, Path(full))
        else:  # object stores show a file only when it is complete
            self._fs.put_file(str(local), full)

    @contextmanager
    def _written(self, path: str) -> Iterator[None]:
        """Turn an error of writing into a message: what could not be written, and what to do."""
        try:
            yield
        except OSError as error:
            raise ChotsoError(
                f"The landing archive could not be written: {error.strerror or error} "
                f"({self._full(path)}; drafts stand in {os.environ.get('TMPDIR', '/tmp')}).",
                kept="all that was published; nothing half-written counts.",
                next_step="make room on that disk or mend its rights, then run the same command "
                "again.",
            ) from error


class ParquetDraft:
    """A Parquet file that is being written; counts rows and sums money columns exactly.

    A thread encodes one batch while the caller reads the next. An error of it is raised by the next
    call.
    """

    def __init__(self, path: Path, schema: pa.Schema, money_columns: list[str]) -> None:
        self.path = path
        self.rows = 0
        whole = {n for n in schema.names if pa.types.is_integer(schema.field(n).type)}
        self.sums = {name: Decimal(0) for name in money_columns if name in whole}
        self.landed: LandedFile | None = None
        # Half the time and half the bytes of pyarrow's own choice.
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
            column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        )
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._encoded: Future[None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append one batch of the draft's schema."""
        self._wait()
        self.rows += batch.num_rows
        self._encoded = self._thread.submit(self._encode, batch)

    def close(self) -> None:
        """Finish the file; from then on the sums are complete."""
        with self._writer, self._thread:
            self._wait()

    def _wait(self) -> None:
        if self._encoded is not None:
            self._encoded.result()

    def _encode(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)
        for name in self.sums:
            total = pc.sum(batch.column(name).cast(_SUMS)).as_py()
            self.sums[name] += total or 0

    def result(self) -> LandedFile:
        """The landed file; only after the draft's block has ended."""
        assert self.landed is not None
        return self.landed


def place_whole(local: Path, target: Path) -> None:
    """Copy a file so that the target is complete and on disk, or does not exist."""
    part = target.with_name(f".{target.name}.part")
    try:
        with local.open("rb") as source, part.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
