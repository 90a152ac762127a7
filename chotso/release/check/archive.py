"""Finds a release's inputs in the landing archive: folders of batches, and recorded acts."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from chotso.contracts import contract_of, contracts, groups
from chotso.errors import ChotsoError
from chotso.landed import BatchManifest, ReadFacts
from chotso.landing import MANIFEST, Landing
from chotso.release.data.canonical import render

KEPT = "the bundle and the archive, untouched."
_RESTORE = "name the archive that the release was made from, or restore it from its backup."


@dataclass(frozen=True)
class LandedFolder:
    """A batch's folder in the archive, with its manifest."""

    folder: str
    manifest: BatchManifest
    delivery_sha256: str | None = None
    is_named: bool = False

    @property
    def feed(self) -> str:
        """The feed."""
        return self.manifest.feed

    @property
    def business_date(self) -> date:
        """The date that it was read for."""
        return self.manifest.business_date

    @property
    def known_at(self) -> datetime:
        """The source's clock in its snapshot."""
        return self.manifest.known_at

    @property
    def facts(self) -> ReadFacts:
        """What publishing needs to know of the read."""
        return self.manifest.landed.facts

    @property
    def read_mode(self) -> str:
        """How it was read; manifests of older versions only tell files from tables."""
        return self.manifest.read_mode or ("file" if self._is_file else "whole")

    @property
    def delivery(self) -> tuple[str, str, str] | None:
        """Name, sha256 and identity of the delivered file, if this is its first reading."""
        path = self.facts.original
        if not path or self.facts.again is not None:
            return None
        _, sha256, name = path.split("/", 2)
        return name, sha256, self.delivery_sha256 or sha256

    @property
    def _is_file(self) -> bool:
        return bool(self.facts.original) or self.facts.listing is not None

    @property
    def order(self) -> tuple[datetime, int, int, bool, int]:
        """The order of publishing: instant, group, feed, deliveries before the listing, number."""
        contract = contract_of(self.feed)
        number = int(self.manifest.batch_id.rsplit("_", 1)[-1])
        group = list(groups()).index(contract.group)
        return self.known_at, group, contract.order, self.delivery is None, number

    def is_of(self, entry: dict[str, Any]) -> bool:
        """Whether its feed, date and instant equal those of an entry of the manifest."""
        return (self.feed, str(self.business_date), render(self.known_at, "instant")) == (
            entry["feed"],
            entry["business_date"],
            entry["known_at"],
        )

    def fits(self, entry: dict[str, Any]) -> bool:
        """Whether this folder is the input that an entry of the manifest names."""
        data = self.manifest.landed.data
        sha256 = self.delivery[1] if self.delivery else data.sha256
        return self.is_of(entry) and (sha256, data.rows) == (
            entry["sha256"],
            entry["rows_delivered"],
        )


@dataclass(frozen=True)
class Inputs:
    """A release's folders in publishing order, and the archive's other folders of that time.

    Folders in `others` changed nothing or were stopped; they are not published.
    """

    folders: list[LandedFolder]
    others: list[str]


def inputs_in_order(landing: Landing, manifest: dict[str, Any]) -> Inputs:
    """The folders of a release's inputs and of its final extract.

    A final extract that changed nothing is no input, but it shows that every feed was read.

    Raises:
        ChotsoError: The archive lacks an input, or an input's folder holds files that it does not
            list.
    """
    there = sorted(_complete(landing), key=lambda each: each.order)
    taken: dict[str, LandedFolder] = {}
    missing = []
    for entry in manifest["inputs"]:
        if "act_id" in entry:
            continue
        found = next((f for f in there if f.folder not in taken and f.fits(entry)), None)
        if found is None:
            missing.append(f"{entry['feed']} {entry['business_date']} ({entry['sha256'][:12]}…)")
            continue
        identity = entry["delivery_sha256"]
        taken[found.folder] = replace(found, delivery_sha256=identity, is_named=True)
    for entry in manifest["final_extract"]:
        reads = _reads_of(entry, [taken.get(each.folder, each) for each in there])
        if not reads:
            missing.append(f"{entry['feed']} {entry['business_date']} {entry['known_at']}")
        taken.update((read.folder, read) for read in reads)
    if missing:
        raise ChotsoError(
            f"The archive lacks {len(missing)} inputs: {'; '.join(missing[:5])}.",
            kept=KEPT,
            next_step=_RESTORE,
        )
    _check_nothing_added(landing, taken.values())
    until = datetime.fromisoformat(manifest["as_known_at"])
    others = [f.folder for f in there if f.folder not in taken and f.known_at <= until]
    return Inputs(sorted(taken.values(), key=lambda each: each.order), sorted(others))


def _reads_of(entry: dict[str, Any], there: list[LandedFolder]) -> list[LandedFolder]:
    """The read with a feed's newest instant, and the read of its newest date.

    Usually they are the same; they differ if a night was published late. Here a read is a whole
    read of the feed, or the listing of the folder. Deliveries and batches that were published again
    are no reads. Reads that the manifest names are preferred.
    """
    reads = [
        each
        for each in sorted(there, key=lambda each: not each.is_named)
        if each.feed == entry["feed"] and each.delivery is None and each.facts.again is None
    ]
    newest = [each for each in reads if render(each.known_at, "instant") == entry["known_at"]]
    if whole := [each for each in newest if each.is_of(entry)]:
        return whole[:1]
    of_date = [each for each in reads if str(each.business_date) == entry["business_date"]]
    return [*newest[:1], *of_date[:1]] if newest and of_date else []


def _check_nothing_added(landing: Landing, taken: Iterable[LandedFolder]) -> None:
    added = []
    for each in taken:
        told = {file.path for file in each.manifest.landed.files.values()}
        told.add(f"{each.folder}/{MANIFEST}")
        added += sorted(set(landing.files_in(each.folder)) - told)
    if added:
        raise ChotsoError(
            f"The archive holds {len(added)} files that no manifest tells of: "
            f"{', '.join(added[:5])}.",
            kept=KEPT,
            next_step="find out who put them there.",
        )


def acts_in_order(landing: Landing, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The recorded acts of a release from their landed files, oldest first.

    Returns:
        Mappings with `act_id`, `sha256`, and what the file says (`kind`, `known_at`, `subject`,
        `reason`, `acted_by`).

    Raises:
        ChotsoError: The archive lacks an act, or holds another file in its place.
    """
    acts = []
    for entry in manifest["inputs"]:
        if "act_id" not in entry:
            continue
        content = landing.act(entry["act_id"])
        if content is None or hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ChotsoError(
                f"The archive lacks the act {entry['act_id']} as it was recorded.",
                kept=KEPT,
                next_step=_RESTORE,
            )
        acts.append({**json.loads(content), **entry})
    return sorted(acts, key=lambda act: (act["known_at"], act["act_id"]))


def _complete(landing: Landing) -> Iterator[LandedFolder]:
    for folder, told in landing.manifests():
        if told.get("feed") in contracts() and told.get("known_at") and told.get("files"):
            yield LandedFolder(folder, BatchManifest.from_json(told))
