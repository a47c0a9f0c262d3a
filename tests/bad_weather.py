"""A neighbourhood in which everything goes wrong: the post, the clocks, the machines, the disks.

>>> town = BadWeather(tmp_path, "lyon", "nantes")
>>> town.network.plan += [Fault.LOST, Fault.TWICE]    # of the next two requests
>>> town.skew["nantes"] = timedelta(days=1)           # Nantes believes that it is tomorrow
>>> town.doom["lyon"] = 3                             # killed before its third commit or request
>>> town.work_at("lyon")                              # raises Killed
>>> town.back_up("lyon")
>>> town.restore("lyon")
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import outbox, rekeying, restoring, rotation
from app.models.engine import reading
from federation.errors import UnreachableError
from federation.transport import Answer
from tests.neighbourhood import Neighbourhood, Network

#: Messages that the post remembers, so that it can deliver them once more years later.
REMEMBERED = 200


class Killed(BaseException):
    """A process was killed; like the real thing it is no exception that anybody handles."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


class Fault(StrEnum):
    """What may become of one request."""

    NONE = "none"
    LOST = "lost"
    UNANSWERED = "unanswered"
    """It arrives; its answer does not."""

    TWICE = "twice"
    LATE = "late"
    """A message arrives after its sender gave up waiting; a question is lost."""

    STALE = "stale"
    """Somebody in between answers with what was answered before."""

    BUSY = "busy"


class Storm(Network):
    """The network between the spaces; each request takes the next fault of ``plan``."""

    def __init__(self, town):
        super().__init__(town)
        self.plan = []
        self.sent = []
        """Every message that was ever sent: ``(addressee, path, headers, body)``."""

        self.late = []
        self.answered = {}
        """The first good answer to each question, by addressee, asker and path."""

    def _answer(self, method, url, max_bytes, headers, body):
        fault = self.plan.pop(0) if self.plan else Fault.NONE
        name, path = self._addressee(url)
        sender = self.town.standing_at
        self.town.step(sender)
        if method == "POST":
            self._remember(name, path, headers, body)
        if fault is Fault.LATE and method == "POST":
            self.late.append(self.sent[-1])
        if fault in (Fault.LOST, Fault.LATE):
            raise UnreachableError("lost on the way")
        if fault is Fault.BUSY:
            return Answer(503, {"retry-after": "60"}, b"")
        asked = (name, sender, path)
        if fault is Fault.STALE and method == "GET" and asked in self.answered:
            return self.answered[asked]
        for _ in range(2 if fault is Fault.TWICE else 1):
            answer = self._delivered(method, url, max_bytes, headers, body)
        if fault is Fault.UNANSWERED:
            raise UnreachableError("no answer")
        if method == "GET" and answer.status == 200:
            self.answered.setdefault(asked, answer)
            if "Authorization" in headers:
                self.town.served(name, sender)
        return answer

    def arrive_again(self, name, path, headers, body):
        """Deliver a message that was sent earlier, whoever sent it and however long ago."""
        url = f"https://{name}.example{path}"
        try:
            self._delivered("POST", url, 10_000, headers, body)
        except UnreachableError:
            return

    def _delivered(self, method, url, max_bytes, headers, body):
        name, _ = self._addressee(url)
        if name in self.town.apps and self.town.standing_at in self.cut:
            raise UnreachableError("the sender is off line")
        try:
            with self.town.clock_of(name):
                answer = super()._answer(method, url, max_bytes, headers, body)
        except Killed as killed:
            raise UnreachableError("killed while it answered") from killed
        assert answer.status < 500, f"{name} answered {answer.status} to {method} {url}"
        return answer

    def _remember(self, name, path, headers, body):
        self.sent.append((name, path, headers, body))
        del self.sent[:-REMEMBERED]

    @staticmethod
    def _addressee(url):
        parts = urlsplit(url)
        name = (parts.hostname or "").partition(".")[0]
        return name, parts.path + (f"?{parts.query}" if parts.query else "")


