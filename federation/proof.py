"""A proof about one record that anybody can check, without the network and years later.

It says: at the moment of the checkpoint, this space stated that its directory held exactly this
document. It is a small JSON file with all that is needed to see that: the signed profile, the
Merkle path from it to the root (RFC 9162 section 2.1.3), the signed checkpoint with that root,
and the entity configuration with the keys. No clock, no network, no database.

What it cannot say by itself is whose the root key is. The file brings its keys along, and anybody
can make such a file about a space of any name: who checks it compares the root key's thumbprint
with one learnt elsewhere, or passes it as ``root_kid``.

Two questions are kept apart. *Was it so then?* is answered by :func:`verify`, which reads every
date at the moment of the checkpoint. *Does it still hold?* depends on today, and is
:meth:`Proved.current`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation import entity, signing, strict_json, tree
from federation.documents import PEERS, PUBLIC, Checkpoint, Profile
from federation.entity import EntityConfiguration
from federation.errors import (
    DocumentError,
    ExpiredError,
    ForeignSubjectError,
    NotIncludedError,
    UnsupportedVersionError,
    WrongAudienceError,
)
from federation.identifiers import owns
from federation.limits import CLOCK_SKEW, ENTITY_BYTES, JWS_BYTES, PROOF_BYTES, PROOF_PATH
from federation.tree import MerkleSet

#: What the file says it is, and in which version.
TYPE, VERSION = "cdf-proof", "1"

#: The profiles that a view may hold, by the audience that their members signed.
_IN_VIEW = {PUBLIC: (PUBLIC,), PEERS: (PUBLIC, PEERS)}


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts of a proof, whether they prove anything or not."""

    record: str
    """The profile (JWS)."""

    index: int
    """The place of its leaf among the sorted leaves, from 0."""

    path: tuple[bytes, ...]
    """Sibling hashes of 32 bytes, from the leaf upwards."""

    checkpoint: str
    entity: str
    """The entity configuration whose operational keys signed the other two (JWS)."""

    @classmethod
    def of(cls, record: str, leaves: MerkleSet, checkpoint: str, entity_jws: str) -> Proof:
        """Return the proof that ``record`` is one of ``leaves``, whose root ``checkpoint`` states.

        :param record: a profile that was verified before.
        :raises ValueError: ``record`` is not among the leaves.
        """
        told = Profile.from_claims(signing.unverified_claims(record, Profile.typ))
        own = tree.leaf(told.subject, told.revision, record)
        index, path = leaves.proof(own)
        return cls(record, index, path, checkpoint, entity_jws)

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """Read a proof; nothing in it is verified yet.

        :raises TooLargeError: more than ``limits.PROOF_BYTES``.
        :raises UnsupportedVersionError: of another version.
        :raises DocumentError: not strict JSON, or not of the shape of a proof.
        """
        told = strict_json.loads_object(data, max_bytes=PROOF_BYTES)
        if told.get("type") != TYPE:
            raise DocumentError(f"not a proof: its type is not {TYPE}")
        if told.get("version") != VERSION:
            raise UnsupportedVersionError("a proof of another version")
        return cls(
            record=_jws(told, "record", JWS_BYTES),
            index=_index(told.get("index")),
            path=_path(told.get("path")),
            checkpoint=_jws(told, "checkpoint", JWS_BYTES),
            entity=_jws(told, "entity", ENTITY_BYTES),
        )

    def to_bytes(self) -> bytes:
        """Return the file: UTF-8 JSON, one object."""
        return strict_json.dumps(
            {
                "type": TYPE,
                "version": VERSION,
                "record": self.record,
                "index": self.index,
                "path": [step.hex() for step in self.path],
                "checkpoint": self.checkpoint,
                "entity": self.entity,
            }
        )


@dataclass(frozen=True, slots=True)
class Proved:
    """What was shown: ``space`` held ``profile`` at the moment of ``checkpoint``."""

    space: EntityConfiguration
    profile: Profile
    checkpoint: Checkpoint
    kid: str
    """The operational key that signed the profile."""

    def current(self, now: datetime) -> bool:
        """Say whether neither the profile nor the checkpoint has expired by ``now``."""
        return now < min(self.profile.expires_at, self.checkpoint.expires_at)


def verify(proof: Proof, now: datetime, *, root_kid: str | None = None) -> Proved:
    """Return what ``proof`` shows.

    :param now: only refuses what is dated ahead of it; an old proof stays one.
    :param root_kid: the space's root key as learnt elsewhere; ``None`` takes the one in the
        file, and the caller has to compare it.
    :raises KeyChangedError: made with another root key than ``root_kid``.
    :raises NotIncludedError: the path does not lead from the record to the checkpoint's root.
    :raises ExpiredError: dated ahead, or the keys or the record had expired at that moment.
    :raises WrongAudienceError: the record does not belong into the checkpoint's view.
    :raises UnknownIssuerError, ForeignSubjectError: not about the space's own member.
    :raises KeyUnknownError, SignatureError, DocumentError, TooLargeError:
    """
    claimed = signing.claimed_issuer(proof.entity, entity.TYP, max_bytes=ENTITY_BYTES)
    space = entity.read_as_issued(proof.entity, claimed, pinned_kid=root_kid)
    checkpoint = signing.read(proof.checkpoint, space.operational_keys, Checkpoint).document
    record = signing.read(proof.record, space.operational_keys, Profile)
    _require_then(space, checkpoint, record.document, now)
    _require_inclusion(proof, checkpoint, record.document)
    return Proved(space, record.document, checkpoint, record.kid)


def _require_then(
    space: EntityConfiguration, checkpoint: Checkpoint, profile: Profile, now: datetime
) -> None:
    """Refuse what the space could not have stated at the moment of ``checkpoint``."""
    checkpoint.require_issuer(space.entity_id)
    profile.require_issuer(space.entity_id)
    if not owns(space.entity_id, profile.subject):
        raise ForeignSubjectError(f"{space.entity_id} may not speak for {profile.subject}")
    if profile.audience not in _IN_VIEW[checkpoint.view]:
        raise WrongAudienceError(f"not a record of the {checkpoint.view} view")
    if max(space.issued_at, checkpoint.issued_at) > now + CLOCK_SKEW:
        raise ExpiredError("dated in a time which is yet to come")
    # A later configuration that still lists the key vouches for it as well; an earlier one only
    # as long as it was valid.
    if space.expires_at <= checkpoint.issued_at:
        raise ExpiredError("the keys were not vouched for any more when the checkpoint was signed")
    profile.require_now(checkpoint.issued_at)


def _require_inclusion(proof: Proof, checkpoint: Checkpoint, profile: Profile) -> None:
    leaf = tree.leaf(profile.subject, profile.revision, proof.record)
    root = bytes.fromhex(checkpoint.root)
    if not tree.verify_inclusion(leaf, proof.index, checkpoint.count, proof.path, root):
        raise NotIncludedError("the path does not lead from the record to the root")


def _jws(told: dict[str, Any], name: str, longest: int) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value.isascii() or len(value) > longest:
        raise DocumentError(f"{name} must be a signed document")
    return value


def _index(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise DocumentError("index must be a number from 0")
    return value


def _path(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > PROOF_PATH:
        raise DocumentError(f"path must be a list of at most {PROOF_PATH} hashes")
    return tuple(_hash(step) for step in value)


def _hash(step: object) -> bytes:
    if not isinstance(step, str) or len(step) != 64 or set(step) - set("0123456789abcdef"):
        raise DocumentError("a step of the path is SHA-256 in hexadecimal")
    return bytes.fromhex(step)
