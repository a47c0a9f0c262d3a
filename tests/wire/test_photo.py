"""To whom a photo is given: whoever may read the profile that claims it, and nobody else."""

from __future__ import annotations

import pytest

from federation.keys import new_key
from tests.pictures import picture
from tests.wire.conftest import LYON, NANTES, problem

CLAIRE = "Claire Vasseur"


@pytest.fixture
def photo(neighbours):
    """Where Claire's photo is; she shows herself to neighbours."""
    return f"/federation/v1/photo/{neighbours.wear('nantes', CLAIRE, picture())}"


def ask(client, where, token=None, **headers):
    word = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(where, headers=word | headers)


def test_a_photo_for_neighbours_is_not_there_for_the_web(photo, nantes):
    assert ask(nantes, photo).status_code == 404
    assert ask(nantes, photo).data == ask(nantes, "/federation/v1/photo/" + "0" * 64).data


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"key": new_key()}, (401, "key-unknown")),
        ({"iss": "https://stranger.example"}, (403, "unknown-issuer")),
        ({"aud": LYON}, (403, "wrong-audience")),
        ({"htu": NANTES + "/federation/v1/feed"}, (403, "wrong-audience")),
        ({"iat": 1, "exp": 100}, (400, "expired")),
    ],
    ids=["another key", "a stranger", "for another space", "for the feed", "old"],
)
def test_whoever_says_wrongly_who_they_are_gets_none(photo, nantes, letters, wrong, refused):
    assert problem(ask(nantes, photo, letters.assertion(path=photo, **wrong))) == refused


def test_a_neighbour_gets_it_and_nothing_that_runs(photo, nantes, letters):
    answer = ask(nantes, photo, letters.assertion(path=photo))
    assert answer.status_code == 200
    assert answer.data.startswith(b"RIFF")
    told = answer.headers
    assert told["Content-Type"] == "image/webp"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert told["Cache-Control"] == "private, no-cache"
    again = ask(nantes, photo, letters.assertion(path=photo), **{"If-None-Match": told["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_photo_for_the_web_is_given_to_anybody_until_it_is_taken_back(
    neighbours, photo, nantes, letters
):
    neighbours.publish("nantes", CLAIRE, audience="web")
    assert ask(nantes, photo).status_code == 200
    neighbours.publish("nantes", CLAIRE, audience="neighbours")
    assert ask(nantes, photo).status_code == 404
    neighbours.publish("nantes", CLAIRE, audience="space")
    assert ask(nantes, photo, letters.assertion(path=photo)).status_code == 404


def test_a_photo_that_was_replaced_is_not_there_any_more(neighbours, photo, nantes, letters):
    neighbours.wear("nantes", CLAIRE, picture("PNG", (90, 90)))
    assert ask(nantes, photo, letters.assertion(path=photo)).status_code == 404
