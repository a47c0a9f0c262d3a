"""A while in which the collector of cycles looks seldom.

Taking a feed in makes some hundred small things for each profile, none of which refers to itself:
they go when the last name for them does. The collector does not know, and looked through all of
them again and again, which took a quarter of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

#: Things made, and not gone yet, after which the collector looks for the youngest nevertheless.
MADE = 200_000

_turn = Lock()
_calm = 0
_otherwise = gc.get_threshold()


@contextmanager
def calm() -> Iterator[None]:
    """Let the collector look seldom inside, in all threads; as before when the last one is out."""
    global _calm, _otherwise
    with _turn:
        if not _calm:
            _otherwise = gc.get_threshold()
            gc.set_threshold(MADE, *_otherwise[1:])
        _calm += 1
    try:
        yield
    finally:
        with _turn:
            _calm -= 1
            if not _calm:
                gc.set_threshold(*_otherwise)
