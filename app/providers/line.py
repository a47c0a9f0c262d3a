"""Authlib's requests over our own transport and its limits: the "session" that it wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.providers.provider import SilentError
from federation import strict_json
from federation.errors import FederationError
from federation.transport import Answer, Transport

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as Authlib reads it."""

    answer: Answer
    max_bytes: int

    @property
    def status_code(self) -> int:
        return self.answer.status

    def json(self) -> dict[str, Any]:
        """Return the object that was answered.

        :raises SilentError: it is none, by strict reading.
        """
        try:
            return strict_json.loads_object(self.answer.body, max_bytes=self.max_bytes)
        except FederationError as error:
            raise SilentError("malformed", f"the answer with tokens: {error}") from error

    def raise_for_status(self) -> None:
        """Give up what is no answer to the question.

        :raises SilentError: always; Authlib asks only then.
        """
        raise SilentError("silent", f"the token endpoint answered {self.answer.status}")


@dataclass(frozen=True, slots=True)
class Line:
    """Where Authlib posts; nothing else of a session is asked for."""

    transport: Transport
    max_bytes: int

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any
    ) -> Said:
        """Post a form, as the client that ``auth`` says we are.

        :raises SilentError: no answer.
        """
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        url, kept, body = auth.prepare("POST", url, kept, urlencode(data))
        try:
            answer = self.transport.post(
                url,
                body.encode("ascii"),
                content_type=FORM,
                max_bytes=self.max_bytes,
                headers=kept,
            )
        except FederationError as error:
            raise SilentError("silent", f"{url}: {error}") from error
        return Said(answer, self.max_bytes)
