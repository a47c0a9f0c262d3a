"""What can go wrong between two spaces.

Each class answers the caller's two questions: *what do I write down* (``code``, for the journal
and for machines; it never changes) and *is it worth trying again* (``permanent``). What may be
told to the other side is ``problem``, one of the closed list :data:`PROBLEMS`, sent as the last
part of the RFC 9457 ``type`` with ``status``; an error whose ``problem`` is empty is ours alone.
The sentence in the exception is for people and may change freely.
"""

from __future__ import annotations

from typing import ClassVar

#: What stands before ``problem`` in the ``type`` of an RFC 9457 answer: a name, not an address.
PROBLEM_PREFIX = "urn:cdf:problem:"


class FederationError(Exception):
    """A peer, or what a peer sent, cannot be used."""

    code: ClassVar[str] = "federation"
    problem: ClassVar[str] = ""
    status: ClassVar[int] = 400
    permanent: ClassVar[bool] = True


# --- what a document can be refused for


class DocumentError(FederationError):
    """The document is not what a document of its kind must be."""

    code = problem = "invalid-document"


class MediaTypeError(DocumentError):
    """The body is not of the one media type that belongs here."""

    code = "wrong-media-type"
    status = 415


class UnknownTypeError(DocumentError):
    """The ``typ`` of the document is none of those expected here."""

    code = "unknown-type"


class SignatureError(DocumentError):
    """The key that is named did not make this signature."""

    code = "bad-signature"


class ForeignSubjectError(DocumentError):
    """The signer speaks about somebody who is not a member of its space."""

    code = "foreign-subject"


class EquivocationError(DocumentError):
    """Two different documents carry the same revision: the signer told two stories."""

    code = "equivocation"


class PhotoDiffersError(DocumentError):
    """What came is not the photo that the profile was signed with."""

    code = "photo-differs"


class UnknownIssuerError(FederationError):
    """The document is not by the space that is expected here, or by one we do not know."""

    code = problem = "unknown-issuer"
    status = 403


class UnknownCheckpointError(DocumentError):
    """The acknowledgement names a root that was never signed: it proves nothing."""

    code = "unknown-checkpoint"


class KeyUnknownError(FederationError):
    """No key of the expected issuer has the thumbprint that the document names."""

    code = problem = "key-unknown"
    status = 401


class WrongAudienceError(FederationError):
    """The document, or the consent in it, is not meant for the space that received it."""

    code = problem = "wrong-audience"
    status = 403


class ExpiredError(FederationError):
    """The document is no longer, or not yet, valid."""

    code = problem = "expired"


class StaleError(FederationError):
    """What is held already is newer than the document."""

    code = problem = "stale-rev"
    status = 409


class TooLargeError(FederationError):
    """More bytes, or more of something, than the protocol allows."""

    code = problem = "too-large"
    status = 413


# --- what a request can be refused for


class NotPeeredError(FederationError):
    """The two spaces have not both approved each other."""

    code = problem = "not-peered"
    status = 403


class SuspendedError(FederationError):
    """The peering exists and is suspended; it may be resumed."""

    code = problem = "suspended"
    status = 403
    permanent = False


class RateLimitedError(FederationError):
    """Too many requests; ``retry_after`` seconds were asked for, if any."""

    code = problem = "rate-limited"
    status = 429
    permanent = False

    def __init__(self, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class UnsupportedVersionError(FederationError):
    """The two spaces have no version of the protocol in common."""

    code = problem = "unsupported-version"


class EpochChangedError(FederationError):
    """The feed was restarted: read it again from the beginning."""

    code = problem = "epoch-changed"
    status = 410
    permanent = False


# --- what a checkpoint can betray


class RollbackError(FederationError):
    """The peer presents an older state than one it has already signed."""

    code = "rollback"


class ForkError(FederationError):
    """The peer signed two different states under the same number."""

    code = "fork"


class FrozenError(FederationError):
    """The newest state that can be had is past its expiry: somebody may be holding news back."""

    code = "frozen"
    permanent = False


class NotIncludedError(FederationError):
    """The path does not lead from the record to the root that the checkpoint states."""

    code = "not-included"


# --- what happens on the way


class UnreachableError(FederationError):
    """No complete answer came back; nothing is known about the peer's data."""

    code = "unreachable"
    permanent = False


class NameUnknownError(UnreachableError):
    """The name of the space leads to no machine: misspelled, given up, or its DNS is down."""

    code = "name-unknown"


class CertificateError(UnreachableError):
    """What answers cannot show a good certificate for that name."""

    code = "bad-certificate"


class MalformedAnswerError(FederationError):
    """An answer came back, and it is not one that this protocol knows."""

    code = "malformed-answer"
    permanent = False


class EndlessFeedError(MalformedAnswerError):
    """The feed leads in circles, or is longer than any directory can be."""

    code = "endless-feed"


class IndexDiffersError(MalformedAnswerError):
    """The index is not the state that the space signed for."""

    code = "index-differs"
    permanent = True


class RedirectRefusedError(MalformedAnswerError):
    """The peer answered with a redirect; none is ever followed."""

    code = "redirect-refused"


class ForbiddenAddressError(FederationError):
    """The address is not one that may be contacted: not https, private, or malformed."""

    code = "forbidden-address"


# --- what waits for, or contradicts, an admin


class KeyChangedError(FederationError):
    """The space signs with a root key that is neither confirmed nor announced before."""

    code = "key-hold"


class DecisionNotAllowedError(FederationError):
    """That decision makes no sense where the peering stands."""

    code = "decision-not-allowed"
    status = 409


#: Every ``problem`` that may be sent, and the class that stands for it when it is received.
PROBLEMS: dict[str, type[FederationError]] = {
    kind.problem: kind
    for kind in (
        DocumentError,
        UnknownIssuerError,
        KeyUnknownError,
        WrongAudienceError,
        ExpiredError,
        StaleError,
        NotPeeredError,
        SuspendedError,
        TooLargeError,
        RateLimitedError,
        UnsupportedVersionError,
        EpochChangedError,
    )
}
