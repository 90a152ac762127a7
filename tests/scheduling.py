"""How `make test` deals tests to its processes: by file, by folder where files share a world."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

# Each has a world that takes its time; two processes would both make it.
SHARING_A_WORLD = ("tests/attacks/", "tests/faults/", "tests/traps/", "tests/ingest/rules/")


def unit_of(nodeid: str) -> str:
    """What goes to one process, one after the other: the file of a test, or its folder."""
    together = (folder for folder in SHARING_A_WORLD if nodeid.startswith(folder))
    return next(together, nodeid.split("::", 1)[0])


class ByWorld(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """xdist's scheduling by file, in our units."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def make_scheduler(config: Any, log: Any) -> ByWorld | None:
    """The scheduler for `--dist loadfile`; another choice stays what it is."""
    return ByWorld(config, log) if config.getvalue("dist") == "loadfile" else None
