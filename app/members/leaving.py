"""Taking somebody out of the space, by their own decision and at once.

What was published is withdrawn everywhere, with receipts. What stays here about a person who is
gone: that a document with an opaque number was withdrawn, until no copy of it can be valid; the
lines of the journal about what they decided as an admin, under an opaque number too; and what
they wrote to somebody, who keeps their own copy of the conversation. In other spaces, whoever did
not want to hear them keeps their name in a list that nobody else sees.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange import silences
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.exchange.publish import withdraw_former
from app.members.roles import require_another
from app.models.account import Account
from app.models.journal import note
from app.search.index import remove_member


def leave(session: Session, account: Account, identity: Identity, now: datetime) -> str:
    """Delete ``account`` and all that it says of itself; the caller commits.

    :returns: the subject under which neighbours knew the person; empty if there was no profile.
    :raises LastAdminError: nothing was changed.
    """
    require_another(session, account)
    member, subject = account.member, ""
    if member is not None:
        subject = subject_of(member, identity)
        withdraw_former(session, member, identity, now)
        remove_member(session, member)
        silences.forget(session, subject)
    # The account first: its row names the member.
    session.delete(account)
    session.flush()
    if member is not None:
        session.delete(member)
        session.flush()
    # Neither who nor what: the line must not keep what the person took away.
    note(session, now, "event", "member.left-by-themselves")
    return subject
