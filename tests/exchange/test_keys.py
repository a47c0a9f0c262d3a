"""Keys that rotate without anybody noticing, and keys that are believed no more."""

from __future__ import annotations

import stat
import tarfile

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.cli import main
from app.exchange import rotation
from app.exchange.identity import KEY_FILES, NEXT_OPERATIONAL, create_keys, load_identity
from app.models.feed import FeedEntry, FeedState
from app.models.member import Member
from app.models.peer import MirroredProfile
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.keys import kid
from tests.databases import databases

URL = "https://nantes.example"
CLAIRE, GWEN = "Claire Vasseur", "Gwen Le Bihan"


@pytest.fixture
def run(neighbours):
    """Type a command in the shell of Nantes."""
    folder = neighbours.folder / "nantes"
    environment = {
        "MITOYEN_DATA": str(folder),
        "MITOYEN_DATABASE": databases.of(folder),
        "MITOYEN_MAIL": "console",
    }

    def type_in(*words, ok=True, **given):
        done = CliRunner().invoke(main, words, env=environment, catch_exceptions=False, **given)
        assert (done.exit_code == 0) is ok, done.output
        neighbours.read_keys("nantes")
        return done

    return type_in


def operational(town):
    return kid(town.identity("nantes").operational_key)


def signers(town):
    with town.at("lyon") as session:
        return set(session.scalars(select(MirroredProfile.kid)))


def refusals(town):
    return [code for name in town.apps for code in town.journal(name, "refusal")]


# --- files


@pytest.fixture
def folder(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_nothing_but_an_operational_key_that_is_published_can_be_revoked(folder, neighbours):
    identity = load_identity(folder, URL)
    for name in ("nonsense", identity.root_kid, identity.next_kid):
        with pytest.raises(rotation.KeyChangeError):
            rotation.revoke(folder, name, neighbours.now)
    assert load_identity(folder, URL).published_keys == load_identity(folder, URL).published_keys
    assert kid(load_identity(folder, URL).operational_key) == kid(identity.operational_key)


def test_so_many_keys_that_peers_would_refuse_them_are_never_published(folder, neighbours):
    for _ in range(rotation.MOST_RETIRED):
        rotation.rotate(folder, neighbours.now)
    with pytest.raises(rotation.KeyChangeError, match="still published"):
        rotation.rotate(folder, neighbours.now)
    assert len(load_identity(folder, URL).published_keys) == 8
    neighbours.later(days=31)
    rotation.rotate(folder, neighbours.now)
    assert len(load_identity(folder, URL).published_keys) == 3


def test_the_announced_keys_follow_and_no_private_half_stays_behind(folder, neighbours):
    before = load_identity(folder, URL)
    secrets = {path.name: path.read_text() for path in folder.iterdir()}
    assert rotation.rotate(folder, neighbours.now) == kid(before.next_operational)
    assert rotation.roll_root(folder, neighbours.now) == before.next_kid
    after = load_identity(folder, URL)
    assert after.root_kids == (before.next_kid, before.root_kid)
    assert [kid(key) for key in after.retired.operational] == [kid(before.operational_key)]
    assert not any(key.is_private for key in after.retired.operational)
    left = "".join(path.read_text() for path in folder.iterdir())
    for name in ("root.json", "operational.json"):
        assert secrets[name].split('"d": "')[1].split('"')[0] not in left
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o600}


def test_a_backup_is_its_owners_alone_and_never_written_over_another(folder, tmp_path):
    archive = tmp_path / "keys.tar.gz"
    rotation.backup(folder, archive)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as found:
        assert {member.name for member in found} == {
            f"keys/{name}" for name in (*KEY_FILES, NEXT_OPERATIONAL)
        }
        assert {member.mode for member in found} == {0o600}
    with pytest.raises(FileExistsError):
        rotation.backup(folder, archive)


# --- among neighbours


def test_a_rotated_key_is_noticed_by_nobody(neighbours, run):
    before = operational(neighbours)
    run("keys", "rotate")
    assert operational(neighbours) != before
    neighbours.later(minutes=10)
    neighbours.publish("nantes", GWEN)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE, GWEN}
    assert signers(neighbours) == {operational(neighbours)}
    assert refusals(neighbours) == []
    assert neighbours.peer("lyon", "nantes", "roots_agree", "failures") == (True, 0)
    assert neighbours.peer("nantes", "lyon", "failures") == 0


