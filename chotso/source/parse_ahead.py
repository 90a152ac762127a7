"""Parses the files of a crowded drop folder on all cores.

A year's first night brings 170 workbooks, and reading them is Python's work alone. The files are
handed back in the order in which they were given.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from chotso.contracts import Contract
from chotso.source.drop_folder import Delivery
from chotso.source.files import ParsedFile, parse

# About seven seconds of parsing. A process that parses has to start first, which takes two.
MUCH = 4 << 20
_AHEAD = 8  # how many parsed files may wait, in memory

ParsedDelivery = tuple[Delivery, Callable[[], ParsedFile]]


def in_order(
    contract: Contract, deliveries: Iterable[Delivery], size: int
) -> Iterator[ParsedDelivery]:
    """Each delivery, with a function that gives its rows or raises what `parse` raised.

    Args:
        contract: Of the feed.
        deliveries: Fetched files. One is asked for when there is room for it.
        size: About how many bytes they have; less than `MUCH` is parsed in this process.
    """
    cores = len(os.sched_getaffinity(0))
    if size < MUCH or cores < 2:
        yield from ((each, partial(parse, contract, each)) for each in deliveries)
        return
    # A fork would share this process's sessions, so each of the others starts from nothing.
    start = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=start, initializer=_end_with_parent) as pool:
        waiting: deque[ParsedDelivery] = deque()
        for delivery in deliveries:
            waiting.append((delivery, _begun(pool, contract, delivery)))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting


def _begun(
    pool: ProcessPoolExecutor, contract: Contract, delivery: Delivery
) -> Callable[[], ParsedFile]:
    try:
        return partial(_result, pool.submit(parse, contract, delivery), contract, delivery)
    except BrokenProcessPool:
        return partial(parse, contract, delivery)


def _result(future: Future[ParsedFile], contract: Contract, delivery: Delivery) -> ParsedFile:
    """What another process parsed; what was in a process that was killed is parsed here."""
    try:
        return future.result()
    except BrokenProcessPool:
        return parse(contract, delivery)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