class BadWeather(Neighbourhood):
    """Spaces with a clock each, that can be killed at any step and restored from a backup."""

    def __init__(self, folder, *names):
        self.skew = {}
        """How far the clock of a space is ahead of the true time."""

        self.doom = {}
        """After how many more steps a space is killed; a step is a commit or a request."""

        self.standing_at = ""
        """Whose clock is on the wall; empty outside all spaces."""

        self.kept = {}
        """When the spaces were kept, by folder."""

        super().__init__(folder)
        self.network = Storm(self)
        event.listen(Session, "before_commit", self._before_commit)
        for name in names:
            self.build(name)

    def close(self):
        event.remove(Session, "before_commit", self._before_commit)
        super().close()

    def _before_commit(self, session):
        self.step(Path(session.get_bind().url.database).parent.name)

    def step(self, name):
        """Count one step of ``name``, and kill it if it is the one.

        :raises Killed:
        """
        if name not in self.doom:
            return
        self.doom[name] -= 1
        if self.doom[name] <= 0:
            del self.doom[name]
            raise Killed(name)

    def served(self, name, reader):
        """Hear that ``name`` gave a page to ``reader`` as to a neighbour."""

    # --- clocks

    @contextmanager
    def clock_of(self, name):
        """Put the clock of ``name`` on the wall."""
        before, moment = self.standing_at, self.now
        self.standing_at = name
        self.time.move_to(moment + self._ahead(name) - self._ahead(before))
        try:
            yield
        finally:
            self.standing_at = before
            self.time.move_to(moment)

    def _ahead(self, name):
        return self.skew.get(name, timedelta())

    # --- what is done at a space, by its own clock

    @contextmanager
    def at(self, name):
        with self.clock_of(name), super().at(name) as session:
            yield session

    @contextmanager
    def looking_into(self, name):
        """Read the database of ``name`` without being part of the space."""
        with self.apps[name].app_context():
            engine = db.engine
        with self.clock_of(name), reading(), Session(engine) as session:
            yield session

    def work_at(self, name):
        # A worker looks at its keys each time: a retired one may have been forgotten meanwhile.
        with self.clock_of(name):
            self.read_keys(name)
            outcomes = super().work_at(name)
        if any(outcome.kind == outbox.CHECKPOINT for outcome in outcomes):
            self.remember(name)
        return outcomes

    def remember(self, name):
        """Write down beside the database how far the feed has come, as a worker does."""
        with self.looking_into(name) as session:
            restoring.remember(session, self.folder / name / restoring.POSITION)

    # --- disks

    def back_up(self, name):
        """Copy the database, as an operator does while the space is open."""
        source = sqlite3.connect(self.folder / name / "mitoyen.db")
        target = sqlite3.connect(self.folder / name / "backup.db")
        source.backup(target)
        source.close()
        target.close()

    def restore(self, name, *, declared):
        """Put the last backup of the database back; the keys are those of today.

        :param declared: by ``mitoyen restored``; otherwise the worker notices when it starts.
        """
        folder = self.folder / name
        with self.apps[name].app_context():
            db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            (folder / f"mitoyen.db{suffix}").unlink(missing_ok=True)
        shutil.copy(folder / "backup.db", folder / "mitoyen.db")
        # Nobody does that within a moment.
        self.later(minutes=30)
        with self.at(name) as session:
            if declared:
                restoring.begin_again(session, self.now)
            else:
                restoring.notice(session, folder / restoring.POSITION, self.now)
        self.remember(name)

    def keep(self, folder):
        """Copy all spaces as they are into ``folder``, for :meth:`begin_from`."""
        for app in self.apps.values():
            with app.app_context():
                # Closing the last connection moves the write-ahead log into the file.
                db.engine.dispose()
        shutil.copytree(self.folder, folder)
        self.kept[folder] = self.now

    def begin_from(self, folder):
        """Open the closed town anew, all spaces and the time as when ``folder`` was kept."""
        self.time = self.clock.start()
        event.listen(Session, "before_commit", self._before_commit)
        self.clear_up()
        self.network = Storm(self)
        for name, app in self.apps.items():
            shutil.rmtree(self.folder / name)
            shutil.copytree(folder / name, self.folder / name)
            app.extensions["transport"] = self.network
            self.read_keys(name)
        self.time.move_to(self.kept[folder])

    # --- keys

    def change_keys(self, name, change):
        """Do what ``mitoyen keys`` does: ``change`` is given the folder and the moment."""
        with self.at(name) as session:
            change(self.folder / name / "keys", self.now)
            self.read_keys(name)
            rekeying.follow(session, self.identity(name), self.now)

    def rotate(self, name):
        self.change_keys(name, rotation.rotate)

    def roll_root(self, name):
        self.change_keys(name, rotation.roll_root)

    def revoke(self, name, kid):
        self.change_keys(name, lambda folder, now: rotation.revoke(folder, kid, now))

    # --- the weather clears

    def clear_up(self):
        """Let the network be quiet, the clocks right and the machines whole from now on."""
        self.skew.clear()
        self.doom.clear()
        self.network.plan.clear()
        self.network.cut.clear()
