"""A TCP proxy on 127.0.0.1 that cuts one connection after so many bytes of its n-th COPY."""

import asyncio
import multiprocessing
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.faults.cloning import through

_FORK = multiprocessing.get_context("fork")
_COPIES = 256
OUT, IN = b"copy (", b"PGCOPY\n"
"""What opens a COPY out of the source, and a binary COPY into the warehouse."""


@dataclass(frozen=True)
class Cut:
    """Where the connection breaks: in the n-th COPY (from 0), after so many bytes of it.

    `is_reset` ends it by a reset (RST), else by an orderly close.
    """

    copy: int
    after: int
    is_reset: bool = True


class Proxy:
    """Forwards to the server of a URL; `url` is the way through it."""

    def __init__(self, url: str, opens: bytes, cut: Cut | None) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._opens = opens
        self._cut = cut
        self._sizes = _FORK.Array("q", _COPIES)
        self._seen = _FORK.Value("i", 0)
        self._was_cut = _FORK.Value("i", 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = through(url, self._listening.getsockname()[1])

    @property
    def sizes(self) -> list[int]:
        """Bytes of every COPY so far."""
        return list(self._sizes[: self._seen.value])

    @property
    def was_cut(self) -> bool:
        """Whether the connection was cut."""
        return bool(self._was_cut.value)

    def run(self) -> None:
        """Forward until killed."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        running = await asyncio.start_server(self._accept, sock=self._listening)
        async with running:
            await running.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(*self._target)
        line = _Line(self, reader, writer, *there)
        await asyncio.gather(line.to_server(), line.to_client(), return_exceptions=True)
        for end in (writer, there[1]):
            end.close()

    def begin_copy(self) -> int:
        """Count one more COPY; returns its number."""
        self._seen.value += 1
        return int(self._seen.value) - 1

    def pass_on(self, copy: int, size: int) -> int | None:
        """Bytes that may still pass when the connection is cut now, None when all may."""
        before = int(self._sizes[copy])
        self._sizes[copy] = before + size
        cut = self._cut
        if self.was_cut or cut is None or copy != cut.copy or before + size < cut.after:
            return None
        self._was_cut.value = 1
        return max(0, cut.after - before)

    @property
    def is_out(self) -> bool:
        """Whether it is the bytes out of the server that are counted."""
        return self._opens == OUT

    def opens(self, block: bytes) -> bool:
        """Whether a block from the client opens a COPY."""
        return self._opens in block

    def sever(self, *ends: asyncio.StreamWriter) -> None:
        """End a connection at both ends."""
        for end in ends:
            connected: Any = end.get_extra_info("socket")
            if self._cut is not None and self._cut.is_reset:
                linger = struct.pack("ii", 1, 0)
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                end.transport.abort()
            else:
                end.close()


class _Line:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: Proxy,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._client = (reader, writer)
        self._server = (server_reader, server_writer)
        self._copy: int | None = None

    async def to_server(self) -> None:
        await self._pump(self._client[0], self._server[1], is_out=False)

    async def to_client(self) -> None:
        await self._pump(self._server[0], self._client[1], is_out=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_out: bool
    ) -> None:
        while block := await reader.read(1 << 16):
            if not is_out and self._proxy.opens(block):
                self._copy = self._proxy.begin_copy()
            if self._copy is not None and is_out == self._proxy.is_out:
                left = self._proxy.pass_on(self._copy, len(block))
                if left is not None:
                    writer.write(block[:left])
                    await writer.drain()
                    self._proxy.sever(self._client[1], self._server[1])
                    return
            writer.write(block)
            await writer.drain()
        writer.close()


@contextmanager
def proxy(url: str, opens: bytes, cut: Cut | None = None) -> Iterator[Proxy]:
    """Run a proxy in a process of its own until the block ends."""
    made = Proxy(url, opens, cut)
    process = _FORK.Process(target=made.run, daemon=True)
    process.start()
    try:
        yield made
    finally:
        process.kill()
        process.join()
