"""Libraries that take seconds to import: in time, and without what is never used of them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

GREAT_EXPECTATIONS = "great_expectations"
DBT = ("dbt.cli.main", "dbt.adapters.postgres")
# Great Expectations imports these for statistics and charts that no rule of ours has: a third of
# the time of its own import.
_HARDLY_USED = ("scipy.stats", "altair")


def imported(name: str) -> ModuleType:
    """A library, imported without what we hardly use of it; nothing is done if it is there.

    Raises:
        ImportError: It is not installed.
    """
    if name in sys.modules or name in _HARDLY_USED:
        return import_module(name)  # waits until a thread that is at it is done
    with _stood_in_for(_HARDLY_USED):
        return import_module(name)


@contextmanager
def imported_meanwhile(*names: str) -> Iterator[None]:
    """Import libraries in a thread during the block, which mostly waits for servers.

    The block may use a library before its end, by `imported`, and waits for it then. After the
    block all are there. One that cannot be imported is told by whoever uses it.
    """
    thread = threading.Thread(target=_import_all, args=names, name="imports")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _import_all(*names: str) -> None:
    for name in names:
        with suppress(ImportError):
            imported(name)


@contextmanager
def _stood_in_for(names: tuple[str, ...]) -> Iterator[None]:
    """Modules that are imported in the block get a stand-in of these; later ones the module."""
    stand_ins = {name: _StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for stand_in in stand_ins.values():
            stand_in.step_aside()


class _StandIn(ModuleType):
    """Imports a module when something of it is asked for, and gives that."""

    def step_aside(self) -> None:
        """Leave the module's place; whoever has the stand-in may go on using it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, attribute: str) -> Any:
        self.step_aside()
        return getattr(import_module(self.__name__), attribute)
