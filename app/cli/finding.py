"""One thing that was looked at in a space, and how it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    what: str
    level: str
    said: str
    to_do: str = ""

    def as_line(self) -> str:
        return f"{self.level:8} {self.what}: {self.said}" + (
            f"\n         -> {self.to_do}" if self.to_do else ""
        )

    def as_row(self) -> dict[str, Any]:
        return asdict(self)
