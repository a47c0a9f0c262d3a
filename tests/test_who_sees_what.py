"""A walk through everything that can be read, as everybody who might read it.

Each person below says a word of their own in every field. Each reader opens every address that
answers a GET (the routes name themselves: nothing is listed here), follows every link, and asks
every search for every word. What came back may hold only the words of those who agreed.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
import re
import zipfile
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import select

from app.database import db
from app.exchange import conversations
from app.exchange.describing import subject_of
from app.exchange.feeds import assertion_for
from app.exchange.publish import publish_member
from app.members import moderation, reporting
from app.members.moderation import Person
from app.members.reporting import Reported
from app.models.conversation import Conversation
from app.models.journal import note
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.photo import MirroredPhoto, Photo
from app.models.report import Report
from app.search.index import index_member
from federation import entity
from tests.neighbourhood import Neighbourhood, url_of
from tests.pictures import colour_of, picture
from tests.spaces import add_member, service, sign_in

#: Who says what to whom: the circle that the person chose, and a word that nothing else contains.
CIRCLES = ("me", "space", "neighbours", "web")
FIELDS = (
    "name", "headline", "bio", "profession", "location", "availability", "interest", "title",
    "offer", "version", "turned",
)  # fmt: skip
NEVER = ("email", "number")

#: People who are shown to nobody: they left, took it back, or were hidden by an admin here.
UNSEEN = ("gone", "withdrawn", "hidden")

#: Pages on which admins read the names of all members, to invite them, and nothing else of them.
LISTS = ("/members", "/reports")

#: Whose words each reader may meet.
READERS = {
    ("nantes", "visitor"): {"web"},
    ("nantes", "member"): {"web", "neighbours", "space"},
    ("nantes", "admin"): {"web", "neighbours", "space"},
    ("nantes", "me"): {"web", "neighbours", "space", "me"},
    ("nantes", "stranger"): {"web"},
    ("nantes", "neighbour"): {"web", "neighbours"},
    ("lyon", "visitor"): {"web"},
    ("lyon", "member"): {"web", "neighbours"},
    ("lyon", "admin"): {"web", "neighbours"},
}

#: The blocks of a profile, and the fields that each says; one person has each at another level.
BLOCKS = {
    "words": ("headline", "bio", "version"), "work": ("profession", "location"), "languages": (),
    "interests": ("interest",), "availability": ("availability",),
    "first": ("title", "offer", "turned"), "second": ("title", "offer", "turned"),
}  # fmt: skip
#: The colour of each person's photo: whose a photo is shows wherever it comes from.
COLOURS = {
    "me": (200, 30, 30), "space": (30, 160, 30), "neighbours": (30, 30, 200),
    "web": (220, 200, 30), "gone": (245, 245, 245), "withdrawn": (10, 10, 10),
    "hidden": (200, 40, 200),
}  # fmt: skip

#: The words of two conversations, each by the one reader who is in it.
TALKS = {("lyon", "member"): "zqlyonasks", ("nantes", "me"): "zqnantesasks"}

#: A language that nobody else speaks, by the level at which it is told.
SPOKEN = {
    "me": ("zu", "Zulu", '["zu"]'),
    "space": ("sw", "Swahili", '["sw"]'),
    "neighbours": ("is", "Icelandic", '["is"]'),
    "web": ("mt", "Maltese", '["mt"]'),
}

#: Routes that answer only to a secret which no reader here holds.
SECRET = {
    "sign_in.open", "sign_in.sent", "my_data.show_farewell", "letters.show", "providers.come_back",
    "still_true.show",
}  # fmt: skip

#: Routes that look for words.
SEARCHES = {"search.show", "search_api.show", "suggestions.show"}

#: A question for somebody's word, or for what somebody speaks.
ASKED = re.compile(r".*\?(?:q=zqx([a-z]+?)\1\1x|language=)([a-z]+)&scope=everywhere")

#: Any word of those whose blocks go to different circles; no chance letters of a nonce.
MIXED = re.compile(r"zqx(me|space|neighbours|web)\1\1x")

LINK = re.compile(r'(?:href|src|action|data-hx-get)="([^"#]+)')
TOKEN = re.compile(r"eyJ[\w-]+\.([\w-]+)\.[\w-]+")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def word(circle, field):
    return f"zq{circle}zq{field}"


def mixed(circle, field):
    """A word in a block that its person shows to ``circle``, whatever they show of the rest."""
    # Unlike enough for no word to pass for a slip of the finger in another.
    return f"zqx{circle * 3}x{field}"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("walk"), "lyon", "nantes")
    for circle in (*CIRCLES, *UNSEEN):
        _say(town, circle)
    for circles in (CIRCLES[:2], CIRCLES[:3], CIRCLES):
        for first in range(len(circles)):
            _say_to_each_their_own(town, [*circles[first:], *circles[:first]])
    for name in ("lyon", "nantes"):
        with town.at(name):
            add_member("Reader", audience="me", email=f"member@{name}.example")
            add_member("Keeper", audience="me", email=f"admin@{name}.example", admin=True)
    town.befriend("lyon", "nantes")
    town.publish("nantes", word("withdrawn", "name"), audience="me")
    _hide_and_report(town)
    _write_to_each_other(town)
    with town.at("nantes") as session:
        peer = session.scalars(select(Peer)).one()
        note(session, town.now, "refusal", "expired", peer=peer, evidence="a document")
    town.work()
    yield town
    town.close()


def _say(town, circle):
    shown = {"gone": "web", "withdrawn": "neighbours", "hidden": "web"}.get(circle, circle)
    texts = {field: word(circle, field) for field in FIELDS[1:6]}
    with town.at("nantes"):
        add_member(
            word(circle, "name"),
            audience="me",
            email=f"{word(circle, 'email')}@people.example",
            external_id=word(circle, "number"),
            interests=[word(circle, "interest")],
            translations=[{"lang": "de", "headline": word(circle, "version")}],
            services=(
                service(
                    word(circle, "title"),
                    description=word(circle, "offer"),
                    translations=[{"lang": "de", "title": word(circle, "turned")}],
                ),
            ),
            **texts,
        )
    town.wear("nantes", word(circle, "name"), picture(colours=[COLOURS[circle]] * 4))
    left = {"left_at": town.now} if circle == "gone" else {}
    town.publish("nantes", word(circle, "name"), audience=shown, **left)


def _say_to_each_their_own(town, circles):
    """Add somebody whose blocks go to one of ``circles`` after the other."""
    level = dict(zip(BLOCKS, itertools.cycle(circles), strict=False))
    said = {
        field: mixed(level[block], field)
        for block in ("words", "work", "availability")
        for field in BLOCKS[block]
    }
    version = {"lang": "de", "headline": said.pop("version")}
    with town.at("nantes") as session:
        member = add_member(
            mixed(max(level.values(), key=CIRCLES.index), "name"),
            audience="me",
            email=f"{'-'.join(circles)}@people.example",
            interests=[mixed(level["interests"], "interest")],
            languages=[SPOKEN[level["languages"]][0]],
            translations=[version],
            services=tuple(
                service(
                    mixed(level[each], "title"),
                    description=mixed(level[each], "offer"),
                    audience=level[each],
                    translations=[{"lang": "de", "title": mixed(level[each], "turned")}],
                )
                for each in ("first", "second")
            ),
            **said,
        )
        apart = {block: level[block] for block in list(BLOCKS)[:5]}
        member.present("me", apart, town.now)
        publish_member(session, member, town.identity("nantes"), town.now)
        index_member(session, member)


def _hide_and_report(town):
    """Let the admin hide somebody whom Lyon has a copy of, and a member report somebody."""
    with town.at("nantes") as session:
        members = {one.name: one for one in session.scalars(select(Member))}
        admin, reader = members["Keeper"].account, members["Reader"].account
        identity = town.identity("nantes")
        hidden, seen = members[word("hidden", "name")], members[word("space", "name")]
        person = Person(subject_of(hidden, identity), hidden.name, member=hidden)
        moderation.decide(session, "hide", person, "It is ugly", admin, identity, town.now)
        reported = Reported(Person(subject_of(seen, identity), seen.name, member=seen), "")
        reporting.report(session, reader, reported, "", "zqreport", town.now)


def _write_to_each_other(town):
    """Let the reader of Lyon ask whoever Nantes shows to the web, who asks somebody of their own.

    That is the one who is seen by nobody, while colleagues saw them.
    """
    shown, unseen = word("web", "name"), word("me", "name")
    with town.at("lyon") as session:
        reader = session.scalars(select(Member).filter_by(name="Reader")).one()
        profile = session.scalars(select(MirroredProfile).filter_by(name=shown)).one()
        to = conversations.Recipient(profile.subject, shown, "", "Nantes", profile.peer)
        asked = conversations.Request("question", TALKS["lyon", "member"])
        conversations.ask(session, reader, to, asked, town.identity("lyon"), town.now)
    town.work()
    town.publish("nantes", unseen, audience="space")
    colleague = conversations.Recipient(
        town.subject("nantes", unseen), unseen, "", "Nantes", peer=None
    )
    with town.at("nantes") as session:
        identity = town.identity("nantes")
        found = session.scalars(select(Conversation)).one()
        conversations.say(session, found, "message", "Yes.", identity, town.now)
        asked = conversations.Request("question", TALKS["nantes", "me"])
        conversations.ask(session, found.member, colleague, asked, identity, town.now)
    town.publish("nantes", unseen, audience="me")


def worn(town):
    """Return every photo that there is: whose, their reference, and under which digest."""
    with town.at("nantes") as session:
        ours = select(Member.name, Member.ref, Photo.digest).join_from(Member, Photo)
        found = session.execute(ours).all()
    with town.at("lyon") as session:
        theirs = select(MirroredProfile.name, MirroredProfile.subject, MirroredPhoto.digest)
        copied = session.execute(theirs.join_from(MirroredProfile, MirroredPhoto)).all()
    return [
        (name.split("zq")[1], subject.rpartition("/")[2], digest)
        for name, subject, digest in [*found, *copied]
    ]


class Walk:
    """One reader on the way through one space."""

    def __init__(self, town, space, reader):
        self.town, self.space, self.reader = town, space, reader
        self.app = town.apps[space]
        self.client = self.app.test_client()
        self.own = ""
        self.read = {}
        self.answered = {}
        self.faces = {}
        self.opened = set()
        if reader in ("member", "admin", "me"):
            self.own = f"{reader}@{space}.example"
            if reader == "me":
                self.own = f"{word('me', 'email')}@people.example"
            sign_in(self.client, self.own)

    def everywhere(self):
        for rule in self.app.url_map.iter_rules():
            if "GET" in rule.methods:
                for path in self._paths(rule):
                    self._open(path)
        words = [word(circle, field) for circle in CIRCLES for field in ("title",)]
        for rule, asked in itertools.product(self.app.url_map.iter_rules(), words):
            if "GET" in rule.methods and not rule.arguments:
                # Whoever does not search takes no notice of the question.
                self._open(f"{rule.rule}?q={asked}&scope=everywhere")
        for rule, circle, field in itertools.product(
            self.app.url_map.iter_rules(), CIRCLES, FIELDS
        ):
            if rule.endpoint in SEARCHES:
                self._open(f"{rule.rule}?q={mixed(circle, field)}&scope=everywhere")
        for rule, circle in itertools.product(self.app.url_map.iter_rules(), CIRCLES):
            if rule.endpoint in SEARCHES:
                self._open(f"{rule.rule}?language={SPOKEN[circle][0]}&scope=everywhere")
        self._follow()

    def _paths(self, rule):
        with self.app.app_context():
            peers = _all(Peer.ref)
            refs = [*_all(Member.ref), *peers, *_all(Report.ref), *_all(Conversation.ref)]
            their = [each.rpartition("/")[2] for each in _all(Member.ref)]
        with self.town.at("nantes"):
            their += _all(Member.ref)
        known = {
            "ref": sorted({*refs, *their}),
            # And one that is no neighbour; all with all would be thousands of pages.
            "peer_ref": [*peers, refs[0]],
            "number": [str(number) for number in range(1, 8)],
            "name": ["mitoyen.css"],
        }
        if "digest" in rule.arguments:
            # Each photo under the address of everybody who has one.
            _whose, wearing, digests = zip(*worn(self.town), strict=True)
            known |= {"ref": sorted(set(wearing)), "digest": sorted(set(digests))}
        names = sorted(rule.arguments)
        for values in itertools.product(*(known.get(name, ["nothing"]) for name in names)):
            path = rule.rule
            for name, value in zip(names, values, strict=True):
                path = re.sub(rf"<(?:\w+:)?{name}>", value, path)
            yield path

    def _follow(self):
        followed = set()
        while (
            links := {link for path, body in self.read.items() for link in _links(path, body)}
            - followed
        ):
            followed |= links
            for link in links - self.read.keys():
                self._open(link)

    def _open(self, path):
        if path in self.read or path.startswith("/static/"):
            return
        headers = self._credentials(path)
        got = self.client.get(path, headers=headers)
        assert got.status_code < 500, path
        self.answered[path] = got.status_code
        endpoint = (
            self.app.url_map.bind("x").match(urlsplit(path).path)[0]
            if got.status_code < 300
            else ""
        )
        self.opened.add(endpoint)
        told = "\n".join(f"{name}: {value}" for name, value in got.headers)
        files = _unpacked(got.data)
        photos = [one for one in files if one.startswith(b"RIFF")]
        self.faces[path] = {_whose(photo) for photo in photos}
        body = told + "\n" + _text(b"\n".join(one for one in files if one not in photos))
        # Pages repeat the question; who answers it says other words too.
        for asked in re.findall(r"[?&]q=(zq\w+)", path):
            body = body.replace(asked, "")
        self.read[path] = body

    def _credentials(self, path):
        if self.reader != "neighbour" or not path.startswith("/federation/"):
            return {}
        lyon = self.town.identity("lyon")
        plate = entity.read(
            self.client.get("/.well-known/openid-federation").text, url_of("nantes"),
            self.town.now, pinned_kid=None,
        )  # fmt: skip
        bare = url_of("nantes") + urlsplit(path).path
        return {"Authorization": f"Bearer {assertion_for(bare, plate, lyon, self.town.now)}"}


def _all(column):
    return list(db.session.scalars(select(column)))


def _links(path, body):
    for link in LINK.findall(body):
        parts = urlsplit(urljoin(path, html.unescape(link)))
        if not parts.scheme and not parts.netloc and parts.path.startswith("/"):
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def _unpacked(data):
    """Return the files in an answer: those of an archive, or the one that it is."""
    if data[:2] != b"PK":
        return [data]
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return [folder.read(name) for name in folder.namelist()]


def _whose(photo):
    """Return who is to be seen."""
    found = colour_of(photo)
    return min(COLOURS, key=lambda each: math.dist(COLOURS[each], found))


def _text(data):
    """Return everything readable in an answer, signed documents decoded."""
    text = html.unescape(data.decode("utf-8", "replace"))
    claims = (base64.urlsafe_b64decode(found + "==").decode() for found in TOKEN.findall(text))
    return text + "\n".join(claims)


@pytest.fixture(scope="module")
def walks(town):
    done = {}
    for space, reader in READERS:
        done[space, reader] = Walk(town, space, reader)
        done[space, reader].everywhere()
    return done


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
def test_a_reader_meets_the_words_of_those_who_agreed_and_no_others(walks, space, reader):
    walk = walks[space, reader]
    read = {path: _beside_names(reader, path, body) for path, body in walk.read.items()}
    text = "\n".join(read.values())
    met = {
        circle
        for circle in (*CIRCLES, *UNSEEN)
        if any(word(circle, field) in text for field in FIELDS)
    }
    where = {
        circle: [path for path, body in read.items() if f"zq{circle}zq" in body][:3]
        for circle in met - READERS[space, reader]
    }
    assert met == READERS[space, reader], where


def _beside_names(reader, path, body):
    """Leave out what only admins read, and only in the list of members: names."""
    if reader != "admin" or not path.startswith(LISTS):
        return body
    for circle in (*CIRCLES, *UNSEEN):
        body = body.replace(word(circle, "name"), "")
    return body


@pytest.mark.parametrize("reader", ["visitor", "member", "admin", "me", "stranger"])
def test_only_admins_read_what_was_reported(walks, reader):
    """The admin does: otherwise the walk would not have come to the page."""
    text = "\n".join(
        body for path, body in walks["nantes", reader].read.items() if not path.startswith("/me/")
    )
    assert ("zqreport" in text) is (reader == "admin")


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
def test_no_address_and_no_number_of_a_list_is_met_by_anybody(walks, space, reader):
    walk = walks[space, reader]
    kept = {word(circle, field) for circle in (*CIRCLES, "gone") for field in NEVER}
    for path, body in walk.read.items():
        if reader == "me" and path.startswith("/me"):
            continue
        addresses = set(ADDRESS.findall(body)) - {walk.own}
        assert addresses == set(), path
        found = {one for one in kept if one in body.replace(walk.own or "\0", "")}
        assert found == set(), path


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
@pytest.mark.parametrize("field", [*FIELDS, "language"])
def test_each_block_is_met_by_those_to_whom_it_goes_and_by_nobody_else(walks, space, reader, field):
    walk = walks[space, reader]
    circles = [circle for circle in CIRCLES if (circle, field) != ("me", "name")]
    names = {
        circle: SPOKEN[circle][1:] if field == "language" else (mixed(circle, field),)
        for circle in circles
    }
    where = {
        circle: [
            path
            for path, body in walk.read.items()
            if any(one in body for one in told)
            and not (field == "language" and "language=" in path)
        ][:3]
        for circle, told in names.items()
    }
    met = {circle for circle, paths in where.items() if paths}
    assert met == READERS[space, reader] - {"me"}, where


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
def test_a_word_that_a_reader_may_not_see_finds_nobody(walks, space, reader):
    walk = walks[space, reader]
    asked = {path: found for path in walk.read if (found := ASKED.fullmatch(path))}
    told = {tag: circle for circle, (tag, *_said) in SPOKEN.items()}
    hidden = [
        path
        for path, found in asked.items()
        if (found[1] or told[found[2]]) not in READERS[space, reader] - {"me"}
    ]
    assert len(hidden) >= len(FIELDS)
    for path in hidden:
        assert not MIXED.search(walk.read[path]), path
    # And where it may be seen, it does find somebody; a program is a visitor everywhere.
    seen = [path for path, found in asked.items() if (found[1], found[2]) == ("web", "title")]
    assert {urlsplit(path).path for path in seen if MIXED.search(walk.read[path])} >= {
        "/search",
        "/api/search",
    }


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
def test_a_photo_is_given_to_who_may_see_the_person_and_is_not_there_for_others(
    town, walks, space, reader
):
    walk, seen = walks[space, reader], READERS[space, reader]
    assert set().union(*walk.faces.values()) == seen
    asked = {path: path.rpartition("/photo/")[2] for path in walk.answered if "/photo/" in path}
    unseen = {digest for circle, _ref, digest in worn(town) if circle not in seen}
    assert unseen
    assert unseen <= set(asked.values())
    given = {path: walk.answered[path] for path, digest in asked.items() if digest in unseen}
    assert {path: status for path, status in given.items() if status != 404} == {}


def test_lyon_has_copies_of_the_photos_of_those_alone_whom_nantes_shows_it(town):
    assert town.faces("lyon") == {word("neighbours", "name"): True, word("web", "name"): True}


@pytest.mark.parametrize(("space", "reader"), READERS, ids=[" ".join(one) for one in READERS])
def test_a_conversation_is_read_by_the_two_and_by_nobody_else(town, walks, space, reader):
    walk = walks[space, reader]
    text = "\n".join(walk.read.values())
    talks = {TALKS[space, reader]} if (space, reader) in TALKS else set()
    assert {words for words in TALKS.values() if words in text} == talks
    with town.at(space) as session:
        theirs = {
            one.ref
            for one in session.scalars(select(Conversation))
            if one.member.account.email != walk.own
        }
    asked = {
        path: status
        for path, status in walk.answered.items()
        if theirs & set(urlsplit(path).path.split("/"))
    }
    assert theirs <= {part for path in asked for part in path.split("/")}
    assert [path for path, status in asked.items() if status < 300] == []


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_who_agreed_is_met_somewhere(walks, field):
    """Otherwise the walk would find nothing because it looks at nothing."""
    text = "\n".join(walks["lyon", "member"].read.values())
    assert word("neighbours", field) in text


def test_the_walk_leaves_out_no_route(town, walks):
    names = {
        rule.endpoint for rule in town.apps["nantes"].url_map.iter_rules() if "GET" in rule.methods
    }
    opened = set().union(*(walk.opened for walk in walks.values()))
    assert names - opened - SECRET - {"assets.show"} == set()
