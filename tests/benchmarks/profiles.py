"""People by the thousand for benchmarks: four languages, and words as frequent as words are.

Services are drawn from the shared vocabulary by Zipf's law, so that a few specialities are common
and most are rare, and every text mixes common with rare words in the same way. The same seed gives
the same people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.models.base import new_id
from app.models.peer import MirroredProfile, Peer
from app.models.space import Space
from app.search.cards import WITHHELD
from federation.vocabulary import LANGUAGES, specialities

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

#: Neighbours among whom the people are spread; position in degrees.
SPACES = (
    ("Le Palier", "Nantes", "FR", 47.218, -1.554),
    ("Hinterhof", "Berlin", "DE", 52.52, 13.405),
    ("Le Tube", "Villeurbanne", "FR", 45.77, 4.88),
    ("La Halle", "Rennes", "FR", 48.117, -1.678),
    ("El Patio", "Madrid", "ES", 40.417, -3.704),
    ("The Yard", "Dublin", "IE", 53.35, -6.26),
    ("Werkhof", "Basel", "CH", 47.558, 7.588),
    ("Kanal 9", "Bruxelles", "BE", 50.85, 4.35),
)
#: Different words that texts are made of, beside those of the vocabulary.
WORDS = 40_000
#: How steeply frequencies fall: the n-th word comes 1/n**STEEPNESS as often as the first.
STEEPNESS = 1.0
#: A word that about 30 % of the people have in their headline.
COMMON = "quartier"
_SYLLABLES = (
    "ba be bi bo ca ce co da de di do fa fe fi ga go la le li lo ma me mi mo na ne ni no pa pe"
    " po ra re ri ro sa se si so ta te ti to va ve vi vo zan mer lin tor gar ven pol stra kel"
)


def fill(session: Session, count: int, seed: int = 7) -> Space:
    """Add a space and ``count`` profiles of its neighbours; the index is left to the caller."""
    here = Space(
        url="https://lyon.example",
        name="La Navette",
        city="Lyon",
        country="FR",
        latitude=45.764,
        longitude=4.836,
        created_at=NOW,
    )
    session.add(here)
    peers = [_peer(*where) for where in SPACES]
    session.add_all(peers)
    session.flush()
    batch: list[dict[str, Any]] = []
    for number, claims in enumerate(people(count, seed)):
        # One in four keeps something from the web, and then has a second row in the index.
        if number % 4 != 3:
            claims["web"] = list(WITHHELD)
        batch.append(_row(peers[number % len(peers)], claims))
        if len(batch) == 2000:
            session.execute(insert(MirroredProfile), batch)
            batch = []
    if batch:
        session.execute(insert(MirroredProfile), batch)
    session.commit()
    return here


def people(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Return the claims of ``count`` profiles."""
    chance = random.Random(seed)  # noqa: S311  # the same people each time, no secret
    codes = list(specialities())
    chance.shuffle(codes)
    words = _words(chance)
    of_codes, of_words = _zipf(len(codes)), _zipf(len(words))
    for _ in range(count):
        language = chance.choices(LANGUAGES, (5, 3, 2, 1))[0]
        picked = chance.choices(codes, cum_weights=of_codes, k=chance.choice((1, 1, 2, 3)))
        bio = chance.choices(words, cum_weights=of_words, k=chance.randint(15, 45))
        headline = chance.choices(words, cum_weights=of_words, k=6)
        if chance.random() < 0.3:
            headline.append(COMMON)
        yield {
            "name": f"{chance.choice(words).title()} {chance.choice(words).title()}",
            "headline": " ".join(headline),
            "bio": " ".join(bio),
            "locale": language,
            "languages": [language, chance.choice(LANGUAGES)],
            "profession": specialities()[picked[0]].labels[language],
            "interests": chance.choices(words, cum_weights=of_words, k=2),
            "services": [
                _service(chance, position, code, language, words, of_words)
                for position, code in enumerate(dict.fromkeys(picked))
            ],
        }


def _service(
    chance: random.Random,
    position: int,
    code: str,
    language: str,
    words: Sequence[str],
    of_words: Sequence[float],
) -> dict[str, Any]:
    known = specialities()[code].words[language]
    return {
        "id": str(position + 1),
        "category": code,
        "title": f"{chance.choice(known)} {chance.choice(words)}",
        "description": " ".join(chance.choices(words, cum_weights=of_words, k=8)),
        "mode": chance.choices(("paid", "exchange", "pro_bono"), (8, 2, 1))[0],
        "rate": "60.00",
        "coworker_rate": "45.00" if chance.random() < 0.7 else None,
        "currency": "EUR",
        "unit": "hour",
        "remote": chance.random() < 0.4,
    }


def _words(chance: random.Random) -> list[str]:
    syllables = _SYLLABLES.split()
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4))))] = None
    return list(found)


def _zipf(count: int) -> list[float]:
    return list(accumulate(1 / rank**STEEPNESS for rank in range(1, count + 1)))


def _peer(name: str, city: str, country: str, latitude: float, longitude: float) -> Peer:
    return Peer(
        url=f"https://{name.lower().replace(' ', '-')}.example",
        name=name,
        city=city,
        country=country,
        latitude=latitude,
        longitude=longitude,
        ours="approved",
        theirs="approved",
        last_success_at=NOW,
        created_at=NOW,
    )


def _row(peer: Peer, claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "peer_id": peer.id,
        "subject": f"{peer.url}/m/{new_id()}",
        "revision": 1,
        "epoch": "",
        "jws": "",
        "digest": "",
        "kid": "",
        "public": True,
        "document": claims,
        "name": claims["name"],
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=90),
        "received_at": NOW,
    }
