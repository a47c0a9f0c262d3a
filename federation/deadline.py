"""A limit on the whole of a request, whatever the other side does in between.

Below HTTP: it knows sockets, and nothing of what is said over them.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

T = TypeVar("T")


class Deadline:
    """Cuts the connections made under it when its time is over.

    A read timeout is no deadline: a peer that sends a byte now and then never lets it pass, in the
    headers and in the TLS handshake as little as in the body.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.seconds = seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self._looking_up: list[Future[Any]] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Deadline:
        self._before = _CURRENT.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        _CURRENT.reset(self._before)
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Cut ``connection`` too when the time is over."""
        with self._lock:
            # A duplicate: TLS takes the original socket's descriptor away with it.
            self._sockets.append(connection.dup())
        if self.passed:
            self._cut()

    def wait_for(self, action: Callable[[], T]) -> T:
        """Return what ``action`` returns, which no socket of ours could cut: a name looked up.

        :raises TimeoutError: not in time. The action goes on by itself, until its own end.
        """
        found: Future[T] = Future()
        with self._lock:
            self._looking_up.append(found)
        threading.Thread(target=_settle, args=(found, action), daemon=True).start()
        if self.passed:
            self._cut()
        return found.result()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            for waiting in self._looking_up:
                _end(waiting, TimeoutError("not in time"))
            for each in self._sockets:
                # Already closed by the peer: then nobody waits for it any more.
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


_CURRENT: ContextVar[Deadline] = ContextVar("_CURRENT")


def before_deadline(action: Callable[[], T]) -> T:
    """Return what ``action`` returns, under the deadline that is running.

    :raises TimeoutError: not in time.
    """
    return _CURRENT.get().wait_for(action)


def _settle(found: Future[T], action: Callable[[], T]) -> None:
    try:
        answer = action()
    except Exception as error:
        # Whoever waits for it gets it: it is raised there.
        _end(found, error)
        return
    with suppress(InvalidStateError):
        found.set_result(answer)


def _end(found: Future[T], error: Exception) -> None:
    # Whichever comes first counts, the end of the action or that of its time.
    with suppress(InvalidStateError):
        found.set_exception(error)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        _CURRENT.get().watch(connection)
        return connection


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        _CURRENT.get().watch(connection)
        return connection


class PoolUnderDeadline(HTTPConnectionPool):
    """Connections over plain http, each cut at the deadline it was made under."""

    ConnectionCls = _Connection


class TlsPoolUnderDeadline(HTTPSConnectionPool):
    """Connections over https, likewise: the handshake is covered too."""

    ConnectionCls = _TlsConnection
