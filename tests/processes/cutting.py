"""A line between two spaces that is cut where it hurts: after any byte, by silence, by a reset."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from random import Random

#: Bytes after which a line may be cut: anywhere in a request, in the head or the body of an answer.
LONGEST = 6000

#: Seconds of silence before a stalled line is cut; readers have less patience than that for none.
SILENCE = 1.0


class CuttingProxy:
    """Listens on a port of this machine and forwards to another one, more or less.

    >>> with CuttingProxy(8001, seed=1) as proxy:     # proxy.port is what others connect to
    ...     proxy.cutting = True
    """

    def __init__(self, to_port, seed):
        self.to_port = to_port
        self.cutting = False
        self.spoilt = 0
        """Connections that were cut, reset or left in silence so far."""

        self.whole = 0
        """Connections that were forwarded to their end while others were cut."""

        self._chance = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._wait_for(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._wait_for(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait_for(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self):
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader, writer):
        fate = self._chance.choice(("whole", "cut", "reset", "silence")) if self.cutting else ""
        allowed = None if fate in ("", "whole") else self._chance.randrange(LONGEST)
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            # Nobody is at home: as if the port were closed.
            _reset(writer)
            return
        budget = _Budget(allowed)
        both = (_forward(reader, there, budget), _forward(there_reader, writer, budget))
        tasks = [asyncio.create_task(each) for each in both]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if budget.used_up:
                self.spoilt += 1
                if fate == "silence":
                    await asyncio.sleep(SILENCE)
                if fate == "reset":
                    _reset(writer)
            else:
                self.whole += fate == "whole"
                await asyncio.wait(tasks, timeout=SILENCE)
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
            there.close()


class _Budget:
    """How many bytes may still pass, in both directions together; None for all."""

    def __init__(self, allowed):
        self.left = allowed

    def take(self, data):
        if self.left is None:
            return data
        passing = data[: self.left]
        self.left -= len(passing)
        return passing

    @property
    def used_up(self):
        return self.left == 0


async def _forward(reader, writer, budget):
    try:
        while data := await reader.read(65536):
            writer.write(budget.take(data))
            await writer.drain()
            if budget.used_up:
                return
        writer.write_eof()
    except OSError:
        # One of the two went away, which the other is about to learn.
        return


def _reset(writer):
    """Close so that the other side reads a reset, and not an end."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
