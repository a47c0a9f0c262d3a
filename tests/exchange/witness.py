"""What must hold between spaces at every moment, whatever happened, as a witness sees it.

The witness reads all databases and remembers what it saw: whom each admin said yes to, what each
reader was told, what each space signed.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager

from sqlalchemy import select

from app.exchange import standing
from app.models.feed import FeedEntry, OwnCheckpoint, PeerAck, Receipt
from app.models.member import Member
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.models.scope import Reader, visible_mirrored
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.keys import kid
from tests.neighbourhood import url_of

SHOWN = ("approved", "key_hold")


class Witness:
    """Sees everything, remembers it, and fails at the first thing that must not be."""

    def __init__(self, town):
        self.town = town
        self.keys = defaultdict(dict)
        """Every operational key that a space ever had, by its url."""

        self.yes = {}
        """Whether an admin's last decision about another space was a yes."""

        self.ever_yes = set()
        self.told = defaultdict(dict)
        """The tombstones of a reader: ``{subject: (revision, kid, expiry)}``."""

        self.clocks_right = True
        """Nobody dated anything ahead, which others then refused, or refused what was right."""

        self.signed = {}
        self.stated = {}
        self.hidden = set()
        """The subjects whose last own choice was not to be shown elsewhere."""

        self.taken_back = set()
        """Those of them whose withdrawal is in the feed of their space."""

        self.remembered = defaultdict(dict)
        """After a return: the hidden ones that some neighbours know to be withdrawn, and which."""

    # --- what the witness is told

    def decided(self, name, about, yes):
        self.yes[name, about] = yes
        if yes:
            self.ever_yes.add((name, about))

    def lost_memory(self, name):
        """Hear that a space came back from a backup: what it was told after it, it forgot."""
        self._compare_memories(name)
        for others in self.remembered.values():
            for readers in others.values():
                readers.discard(name)
        self.told[name] = {}
        with self.town.looking_into(name) as session:
            rows = {row.url: row.ours for row in session.scalars(select(Peer))}
        for about in self.town.apps:
            if about != name:
                self.yes[name, about] = rows.get(url_of(about)) == "approved"

    def _compare_memories(self, name):
        self.taken_back = {one for one in self.taken_back if not one.startswith(url_of(name))}
        self.remembered[name] = {}
        with self.town.looking_into(name) as session:
            entries = {row.subject: row for row in session.scalars(select(FeedEntry))}
            active = self._active(session, name)
        for subject in self.hidden & entries.keys():
            readers = {
                reader
                for reader in active
                if self.told[reader].get(subject, (0,))[0] > entries[subject].revision
            }
            if readers:
                self.remembered[name][subject] = readers

    def _active(self, session, name):
        """Return the neighbours between which and ``name`` documents cross, both ways."""
        identity = self.town.identity(name)
        found = set()
        for peer in session.scalars(select(Peer)):
            about = name_of(peer.url)
            with self.town.looking_into(about) as there:
                back = there.scalars(select(Peer).filter_by(url=url_of(name))).one_or_none()
                both = back is not None and standing.is_active(back, self.town.identity(about))
            if both and standing.is_active(peer, identity):
                found.add(about)
        return found

    @contextmanager
    def watching(self, name):
        """See what members choose inside: who is shown elsewhere afterwards, and who is not."""
        before = self._shown(name)
        yield
        for subject, shown in self._shown(name).items():
            if before.get(subject) == shown:
                continue
            self.remembered[name].pop(subject, None)
            self.taken_back.discard(subject)
            (self.hidden.discard if shown else self.hidden.add)(subject)

    def _shown(self, name):
        with self.town.looking_into(name) as session:
            return {
                f"{url_of(name)}/m/{member.ref}": member.listed_elsewhere
                for member in session.scalars(select(Member))
            }

    def revoked(self, name):
        """Hear that a key of ``name`` is believed no more, nor any withdrawal signed with it."""
        self.remembered[name].clear()

    def nobody_came_back(self):
        """In the end: who was withdrawn, and known to be by a neighbour, is withdrawn still."""
        for name, subjects in self.remembered.items():
            with self.town.looking_into(name) as session:
                active = self._active(session, name)
                for subject, readers in subjects.items():
                    entry = session.get(FeedEntry, subject)
                    if readers & active and entry is not None:
                        assert entry.kind == "withdrawal", f"{subject} came back: {readers}"

    def disagreements(self):
        """Say which neighbours do not agree, and on what."""
        found = []
        for name in self.town.apps:
            with self.town.looking_into(name) as session:
                for peer in session.scalars(select(Peer)):
                    if standing.is_active(peer, self.town.identity(name)):
                        found += self._between(session, name, peer)
        return found

    def _between(self, session, name, peer):
        """Compare what ``name`` holds with what ``peer`` publishes, and what both know of it."""
        about = name_of(peer.url)
        held = set(session.scalars(select(MirroredProfile.subject).filter_by(peer_id=peer.id)))
        remembered = session.scalars(select(MirroredWithdrawal.subject)).all()
        with self.town.looking_into(about) as there:
            back = self.town.peer_in(there, name)
            if not standing.is_active(back, self.town.identity(about)):
                # Silence is what blocking means; and while a key is held nothing is said.
                silent = back.ours in ("blocked", "key_hold")
                return [] if silent else [(name, about, "one-sided", back.ours, back.theirs)]
            published = there.scalars(select(FeedEntry.subject).filter_by(kind="profile"))
            stated = select(OwnCheckpoint.root).filter_by(view="peers")
            root = there.scalars(stated.order_by(OwnCheckpoint.id.desc())).first()
            acks = there.scalars(select(PeerAck.root).filter_by(peer_id=back.id, view="peers"))
            unconfirmed = there.scalars(select(Receipt.subject).filter_by(
                peer_id=back.id, confirmed_at=None))  # fmt: skip
            over = select(FeedEntry.subject).filter_by(kind="withdrawal")
            withdrawn = there.scalars(over.where(FeedEntry.expires_at > self.town.now)).all()
            wrong = {
                "other people": held ^ set(published),
                "roots": not peer.roots_agree or peer.their_root != root,
                "acknowledgements": peer.acked_root != root or acks.all() != [root],
                "receipts": unconfirmed.all(),
                "forgotten": self.clocks_right and set(withdrawn) - set(remembered),
            }
        return [(name, about, what, problem) for what, problem in wrong.items() if problem]

    def served(self, name, reader):
        """Hear that a page of the peers' view was given to ``reader``."""
        assert self.yes.get((name, reader)), f"{name} served {reader} without its admin's yes"
        assert (reader, name) in self.ever_yes, f"{name} served {reader}, who never said yes"

    # --- what it sees by itself

    def look(self):
        """Compare all databases with what may be."""
        for name in self.town.apps:
            identity = self.town.identity(name)
            for key in identity.published_keys:
                self.keys[url_of(name)][kid(key)] = key
        for name in self.town.apps:
            with self.town.looking_into(name) as session:
                self._publisher(session, name)
                self._admins(session, name)
                self._reader(session, name)

    def _publisher(self, session, name):
        for entry in session.scalars(select(FeedEntry)):
            known = self.signed.setdefault((entry.subject, entry.revision), entry.digest)
            assert known == entry.digest, f"{name} signed two documents of one revision"
            if entry.kind == "withdrawal":
                self.taken_back |= {entry.subject} & self.hidden
            if entry.kind == "profile":
                assert entry.subject not in self.taken_back, f"{entry.subject} came back"
                member = session.get(Member, entry.member_id)
                assert member.listed_elsewhere, f"{name} publishes who did not agree"
                assert member.revision >= entry.revision
        for one in session.scalars(select(OwnCheckpoint)):
            place = (name, one.view, one.epoch, one.seq)
            known = self.stated.setdefault(place, (one.root, one.count))
            assert known == (one.root, one.count), f"{name} stated two roots at {place}"

    def _admins(self, session, name):
        identity = self.town.identity(name)
        for peer in session.scalars(select(Peer)):
            about = name_of(peer.url)
            if peer.ours == "approved":
                assert self.yes.get((name, about)), f"{name} approved {about} by itself"
            elif peer.ours != "suspended":
                # Whatever undid the yes, only an admin can say it again.
                self.yes[name, about] = False
            if standing.is_active(peer, identity):
                assert (about, name) in self.ever_yes, f"{about} never said yes to {name}"

    def _reader(self, session, name):
        peers = {peer.id: peer for peer in session.scalars(select(Peer))}
        profiles = session.scalars(select(MirroredProfile)).all()
        tombstones = session.scalars(select(MirroredWithdrawal)).all()
        for row in (*profiles, *tombstones):
            self._signed_by_its_space(row, peers[row.peer_id], name)
        self._tombstones_kept(name, peers, profiles, tombstones)
        for row in profiles:
            revision = self.told[name].get(row.subject, (0,))[0]
            assert row.revision > revision, f"{name} holds {row.name}, withdrawn before its eyes"
        now = self.town.now
        seen = set(session.scalars(visible_mirrored(Reader.MEMBER, now).with_only_columns(
            MirroredProfile.subject)))  # fmt: skip
        may_be_seen = {
            row.subject
            for row in profiles
            if peers[row.peer_id].ours in SHOWN
            and peers[row.peer_id].theirs == "approved"
            and row.expires_at > now
        }
        assert seen == may_be_seen

    def _signed_by_its_space(self, row, peer, name):
        document = signing.read(row.jws, self.keys[peer.url], Profile, Withdrawal).document
        assert (document.issuer, document.subject, document.revision) == (
            peer.url,
            row.subject,
            row.revision,
        )
        assert row.subject.startswith(f"{peer.url}/m/")
        assert signing.digest(row.jws) == row.digest
        about = name_of(peer.url)
        both = {(name, about), (about, name)}
        assert both <= self.ever_yes, f"{name} holds {about}'s people without two yeses"

    def _tombstones_kept(self, name, peers, profiles, tombstones):
        held = {row.subject: row for row in tombstones}
        newer = {row.subject: row.revision for row in profiles}
        by_url = {peer.url: peer for peer in peers.values()}
        for subject, (revision, signer, expiry) in list(self.told[name].items()):
            if subject in held:
                assert held[subject].revision >= revision, f"{name} went back to an older end"
                continue
            peer = by_url.get(subject.rpartition("/m/")[0])
            let_go = peer is None or not peer.epoch or expiry <= self.town.now
            if let_go or signer not in self._published(peer):
                del self.told[name][subject]
                self.remembered[name_of(subject)].get(subject, set()).discard(name)
            else:
                told = f"{name} forgot a tombstone of {subject}"
                assert newer.get(subject, 0) > revision, told
        for subject, row in held.items():
            self.told[name][subject] = (row.revision, signing.kid_of(row.jws), row.expires_at)

    def _published(self, peer):
        return {kid(key) for key in self.town.identity(name_of(peer.url)).published_keys}


def name_of(url):
    """Return the space that lives at ``url``."""
    return url.removeprefix("https://").partition(".")[0]