def test_after_a_month_the_former_key_is_gone_and_nothing_is_missed(neighbours, run):
    before = operational(neighbours)
    run("keys", "rotate")
    for _ in range(4):
        neighbours.later(days=10)
        neighbours.work()
    run("keys", "list")
    kept = [row.kid for row in rotation.listed(neighbours.identity("nantes"))]
    assert before not in kept
    assert neighbours.seen("lyon") == {CLAIRE}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_rotating_by_schedule_leaves_a_young_key_alone(neighbours, run):
    before = operational(neighbours)
    assert "nothing to do" in run("keys", "rotate", "--older-than", "365000").output
    assert operational(neighbours) == before


def forged(town, **claims):
    """A profile of somebody who does not exist, signed with the stolen key of Nantes."""
    with town.at("nantes") as session:
        genuine = session.scalars(select(FeedEntry).filter_by(kind="profile")).first()
        told = signing.unverified_claims(genuine.jws, Profile.typ) | claims
    return signing.sign(told, town.identity("nantes").operational_key, Profile.typ)


def test_what_a_revoked_key_signed_is_dropped_at_the_next_reading(neighbours, run):
    stolen = operational(neighbours)
    token = forged(neighbours, sub=f"{URL}/m/nobody", rev=9, name="Mallory")
    with neighbours.at("lyon") as session:
        row = session.scalars(select(MirroredProfile)).one()
        session.add(
            MirroredProfile(
                peer_id=row.peer_id, subject=f"{URL}/m/nobody", revision=9, epoch=row.epoch,
                jws=token, digest=signing.digest(token), kid=stolen, document=row.document,
                name="Mallory", issued_at=row.issued_at, expires_at=row.expires_at,
                received_at=row.received_at,
            )
        )  # fmt: skip
    assert neighbours.held("lyon") == {CLAIRE, "Mallory"}
    neighbours.later(minutes=15)
    run("keys", "revoke", stolen)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE}
    assert signers(neighbours) == {operational(neighbours)} != {stolen}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True
    assert "peer.key-revoked" in neighbours.journal("lyon")


def test_a_false_withdrawal_by_a_revoked_key_is_undone(neighbours, run):
    stolen = operational(neighbours)
    subject = neighbours.subject("nantes", CLAIRE)
    told = {
        "iss": URL, "sub": subject, "rev": 999_999, "reason": "withdrawn",
        "iat": int(neighbours.now.timestamp()), "exp": int(neighbours.now.timestamp()) + 8_000_000,
    }  # fmt: skip
    token = signing.sign(told, neighbours.identity("nantes").operational_key, Withdrawal.typ)
    with neighbours.at("nantes") as session:
        entry = session.get(FeedEntry, subject)
        genuine = entry.jws
        entry.jws, entry.seq = token, entry.seq + 1
        session.get(FeedState, 1).seq += 1
    neighbours.later(hours=2)
    neighbours.work_at("lyon")
    assert neighbours.held("lyon") == set()
    with neighbours.at("nantes") as session:
        session.get(FeedEntry, subject).jws = genuine
    run("keys", "revoke", stolen)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_a_key_that_nobody_published_cannot_be_revoked(neighbours, run):
    done = run("keys", "revoke", "nonsense", ok=False)
    assert "No operational key nonsense" in done.stderr


def test_the_root_key_rolls_and_a_neighbour_that_confirmed_the_old_one_is_not_refused(
    neighbours, run
):
    before = neighbours.identity("nantes").root_kid
    run("keys", "rotate", "--root")
    assert neighbours.identity("nantes").root_kid != before
    neighbours.later(hours=2)
    neighbours.publish("lyon", "Bastien Rey")
    neighbours.publish("nantes", GWEN)
    neighbours.work()
    assert (neighbours.held("nantes"), neighbours.held("lyon")) == ({"Bastien Rey"}, {CLAIRE, GWEN})
    neighbours.later(days=8)
    neighbours.work()
    now = neighbours.identity("nantes").root_kid
    assert neighbours.peer("lyon", "nantes", "ours", "root_kid") == ("approved", now)
    assert neighbours.peer("nantes", "lyon", "their_kid_seen") == now
    # Nobody worked for those eight days.
    assert set(refusals(neighbours)) <= {"frozen"}


