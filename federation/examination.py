"""What it takes to examine a space from outside: what is known so far, and how verdicts are found.

Which checks there are stands in :mod:`federation.conformance`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from federation import limits, strict_json
from federation.client import JSON, JWT, PROBLEM, FeedPage
from federation.documents import Checkpoint
from federation.entity import EntityConfiguration
from federation.errors import PROBLEM_PREFIX, PROBLEMS, FederationError, RateLimitedError
from federation.identifiers import EntityId
from federation.replica import Replica
from federation.transport import Answer, Transport

#: Bytes of an answer that nobody should give, read to say what it was.
ANSWER_BYTES = limits.PAGE_BYTES


class Verdict(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It does not apply, or could not be asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, by its stable name, and what was seen."""

    check: str
    section: str
    """Of PROTOCOL.md."""

    verdict: Verdict
    said: str = ""
    """Why it failed or was skipped, in a sentence."""


class BrokenError(Exception):
    """The space does not do what the check asks for."""


class SkippedError(Exception):
    """The check does not apply here."""


@dataclass(slots=True)
class Visit:
    """What is known of the space so far; later checks stand on earlier ones."""

    transport: Transport
    entity_id: EntityId
    now: datetime
    space: EntityConfiguration | None = None
    pages: list[FeedPage] = field(default_factory=list)
    copy: Replica | None = None
    checkpoint: Checkpoint | None = None

    def plate(self) -> EntityConfiguration:
        """Return the configuration, or skip the check."""
        if self.space is None:
            raise SkippedError("there is no entity configuration to go by")
        return self.space

    def served(self) -> EntityConfiguration:
        """Return the plate of a space that answers, and is not only files."""
        if self.plate().static:
            raise SkippedError("the space is plain files")
        return self.plate()

    def feed(self) -> list[FeedPage]:
        """Return the pages, or skip the check."""
        self.plate()
        if not self.pages:
            raise SkippedError("the feed could not be read")
        return self.pages

    def get(self, url: str, accept: str = JSON, **headers: str) -> Answer:
        """Return the answer, whatever it is; ``If_None_Match`` stands for ``If-None-Match``."""
        sent = {"Accept": accept} | {name.replace("_", "-"): told for name, told in headers.items()}
        return self.transport.get(url, max_bytes=ANSWER_BYTES, headers=sent)

    def post(self, url: str, body: bytes, content_type: str = JWT) -> Answer:
        """Return the answer to ``body``, whatever it is."""
        return self.transport.post(url, body, content_type=content_type, max_bytes=ANSWER_BYTES)


def finding(visit: Visit, name: str, section: str, check: Callable[[Visit], None]) -> Finding:
    """Return what became of ``check``; what the space does wrong is a finding, never an error."""
    try:
        check(visit)
    except BrokenError as error:
        return Finding(name, section, Verdict.FAILED, str(error))
    except SkippedError as error:
        return Finding(name, section, Verdict.SKIPPED, str(error))
    except RateLimitedError:
        return Finding(name, section, Verdict.SKIPPED, "the space asked us to wait")
    except FederationError as error:
        return Finding(name, section, Verdict.FAILED, f"{error.code}: {error}")
    return Finding(name, section, Verdict.PASSED)


def refused(answer: Answer, *problems: str, status: int | None = None) -> None:
    """Require a refusal in the protocol's own words, one of ``problems``.

    :raises BrokenError: accepted, or refused in other words or with another status.
    """
    require(400 <= answer.status < 500, f"answered {answer.status} instead of {problems[0]}")
    require(answer.media_type == PROBLEM, f"refuses as {answer.media_type[:60]!r}")
    told = strict_json.loads_object(answer.body, max_bytes=limits.PROBLEM_BYTES)
    kind = str(told.get("type")).removeprefix(PROBLEM_PREFIX)
    require(kind in problems, f"refuses with {kind[:60]!r} instead of {problems[0]}")
    expected = status or PROBLEMS[kind].status
    require(answer.status == expected, f"{kind} with {answer.status} instead of {expected}")


def require(fulfilled: bool, otherwise: str) -> None:
    """Call the check failed, with ``otherwise`` for a reason, unless it is ``fulfilled``.

    :raises BrokenError:
    """
    if not fulfilled:
        raise BrokenError(otherwise)
