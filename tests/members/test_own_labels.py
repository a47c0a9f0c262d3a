"""A space's own words: what no file may say, who gets a code by them, and how they are found."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange.publish import publish_members
from app.members.own_labels import WORDS, OwnLabelsError, adopt, read_labels
from app.models.feed import FeedEntry
from app.models.member import Member
from app.models.space import Space
from app.search.index import check, index_member
from tests.search.town import service, town

SPACE = Space(url="https://lyon.example", name="Lyon", city="Lyon", country="FR")
FILE = """
"Dompteuse de tableurs" = "spreadsheets"
"Fileuse de laine" = "textile-design"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Graphotrice branding", "no TOML"),
        ('"Graphotrice" = "no-such-code"', "no code 'no-such-code'"),
        ('"Graphotrice" = 3', "no code 3"),
        ('[Graphotrice]\ncode = "branding"', "no code {'code': 'branding'}"),
        ('"" = "branding"', "is empty"),
        ('" x" = "branding"', "has blanks"),
        ('"a\\u0000b" = "branding"', "has blanks or signs"),
        (f'"{"x" * 81}" = "branding"', "has 81 characters"),
        ('"Avocate" = "branding"', "already means lawyer"),
        ('"Été" = "branding"\n"ete" = "logo"', "twice"),
        ("\n".join(f'"w{n}" = "branding"' for n in range(WORDS + 1)), "may have 500"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(text, said):
    with pytest.raises(OwnLabelsError) as refused:
        read_labels(text)
    assert any(said in problem for problem in refused.value.problems), refused.value.problems


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(OwnLabelsError) as refused:
        read_labels('"A word" = "nowhere"\n"Avocate" = "branding"')
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    "asked", ["dompteuse de tableurs", "Dompteuses de tableurs ", "dompteuze de tableurs"]
)
def test_a_word_of_the_space_finds_whoever_offers_what_it_stands_for(asked):
    with town() as lyon:
        lyon.member("Ann", service("Excel", "spreadsheets"))
        assert lyon.names(asked) == []
        lyon.here.labels = read_labels(FILE)
        assert lyon.names(asked) == ["Ann"]


def test_words_of_one_space_mean_nothing_in_another():
    with town() as lyon, town() as nantes:
        for one in (lyon, nantes):
            one.member("Ann", service("Excel", "spreadsheets"))
        lyon.here.labels = read_labels(FILE)
        assert (lyon.names("dompteuse de tableurs"), nantes.names("dompteuse de tableurs")) == (
            ["Ann"],
            [],
        )


def test_whoever_bears_the_word_without_a_code_gets_it_and_is_signed_anew(directory):
    session, now = directory.session, directory.now
    ann = bearing(directory, "Ann", "", "dompteuse DE tableurs")
    bea = bearing(directory, "Bea", "branding", "Fileuse de laine")
    publish_members(session, [ann, bea], directory.identity, now, lambda _done: None)
    assert adopt(session, SPACE, read_labels(FILE), directory.identity, now) == 1
    assert [one.services[0].speciality for one in (ann, bea)] == ["spreadsheets", "branding"]
    revisions = dict(session.execute(select(FeedEntry.subject, FeedEntry.revision)).all())
    assert sorted(revisions.values()) == [1, 2]
    assert check(session) == []
    assert adopt(session, SPACE, read_labels(FILE), directory.identity, now) == 0


def bearing(directory, name, code, label):
    """Add somebody whom neighbours see, with one service under a word of their own."""
    given = service("Conseil", code, speciality_label=label)
    member = Member(
        name=name,
        audience="neighbours",
        consent_at=directory.now,
        services=[given],
        created_at=directory.now,
        updated_at=directory.now,
    )
    directory.session.add(member)
    index_member(directory.session, member)
    return member