def test_the_list_shows_thumbprints_and_nothing_private(neighbours, run):
    told = run("keys", "list").output
    assert f"{operational(neighbours)}  operational" in told
    assert f"{neighbours.identity('nantes').root_kid}  root" in told
    assert len(told.splitlines()) == 4


def test_a_running_space_takes_up_a_changed_key_by_itself(neighbours, run):
    plate = "/.well-known/openid-federation"
    client = neighbours.apps["nantes"].test_client()
    before = client.get(plate).text
    run("keys", "rotate")
    neighbours.later(seconds=1)
    assert client.get(plate).text != before


# --- coming back from a backup


def test_without_a_yes_nothing_is_restored(neighbours, run):
    with neighbours.at("nantes") as session:
        epoch = session.get(FeedState, 1).epoch
    run("restored", input="n\n", ok=False)
    with neighbours.at("nantes") as session:
        assert session.get(FeedState, 1).epoch == epoch


def put_back(town, name, copy):
    """Restore the database of a space, as an operator does with its services stopped."""
    database = town.folder / name / "mitoyen.db"
    with town.at(name) as session:
        engine = session.get_bind()
    engine.dispose()
    for path in town.folder.glob(f"{name}/mitoyen.db*"):
        path.unlink()
    database.write_bytes(copy)


def copy_of(town, name):
    with town.at(name) as session:
        engine = session.get_bind()
    engine.dispose()
    return (town.folder / name / "mitoyen.db").read_bytes()


@pytest.mark.sqlite
def test_a_restored_space_is_read_anew_and_what_is_said_next_counts(neighbours, run):
    kept = copy_of(neighbours, "nantes")
    for day in range(3):
        neighbours.later(days=1)
        neighbours.publish("nantes", CLAIRE, headline=f"Day {day}")
        neighbours.work()
    put_back(neighbours, "nantes", kept)
    run("restored", "--yes")
    neighbours.later(hours=1)
    neighbours.publish("nantes", CLAIRE, headline="After the restore")
    neighbours.work()
    with neighbours.at("lyon") as session:
        row = session.scalars(select(MirroredProfile)).one()
        assert row.document["headline"] == "After the restore"
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True
    assert "rollback" not in neighbours.journal("lyon")


@pytest.mark.sqlite
def test_a_restored_backup_resurrects_nobody_among_the_neighbours(neighbours, run):
    kept = copy_of(neighbours, "nantes")
    neighbours.later(days=1)
    neighbours.publish("nantes", CLAIRE, audience="me")
    neighbours.work()
    assert neighbours.held("lyon") == set()
    put_back(neighbours, "nantes", kept)
    run("restored", "--yes")
    for _ in range(3):
        neighbours.later(hours=2)
        neighbours.work()
    assert neighbours.held("lyon") == set()
    with neighbours.at("nantes") as session:
        assert session.scalars(select(Member).filter_by(name=CLAIRE)).one().revision > 10_000


# --- clocks


def test_a_key_revoked_in_the_moment_of_a_rotation_leaves_nothing_of_its_own(neighbours, run):
    run("keys", "rotate")
    compromised = operational(neighbours)
    run("keys", "revoke", compromised)
    neighbours.later(days=1)
    neighbours.work()
    assert signers(neighbours) == {operational(neighbours)} != {compromised}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_what_another_key_signed_is_signed_again_though_the_clock_was_set_back(neighbours, run):
    """All that Nantes has signed is dated two hours ahead of the change of keys."""
    former = operational(neighbours)
    neighbours.later(hours=-2)
    run("keys", "rotate")
    with neighbours.at("nantes") as session:
        entry = session.scalars(select(FeedEntry)).one()
        assert entry.kid == signing.kid_of(entry.jws) == operational(neighbours) != former
    neighbours.later(hours=4)
    neighbours.work()
    assert signers(neighbours) == {operational(neighbours)}
    assert refusals(neighbours) == []
