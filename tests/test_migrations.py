"""How the database comes to look as the code expects, and what happens when it does not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from app.migrations import DatabaseNewerError, check, configuration, downgrade, upgrade
from app.models.base import Base
from app.models.engine import open_engine
from app.models.member import FIELDS_OF, Member
from tests.databases import databases


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(databases.of(tmp_path))
    yield engine
    engine.dispose()


def revisions(engine):
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_build_every_table_that_the_models_describe(engine):
    upgrade(engine)
    assert tables(engine) == set(Base.metadata.tables)
    with engine.begin() as connection:
        command.check(configuration(connection))


def test_each_migration_goes_up_and_down_again(engine):
    for revision in revisions(engine):
        upgrade(engine, revision)
    for revision in [*reversed(revisions(engine)[:-1]), "base"]:
        downgrade(engine, revision)
    assert tables(engine) == set()


def test_migrating_twice_changes_nothing(engine):
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert check(connection)


def test_a_database_of_a_newer_version_is_left_alone(engine):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewerError, match="newer version"):
        upgrade(engine)


def test_what_was_signed_before_knows_by_which_key(engine):
    upgrade(engine, "0006")
    header = base64.urlsafe_b64encode(b'{"alg": "Ed25519", "kid": "k5"}').decode().rstrip("=")
    columns = "subject, seq, kind, revision, audience, jws, digest, fingerprint, "
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO feed_entry ({columns} signed_at, expires_at, latest_expiry) VALUES "
                f"('s', 1, 'profile', 1, 'peers', '{header}.e30.c2ln', '', '', "
                "'2026-01-01', '2026-01-01', '2026-01-01')"
            )
        )
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT kid FROM feed_entry")) == "k5"


def test_whoever_is_signed_in_has_come_in_and_silences_get_the_names_of_conversations(engine):
    upgrade(engine, "0011")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO member (id, ref, name, headline, bio, profession, location, locale, "
            "languages, interests, availability, audience, revision, imported, created_at, "
            "updated_at) VALUES (1, 'm', 'Maud', '', '', '', '', '', '[]', '[]', '', 'me', 0, "
            "'{}', '2026-01-01', '2026-01-01')",
            "INSERT INTO account (id, ref, email, role, locale, created_at) VALUES "
            "(1, 'a', 'a@x.example', 'member', '', '2026-01-01'), "
            "(2, 'b', 'b@x.example', 'member', '', '2026-01-01')",
            "INSERT INTO sign_in (digest, ref, account_id, agent, started_at, expires_at) VALUES "
            "('d', 's', 1, '', '2026-02-03', '2026-03-03')",
            "INSERT INTO conversation (ref, member_id, opened_by, wire_id, mine, other, "
            "other_name, other_headline, other_space, kind, service_ref, service_title, timing, "
            "budget, state, their_email, created_at, updated_at) VALUES ('c', 1, 'x', 'y', "
            "false, 'https://n.example/m/1', 'Claire', '', 'Nantes', 'question', '', '', '', '', "
            "'closed', '', '2026-01-01', '2026-01-01')",
            "INSERT INTO silence (member_id, other, since) VALUES "
            "(1, 'https://n.example/m/1', '2026-01-01'), "
            "(1, 'https://n.example/m/2', '2026-01-01')",
        ):
            connection.execute(text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        came = connection.execute(text("SELECT came_at IS NOT NULL FROM account ORDER BY id"))
        assert [bool(row[0]) for row in came] == [True, False]
        silences = connection.execute(text("SELECT kind, name, space FROM silence ORDER BY other"))
        assert [tuple(row) for row in silences] == [
            ("block", "Claire", "Nantes"),
            ("block", "", ""),
        ]


def test_whoever_signed_in_before_had_proved_then_who_they_are(engine):
    upgrade(engine, "0014")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO account (id, ref, email, role, locale, created_at) VALUES "
            "(1, 'a', 'a@x.example', 'member', '', '2026-01-01')",
            "INSERT INTO sign_in (digest, ref, account_id, agent, started_at, expires_at) VALUES "
            "('d', 's', 1, '', '2026-02-03', '2026-03-03')",
        ):
            connection.execute(text(statement))
    upgrade(engine, "0015")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sign_in WHERE proved_at = started_at"))
        assert connection.scalar(text("SELECT count(*) FROM provider_identity")) == 0


def test_whoever_was_there_before_photos_has_none(engine):
    upgrade(engine, "0013")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO member (id, ref, name, headline, bio, profession, location, locale, "
                "languages, interests, availability, audience, revision, imported, created_at, "
                "updated_at) VALUES (1, 'm', 'Maud', '', '', '', '', '', '[]', '[]', '', 'me', 0, "
                "'{}', '2026-01-01', '2026-01-01')"
            )
        )
    upgrade(engine, "0014")
    with engine.connect() as connection:
        assert str(connection.scalar(text("SELECT photo FROM member"))) == "{}"
        assert connection.scalar(text("SELECT count(*) FROM photo")) == 0


def test_one_circle_for_everything_becomes_one_for_each_block_with_the_day_of_the_consent(engine):
    upgrade(engine, "0015")
    columns = (
        "ref, name, headline, bio, profession, location, locale, languages, interests, "
        "availability, revision, imported, photo, created_at, updated_at"
    )
    said = "'', '', '', '', '', '[]', '[]', '', 0, '{}', '{}', '2026-01-01', '2026-01-01'"
    with engine.begin() as connection:
        for number, (name, audience, consent, left) in enumerate(
            (
                ("Only me", "me", "NULL", "NULL"),
                ("Space", "space", "'2026-01-05'", "NULL"),
                ("Neighbours", "neighbours", "'2026-02-05'", "NULL"),
                ("Web", "web", "'2026-03-05'", "NULL"),
                ("Gone", "web", "'2026-03-05'", "'2026-04-01'"),
            ),
            start=1,
        ):
            connection.execute(
                text(
                    f"INSERT INTO member (id, audience, consent_at, left_at, {columns}) VALUES "
                    f"({number}, '{audience}', {consent}, {left}, 'm{number}', '{name}', {said})"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO service (member_id, ref, position, title, description, "
                    "speciality, speciality_label, mode, currency, unit, remote, languages) VALUES "
                    f"({number}, 's{number}', 0, 'Help', '', '', '', 'paid', 'EUR', 'hour', false, "
                    "'[]')"
                )
            )
    upgrade(engine)
    with Session(engine) as session:
        blocks = {"name", "words", "work", "languages", "interests", "availability"}
        for member in session.scalars(select(Member).order_by(Member.id)):
            shown = {member.circle_of(block) for block in FIELDS_OF}
            assert shown | {member.circle_of(one) for one in member.services} == {member.audience}
            log = {
                (line.circle, line.block, line.at.date().isoformat(), line.given, line.said_by)
                for line in member.consents
            }
            day, circles = {
                "Neighbours": ("2026-02-05", ["neighbours"]),
                "Web": ("2026-03-05", ["neighbours", "web"]),
            }.get(member.name, ("", []))
            assert log == {
                (circle, block, day, True, "earlier")
                for circle in circles
                for block in (*blocks, f"service:s{member.id}")
            }
            # What stands in the log is what is so: saving writes nothing more.
            before = len(member.consents)
            member.write_consents(datetime(2026, 5, 1, tzinfo=UTC))
            assert len(member.consents) == before


def test_going_back_to_one_circle_shows_nobody_more_than_they_chose(engine):
    upgrade(engine)
    now = datetime(2026, 5, 1, tzinfo=UTC)
    with Session(engine) as session:
        for name, blocks in (("Plain", {}), ("Particular", {"work": "space"})):
            member = Member(name=name, created_at=now, updated_at=now)
            member.present("web", blocks, now)
            session.add(member)
        session.commit()
    downgrade(engine, "0015")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT name, audience FROM member ORDER BY id"))
        assert [tuple(row) for row in found] == [("Plain", "web"), ("Particular", "me")]


def test_whoever_was_there_before_doors_could_close_has_both_of_them_open(engine):
    upgrade(engine, "0016")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO member (id, ref, name, headline, bio, profession, location, locale, "
                "languages, interests, availability, audience, usual_audience, block_audiences, "
                "revision, imported, created_at, updated_at) VALUES (1, 'm', 'Maud', '', '', '', "
                "'', '', '[]', '[]', '', 'me', '', '{}', 0, '{}', '2026-01-01', '2026-01-01')"
            )
        )
    upgrade(engine, "0017")
    with engine.connect() as connection:
        doors = "takes_questions, takes_quotes, closed_until IS NULL, closed_word"
        [row] = connection.execute(text(f"SELECT {doors} FROM member"))  # noqa: S608  # our own
        assert [bool(each) for each in row] == [True, True, True, False]


def test_whoever_was_there_before_further_languages_has_texts_in_none(engine):
    upgrade(engine, "0018")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO member (id, ref, name, headline, bio, profession, location, locale, "
                "languages, interests, availability, audience, usual_audience, block_audiences, "
                "takes_questions, takes_quotes, closed_word, photo, revision, imported, "
                "created_at, updated_at) VALUES (1, 'm', 'Maud', 'Plans', '', '', '', 'fr', "
                "'[]', '[]', '', 'me', '', '{}', true, true, '', '{}', 0, '{}', '2026-01-01', "
                "'2026-01-01')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO service (member_id, ref, position, title, description, speciality, "
                "speciality_label, mode, currency, unit, remote, audience, languages) VALUES "
                "(1, 's', 0, 'Help', '', '', '', 'paid', 'EUR', 'hour', false, '', '[]')"
            )
        )
    upgrade(engine)
    with Session(engine) as session:
        [maud] = session.scalars(select(Member))
        assert (maud.headline, maud.locale, maud.translations) == ("Plans", "fr", [])
        assert [one.translations for one in maud.services] == [[]]
    downgrade(engine, "0018")
    assert "translations" not in {one["name"] for one in inspect(engine).get_columns("member")}
