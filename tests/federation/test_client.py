"""What one space asks of another, and what it makes of the answers. R5, R14, R20."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from federation import client, entity, errors, keys, tree
from federation.client import FeedPage, IndexEntry
from federation.documents import Photo
from federation.identifiers import EntityId
from federation.limits import JSON_DEPTH
from federation.transport import Answer
from tests.federation.samples import LYON, NOW, ROOT, Shelf, answer, checkpoint, configuration, lyon

FEED = f"{LYON}/federation/v1/feed"
ITEMS = [{"seq": 3, "jws": "a.b.c"}, {"seq": 7, "jws": "d.e.f"}]
PAGE = {
    "epoch": "e1",
    "from": "",
    "items": ITEMS,
    "next": "7",
    "more": False,
    "checkpoint": "c.h.k",
}


def read_page(*answers, **asked):
    shelf = Shelf({FEED: answers[0]})
    return client.read_feed_page(shelf, lyon(), **asked)


@pytest.mark.parametrize(
    "page",
    [
        [],
        "<html>",
        PAGE | {"items": None},
        PAGE | {"items": [{"seq": seq, "jws": "a"} for seq in range(201)]},
        PAGE | {"items": [{"seq": 7, "jws": "a"}, {"seq": 3, "jws": "b"}]},
        PAGE | {"items": [{"seq": 3, "jws": "a"}, {"seq": 3, "jws": "b"}]},
        PAGE | {"items": [{"seq": "3", "jws": "a"}]},
        PAGE | {"items": [{"seq": True, "jws": "a"}]},
        PAGE | {"items": [{"seq": -1, "jws": "a"}]},
        PAGE | {"items": [{"seq": 3}]},
        PAGE | {"items": ["a.b.c"]},
        PAGE | {"next": 7},
        PAGE | {"next": "7" * 201},
        PAGE | {"next": "7\r\nX: y"},
        PAGE | {"epoch": None},
        PAGE | {"more": "yes"},
        PAGE | {"checkpoint": 1},
        '{"epoch":"a","epoch":"b"}',
        '{"epoch":NaN}',
        "[" * (JSON_DEPTH + 1) + "]" * (JSON_DEPTH + 1),
    ],
)
def test_what_is_not_a_page_is_refused_whole(page):
    with pytest.raises(errors.MalformedAnswerError):
        read_page(answer(page))


@pytest.mark.parametrize("media_type", ["text/html", "application/jwt", "", "text/json"])
def test_a_page_under_another_name_is_refused(media_type):
    with pytest.raises(errors.MalformedAnswerError):
        read_page(answer(PAGE, media_type))


def test_a_page_is_read_and_its_documents_are_left_for_the_verifier():
    shelf = Shelf(
        {f"{FEED}?since=3&limit=50": answer(PAGE, "Application/JSON; charset=utf-8", etag='"x"')}
    )
    page = client.read_feed_page(shelf, lyon(), "3", assertion="t", etag='"w"', limit=50)
    assert page == FeedPage("e1", ((3, "a.b.c"), (7, "d.e.f")), "7", False, "c.h.k", '"x"')
    assert shelf.asked[0][2] == {
        "Accept": "application/json",
        "Authorization": "Bearer t",
        "If-None-Match": '"w"',
    }


def test_a_stranger_asks_without_saying_who_it_is():
    shelf = Shelf({FEED: answer(PAGE)})
    client.read_feed_page(shelf, lyon())
    assert shelf.asked == [("GET", FEED, {"Accept": "application/json"})]


def test_a_cursor_cannot_add_to_the_query():
    shelf = Shelf({f"{FEED}?since=a%26limit%3D9%23": answer(PAGE)})
    assert client.read_feed_page(shelf, lyon(), "a&limit=9#") is not None


def test_nothing_new_costs_nothing():
    assert read_page(Answer(304), etag='"w"') is None


def test_nothing_new_is_no_answer_to_who_never_asked_before():
    with pytest.raises(errors.MalformedAnswerError):
        read_page(Answer(304))


@pytest.mark.parametrize(
    ("problem", "status", "error"),
    [
        ("not-peered", 403, errors.NotPeeredError),
        ("suspended", 403, errors.SuspendedError),
        ("epoch-changed", 410, errors.EpochChangedError),
        ("stale-rev", 409, errors.StaleError),
        ("unsupported-version", 400, errors.UnsupportedVersionError),
        ("invalid-document", 400, errors.DocumentError),
    ],
)
def test_a_problem_becomes_the_error_it_stands_for(problem, status, error):
    told = answer({"type": f"urn:cdf:problem:{problem}"}, client.PROBLEM, status)
    with pytest.raises(error) as caught:
        read_page(told)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer({"type": "about:blank"}, client.PROBLEM, 400), errors.MalformedAnswerError),
        (answer({"type": 7}, client.PROBLEM, 400), errors.MalformedAnswerError),
        (answer("{", client.PROBLEM, 404), errors.MalformedAnswerError),
        (answer("Not found", "text/html", 404), errors.MalformedAnswerError),
        (answer("{", client.PROBLEM, 500), errors.UnreachableError),
        (answer("Bad gateway", "text/html", 502), errors.UnreachableError),
        (answer(PAGE, status=201), errors.MalformedAnswerError),
    ],
)
def test_a_refusal_that_cannot_be_read_is_a_refusal(told, error):
    with pytest.raises(error):
        read_page(told)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("99999999", 86400), ("-5", None), ("soon", None), ("٣", None), (None, None)],
)
def test_who_is_asked_to_wait_waits_a_day_at_most(header, seconds):
    more = {} if header is None else {"retry_after": header}
    with pytest.raises(errors.RateLimitedError) as caught:
        read_page(answer("slow down", "text/plain", 429, **more))
    assert caught.value.retry_after == seconds


# --- entity, checkpoint, index, delivery


def test_an_entity_under_another_media_type_is_refused():
    space = EntityId.parse(LYON)
    shelf = Shelf({space.configuration_url: answer(configuration(), client.JWT)})
    with pytest.raises(errors.MalformedAnswerError):
        client.read_entity(shelf, space, NOW, pinned_kid=None)


def test_an_entity_is_fetched_where_its_name_says_and_verified():
    space = EntityId.parse(LYON)
    told = answer(configuration(), "application/entity-statement+jwt")
    shelf = Shelf({space.configuration_url: told})
    assert client.read_entity(shelf, space, NOW, pinned_kid=keys.kid(ROOT)).entity_id == LYON
    with pytest.raises(errors.KeyChangedError):
        client.read_entity(shelf, space, NOW, pinned_kid="x" * 43)


def test_a_checkpoint_comes_as_it_was_signed():
    url = f"{LYON}/federation/v1/checkpoint"
    assert client.read_checkpoint(Shelf({url: answer("c.h.k", client.JWT)}), lyon()) == "c.h.k"
    with pytest.raises(errors.MalformedAnswerError):
        client.read_checkpoint(Shelf({url: answer("é", client.JWT)}), lyon())


INDEX = f"{LYON}/federation/v1/index"


@pytest.mark.parametrize(
    "index",
    [
        {},
        [["s", 1]],
        [["s", "1", "0" * 64]],
        [["s", 1, "0" * 63]],
        [["s", 1, "G" * 64]],
        [7],
        [[7, 1, "0" * 64]],
        [["s", -1, "0" * 64]],
    ],
)
def test_what_is_not_an_index_is_refused(index):
    with pytest.raises(errors.MalformedAnswerError):
        client.read_index(Shelf({INDEX: answer(index)}), lyon())


def test_an_index_is_read():
    shelf = Shelf({INDEX: answer([["s", 1, "0" * 64]])})
    assert client.read_index(shelf, lyon()) == (IndexEntry("s", 1, "0" * 64),)


def test_an_index_that_no_checkpoint_states_is_not_believed():
    entry = IndexEntry("s", 1, "0" * 64)
    root = tree.root([tree.leaf_from_digest("s", 1, bytes(32))]).hex()
    assert client.index_agrees([entry], checkpoint(count=1, root=root))
    assert not client.index_agrees([entry], checkpoint(count=2, root=root))
    assert not client.index_agrees([], checkpoint(count=1, root=root))
    assert client.index_agrees([], checkpoint(count=0, root=tree.EMPTY_ROOT.hex()))


def test_a_document_is_delivered_as_it_is():
    url = f"{LYON}/federation/v1/notify"
    shelf = Shelf({url: Answer(202)})
    client.deliver(shelf, url, "a.b.c")
    assert shelf.posted == [(url, b"a.b.c", "application/jwt")]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (
            answer({"type": "urn:cdf:problem:key-unknown"}, client.PROBLEM, 401),
            errors.KeyUnknownError,
        ),
        (Answer(503), errors.UnreachableError),
        (Answer(304), errors.MalformedAnswerError),
    ],
)
def test_a_document_that_was_not_accepted_is_not_delivered(told, error):
    url = f"{LYON}/federation/v1/notify"
    with pytest.raises(error):
        client.deliver(Shelf({url: told}), url, "a.b.c")


def test_the_list_of_problems_is_closed_and_each_has_a_status():
    assert set(errors.PROBLEMS) == {
        "invalid-document",
        "unknown-issuer",
        "key-unknown",
        "wrong-audience",
        "expired",
        "stale-rev",
        "not-peered",
        "suspended",
        "too-large",
        "rate-limited",
        "unsupported-version",
        "epoch-changed",
    }
    assert all(400 <= kind.status < 500 for kind in errors.PROBLEMS.values())


def test_each_error_has_a_code_of_its_own():
    found, open_classes = [], [errors.FederationError]
    while open_classes:
        kind = open_classes.pop()
        found.append(kind)
        open_classes.extend(kind.__subclasses__())
    assert len({kind.code for kind in found}) == len(found)
    assert all(kind.__doc__ for kind in found)


# --- a space of plain files


def files(**answers):
    space = entity.read(configuration(static=True), LYON, NOW, pinned_kid=keys.kid(ROOT))
    return Shelf(answers), space


@pytest.mark.parametrize("cursor", ["../../other", "a.b", "a/b", "?x", "é", "a" * 65])
def test_a_static_space_cannot_send_us_to_another_folder(cursor):
    shelf, space = files()
    with pytest.raises(errors.MalformedAnswerError):
        client.read_feed_page(shelf, space, cursor)
    assert shelf.asked == []


def test_the_pages_of_a_static_space_are_files_and_nobody_says_who_reads_them():
    shelf, space = files()
    base = f"{LYON}/federation/v1/feed"
    shelf.answers = {f"{base}.json": answer(PAGE), f"{base}-9-2.json": answer(PAGE)}
    client.read_feed_page(shelf, space, assertion="t", limit=5)
    client.read_feed_page(shelf, space, "9-2", assertion="t", limit=5, etag='"w"')
    assert shelf.asked == [
        ("GET", f"{base}.json", {"Accept": "application/json"}),
        ("GET", f"{base}-9-2.json", {"Accept": "application/json", "If-None-Match": '"w"'}),
    ]


@pytest.mark.parametrize("media_type", ["application/octet-stream", ""])
def test_a_file_server_may_not_know_what_a_signed_document_is(media_type):
    space = EntityId.parse(LYON)
    shelf = Shelf({space.configuration_url: answer(configuration(), media_type)})
    assert client.read_entity(shelf, space, NOW, pinned_kid=None).entity_id == LYON


@pytest.mark.parametrize("media_type", ["application/octet-stream", ""])
def test_a_page_that_nobody_signed_must_still_say_what_it_is(media_type):
    with pytest.raises(errors.MalformedAnswerError):
        read_page(answer(PAGE, media_type))


# --- questions about some, and about ourselves


HELD = f"{LYON}/federation/v1/held"
TOLD = {"items": ["a.b.c"], "next": "01AICHA", "more": False, "checkpoint": ""}


@pytest.mark.parametrize(
    "page",
    [
        [],
        TOLD | {"items": None},
        TOLD | {"items": [1]},
        TOLD | {"items": ["a"] * 201},
        TOLD | {"next": None},
        TOLD | {"next": "x" * 201},
        TOLD | {"more": 1},
        TOLD | {"more": True, "next": ""},
        TOLD | {"more": True, "next": "since"},
        TOLD | {"checkpoint": 1},
    ],
)
def test_what_is_no_page_of_what_is_held_is_refused_whole(page):
    shelf = Shelf({f"{HELD}?since=since": answer(page)})
    with pytest.raises(errors.MalformedAnswerError):
        client.read_held(shelf, lyon(), "since", assertion="t")


def test_a_space_that_does_not_tell_is_not_asked():
    silent = replace(lyon(), endpoints=replace(lyon().endpoints, held=""))
    shelf = Shelf()
    with pytest.raises(errors.MalformedAnswerError):
        client.read_held(shelf, silent, assertion="t")
    assert shelf.asked == []


def test_what_is_held_of_us_is_asked_for_under_our_name():
    shelf = Shelf({HELD: answer(TOLD)})
    page = client.read_held(shelf, lyon(), assertion="t")
    assert page == client.HeldPage(("a.b.c",), "01AICHA", False, "")
    assert shelf.asked[0][2]["Authorization"] == "Bearer t"


def test_documents_about_some_are_asked_for_by_name():
    shelf = Shelf({f"{FEED}?refs=a,b": answer(PAGE | {"next": ""})})
    page = client.read_feed_page(shelf, lyon(), refs=["a", "b"])
    assert page.items == ((3, "a.b.c"), (7, "d.e.f"))


# --- photos

IMAGE = b"RIFF a small picture WEBP"
PHOTO = Photo(
    url=f"{LYON}/federation/v1/photo/p",
    digest=hashlib.sha256(IMAGE).hexdigest(),
    type="image/webp",
    bytes=len(IMAGE),
    size=320,
)


def read_photo(image, media_type="image/webp", status=200):
    shelf = Shelf({PHOTO.url: Answer(status, {"content-type": media_type}, image)})
    return client.read_photo(shelf, PHOTO, assertion="w.o.rd"), shelf.asked


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((IMAGE[:-1] + b"X",), errors.PhotoDiffersError),
        ((IMAGE[:-1],), errors.PhotoDiffersError),
        ((b"",), errors.PhotoDiffersError),
        ((IMAGE, "image/png"), errors.MalformedAnswerError),
        ((IMAGE, "image/svg+xml"), errors.MalformedAnswerError),
        ((IMAGE, "text/html"), errors.MalformedAnswerError),
        ((IMAGE, "image/webp", 404), errors.MalformedAnswerError),
        ((IMAGE, "image/webp", 206), errors.MalformedAnswerError),
    ],
)
def test_a_photo_that_is_not_the_one_that_was_signed_is_refused(given, error):
    with pytest.raises(error):
        read_photo(*given)


def test_a_photo_comes_as_it_was_signed_to_whoever_says_who_they_are():
    image, asked = read_photo(IMAGE)
    assert image == IMAGE
    assert asked == [("GET", PHOTO.url, {"Accept": "image/webp", "Authorization": "Bearer w.o.rd"})]
    assert read_photo(IMAGE, "")[0] == IMAGE


def test_no_more_of_a_photo_is_read_than_was_signed():
    class Counted(Shelf):
        def get(self, url, *, max_bytes, headers=None):
            assert max_bytes == len(IMAGE)
            raise errors.TooLargeError("more")

    with pytest.raises(errors.TooLargeError):
        client.read_photo(Counted(), PHOTO)
