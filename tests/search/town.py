"""A space and its neighbours for tests of search: an index over real tables, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.models.base import new_id
from app.models.member import Member, Service
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader
from app.models.space import Space
from app.search.answers import Found
from app.search.find import find
from app.search.index import ensure_current, index_member, index_mirrored
from app.search.query import Query
from tests.databases import databases

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Town:
    """One space, whoever coworks there, and what it holds of its neighbours."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.here = Space(
            url="https://lyon.example",
            name="La Navette",
            city="Lyon",
            country="FR",
            latitude=45.764,
            longitude=4.836,
            created_at=NOW,
        )
        session.add(self.here)
        ensure_current(session)

    def member(self, name: str, *services: Service, audience: str = "space", **given) -> Member:
        """Add somebody here; their services are found at once."""
        lists = {"languages": [], "interests": []}
        texts = dict.fromkeys(("headline", "bio", "profession", "location", "availability"), "")
        member = Member(
            name=name,
            audience=audience,
            services=list(services),
            created_at=NOW,
            updated_at=NOW,
            **{"locale": ""} | lists | texts | given,
        )
        for position, one in enumerate(services):
            one.position = position
        self.session.add(member)
        index_member(self.session, member)
        return member

    def neighbour(self, name: str, city: str = "", at: tuple[float, float] | None = None) -> Peer:
        """Befriend a space: both admins have approved."""
        peer = Peer(
            url=f"https://{name.lower().replace(' ', '-')}.example",
            name=name,
            city=city,
            country="DE",
            latitude=at[0] if at else None,
            longitude=at[1] if at else None,
            ours="approved",
            theirs="approved",
            last_success_at=NOW,
            created_at=NOW,
        )
        self.session.add(peer)
        self.session.flush()
        return peer

    def mirrored(self, peer: Peer, name: str, *services: dict, **claims) -> MirroredProfile:
        """Hold a profile that ``peer`` signed."""
        profile = MirroredProfile(
            peer_id=peer.id,
            subject=f"{peer.url}/m/{new_id()}",
            revision=1,
            jws="",
            digest="",
            kid="",
            public=claims.pop("public", False),
            document={"name": name, "services": list(services), **claims},
            name=name,
            issued_at=NOW,
            expires_at=NOW + timedelta(days=90),
            received_at=NOW,
        )
        self.session.add(profile)
        index_mirrored(self.session, profile, peer)
        return profile

    def ask(self, words: str = "", *, reader: Reader = Reader.MEMBER, now=NOW, **filters) -> Found:
        """Search as somebody signed in here, or as ``reader``."""
        query = Query(words=words, **filters)
        return find(self.session, query, reader, self.here, now, limit=filters.pop("limit", 20))

    def names(self, words: str = "", **filters) -> list[str]:
        """The names of those who surely fit, best first."""
        return [hit.card.name for hit in self.ask(words, **filters).hits]

    def perhaps(self, words: str, **filters) -> list[str]:
        return [hit.card.name for hit in self.ask(words, **filters).perhaps]


def service(title: str, speciality: str = "", **given) -> Service:
    return Service(
        title=title,
        speciality=speciality,
        **{"description": "", "speciality_label": "", "mode": "paid", "languages": []} | given,
    )


@contextmanager
def town() -> Iterator[Town]:
    engine = databases.engine()
    with Session(engine) as session:
        yield Town(session)
    engine.dispose()
