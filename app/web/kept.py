"""What somebody typed into a form that could not be taken at all, given back to be copied.

Forms that are judged come back by themselves. This is for the rest: a page that is too old,
somebody who was signed out meanwhile, too much at once, a person who is gone, something that
broke. Only what our own pages sent is shown: another site could otherwise write its words onto a
page of ours.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import HTTPException

#: Names of fields into which people write, by their last word; all others are choices, references
#: or secrets. The code and the address at the door are quicker typed than copied.
WRITTEN = frozenset(
    {
        "text", "timing", "budget", "words", "word", "title", "price", "note", "address", "reason",
        "name", "profession", "headline", "bio", "interests", "availability", "location",
        "languages", "description", "speciality", "rate", "coworker_rate", "line", "street", "city",
        "contact", "policy_url",
    }
)  # fmt: skip


def typed() -> list[str]:
    """Return the texts of the form that the current request brings; none from other sites."""
    if request.method != "POST" or not _from_our_pages():
        return []
    try:
        fields = list(request.form.items(multi=True))
    except HTTPException:
        # It is the form itself that cannot be read, or that is too much.
        return []
    return [text for name, text in fields if _is_written(name) and text.strip()]


def _from_our_pages() -> bool:
    """Tell whether one of our pages sent the form (RFC 6454 section 7; Fetch says it always does).

    A browser that says nothing of the kind gets nothing back but its own Back button.
    """
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def _is_written(name: str) -> bool:
    return name.rpartition("-")[2] in WRITTEN
