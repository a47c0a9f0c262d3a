"""Several spaces in one process, reading each other without a network.

>>> town = Neighbourhood(tmp_path, "lyon", "nantes")
>>> town.befriend("lyon", "nantes")
>>> town.publish("nantes", "Claire Vasseur", headline="Avocate")
>>> town.work()                       # every space does what is due
>>> town.held("lyon")                 # {"Claire Vasseur"}
>>> town.cut("nantes")                # Nantes goes off line
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import time_machine
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import peers, photos
from app.exchange.identity import load_identity
from app.exchange.pictures import drawn_anew
from app.exchange.publish import publish_member
from app.exchange.work import schedule_upkeep
from app.models import engine
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.photo import MirroredPhoto
from app.models.scope import Reader, visible_mirrored
from app.models.space import Space
from app.search.find import find
from app.search.index import index_member
from app.search.query import Query
from app.worker import run_round
from federation.errors import FederationError, TooLargeError, UnreachableError
from federation.keys import new_key, private_jwk
from federation.transport import Answer
from tests import spaces

#: The first morning; afterwards time passes only by :meth:`Neighbourhood.later`.
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


#: Connections in a transaction that may write: all other writers of that space wait for them.
writing = set()


@event.listens_for(Engine, "begin")
def _begun(connection: Connection):
    if not engine.only_reads():
        writing.add(connection)


@event.listens_for(Engine, "commit")
@event.listens_for(Engine, "rollback")
def _ended(connection: Connection):
    writing.discard(connection)


def url_of(name):
    return f"https://{name}.example"


class Network:
    """Plays the transport: a URL is answered by the space whose host it names."""

    def __init__(self, town):
        self.town = town
        self.cut = set()
        self.requests = []
        self.instead = {}
        """What answers instead of a space: by name, a function of (method, path)."""

    def get(self, url, *, max_bytes, headers=None):
        return self._answer("GET", url, max_bytes, dict(headers or {}), None)

    def post(self, url, body, *, content_type, max_bytes, headers=None):
        sent = {**(headers or {}), "Content-Type": content_type}
        return self._answer("POST", url, max_bytes, sent, body)

    def _answer(self, method, url, max_bytes, headers, body):
        assert not writing, "writers would wait for as long as a neighbour takes to answer"
        parts = urlsplit(url)
        name = (parts.hostname or "").partition(".")[0]
        self.requests.append((method, name, parts.path))
        if name in self.cut or (name not in self.town.apps and name not in self.instead):
            raise UnreachableError("no answer")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if name in self.instead and (answer := self.instead[name](method, path)) is not None:
            if isinstance(answer, FederationError):
                raise answer
            return answer
        client = self.town.apps[name].test_client()
        got = client.open(path, method=method, headers=headers, data=body)
        if len(got.data) > max_bytes:
            raise TooLargeError(f"more than {max_bytes} bytes")
        told = {key.lower(): value for key, value in got.headers.items()}
        return Answer(got.status_code, told, got.data)


class Neighbourhood:
    """Spaces by name, each with its own database and keys; one clock for all."""

    def __init__(self, folder, *names):
        self.folder = folder
        self.clock = time_machine.travel(MORNING, tick=False)
        self.time = self.clock.start()
        self.apps = {}
        self.network = Network(self)
        for name in names:
            self.build(name)

    def build(self, name):
        app = spaces.build(self.folder / name, name.capitalize(), name.capitalize(), url_of(name))
        app.extensions["transport"] = self.network
        self.apps[name] = app

    def build_again(self, name):
        """Found the space anew at its old address: another database, other keys."""
        with self.apps[name].app_context():
            db.engine.dispose()
        (self.folder / name).rename(self.folder / f"{name} before")
        self.build(name)

    def roll_root_key(self, name):
        """Let the announced root key take the place of the one in use."""
        keys = self.folder / name / "keys"
        (keys / "next_root.json").replace(keys / "root.json")
        self._write_key(keys / "next_root.json")
        self.read_keys(name)

    def new_root_key(self, name):
        """Let the space lose its root key and make one that it never announced."""
        keys = self.folder / name / "keys"
        (keys / "root.json").unlink()
        self._write_key(keys / "root.json")
        self.read_keys(name)

    def new_operational_key(self, name):
        keys = self.folder / name / "keys"
        (keys / "operational.json").unlink()
        self._write_key(keys / "operational.json")
        self.read_keys(name)

    def _write_key(self, path):
        path.write_text(json.dumps(private_jwk(new_key())))
        path.chmod(0o600)

    def read_keys(self, name):
        keys = self.folder / name / "keys"
        self.apps[name].extensions["identity"] = load_identity(keys, url_of(name))

    def close(self):
        self.clock.stop()
        for app in self.apps.values():
            with app.app_context():
                db.engine.dispose()

    @property
    def now(self):
        return datetime.now(UTC)

    def later(self, **passed):
        """Let time pass: ``later(hours=2)``."""
        self.time.shift(timedelta(**passed))

    @contextmanager
    def at(self, name):
        """Stand in the space: ``db.session`` is its session, committed at the end."""
        with self.apps[name].app_context():
            yield db.session()
            db.session.commit()

    def identity(self, name):
        return self.apps[name].extensions["identity"]

    # --- people

    def publish(self, name, person, *, audience="neighbours", **given):
        """Add somebody to a space, or change who is there already, and publish them."""
        with self.at(name) as session:
            member = session.scalars(select(Member).filter_by(name=person)).one_or_none()
            if member is None:
                member = spaces.add_member(person, audience=audience, **given)
            else:
                member.show_to(audience, self.now)
                for key, value in given.items():
                    setattr(member, key, value)
            index_member(session, member)
            publish_member(session, member, self.identity(name), self.now)
            return member.ref

    def subject(self, name, person):
        with self.at(name) as session:
            member = session.scalars(select(Member).filter_by(name=person)).one()
            return f"{url_of(name)}/m/{member.ref}"

    # --- admins

    def knock(self, guest, host, note=""):
        with self.at(guest) as session:
            peers.knock(
                session, url_of(host), self.identity(guest), self.network,
                note, self.now, "admin",
            )  # fmt: skip

    def decide(self, verb, name, about):
        """Let the admin of ``name`` decide: ``decide(peers.suspend, "lyon", "nantes")``."""
        with self.at(name) as session:
            verb(session, self.peer_in(session, about), self.identity(name), self.now, "admin")

    def approve(self, host, guest):
        self.decide(peers.approve, host, guest)

    def befriend(self, guest, host):
        """Knock, approve, and let every message arrive."""
        self.knock(guest, host)
        self.work()
        self.approve(host, guest)
        self.work()

    # --- machines

    def work_at(self, name):
        """Let one space do what is due now; return what became of it."""
        app = self.apps[name]
        with app.app_context():
            engine = db.engine
            with Session(engine) as session:
                schedule_upkeep(session, self.now)
                session.commit()
        summary = run_round(
            lambda: Session(engine),
            self.network,
            self.identity(name),
            self.now,
            # A slow answer is one during which a test lets time pass.
            clock=lambda: self.now.timestamp(),
        )
        assert not summary.broken, "a job met a bug; see the log above"
        return summary.outcomes

    def work(self, rounds=6):
        """Let all spaces work, some seconds apart, until nobody has anything to do."""
        outcomes = []
        for _ in range(rounds):
            done = [outcome for name in self.apps for outcome in self.work_at(name)]
            outcomes += done
            if not done:
                break
            # Longer than notices have to rest, so that what they asked for is due.
            self.later(seconds=6)
        return outcomes

    def cut(self, name):
        self.network.cut.add(name)

    def mend(self, name):
        self.network.cut.discard(name)

    # --- what can be seen

    @staticmethod
    def peer_in(session, about):
        return session.scalars(select(Peer).filter_by(url=url_of(about))).one()

    def peer(self, name, about, *columns):
        """Return columns of the row that ``name`` keeps about another space."""
        with self.at(name) as session:
            row = self.peer_in(session, about)
            values = tuple(getattr(row, column) for column in columns)
            return values[0] if len(values) == 1 else values

    def stands(self, name, about):
        return self.peer(name, about, "ours", "theirs")

    def held(self, name):
        """Return the names of all people of other spaces whose profile is stored."""
        with self.at(name) as session:
            return set(session.scalars(select(MirroredProfile.name)))

    def seen(self, name):
        """Return the names that a member of ``name`` sees of other spaces."""
        with self.at(name) as session:
            rows = session.scalars(visible_mirrored(Reader.MEMBER, self.now))
            return {row.name for row in rows}

    def search(self, name, words, scope="everywhere"):
        """Return the names that a search in the space finds, best first."""
        with self.at(name) as session:
            query = Query.from_args({"q": [words], "scope": [scope]})
            found = find(session, query, Reader.MEMBER, session.get(Space, 1), self.now)
            return [hit.card.name for hit in found.hits]

    def journal(self, name, *kinds):
        with self.at(name) as session:
            lines = session.scalars(select(JournalEntry).order_by(JournalEntry.id))
            return [line.code for line in lines if not kinds or line.kind in kinds]

    # --- photos

    def wear(self, name, person, sent):
        """Let somebody show the photo that is drawn from ``sent`` (none, when empty)."""
        with self.at(name) as session:
            member = session.scalars(select(Member).filter_by(name=person)).one()
            if sent:
                photos.show(session, member, drawn_anew(sent), self.now)
            else:
                photos.remove(session, member)
            publish_member(session, member, self.identity(name), self.now)
            return member.photo.get("digest", "")

    def faces(self, name):
        """Return whose photos the space holds of its neighbours, and whether they are shown."""
        with self.at(name) as session:
            rows = session.execute(
                select(MirroredProfile.name, MirroredProfile.photo, MirroredPhoto.image).join(
                    MirroredPhoto, MirroredPhoto.profile_id == MirroredProfile.id
                )
            )
            return {person: bool(image) for person, photo, image in rows if photo or not image}
