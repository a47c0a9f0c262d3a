"""Everything that the space keeps about one person, as one file for that person.

``member.jsonl`` imports again into any space; ``account.json`` says the rest: how they sign in,
where they are signed in, with which passkeys and accounts elsewhere, to what they agreed and when,
who confirmed a withdrawal, and what they and others wrote to each other;
``signed.jws`` is the document that neighbours hold, ``photo.webp`` the photo, which is in
``member.jsonl`` too. ``profile.html`` is for reading and is
rendered by the caller, who knows the person's language.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.exchange import receipts
from app.members.export import as_jsonl, image_of
from app.members.reporting import made_by
from app.models.account import Account
from app.models.conversation import Conversation, Silence
from app.models.feed import FeedEntry
from app.models.journal import JournalEntry
from app.models.measure import Measure
from app.models.member import FIELDS_OF, Member
from app.models.passkey import passkeys
from app.models.provider import identities
from app.models.sign_in import sign_ins


def facts(session: Session, account: Account, now: datetime) -> dict[str, Any]:
    """Return what is kept about ``account`` beside the profile, as JSON values."""
    member = account.member
    return {
        "email": account.email,
        "role": account.role,
        "reads": account.locale,
        "told_by_mail": account.letters,
        "account_created_at": account.created_at.isoformat(),
        "profile": None if member is None else _dates(member),
        "consents": [] if member is None else _consents(member),
        "withdrawal": None if member is None else _withdrawal(session, member),
        "signed_in": [
            {
                "browser": one.agent,
                "since": one.started_at.isoformat(),
                "until": one.expires_at.isoformat(),
            }
            for one in sign_ins(session, account, now)
        ],
        "passkeys": [
            {
                "name": one.name,
                "added_at": one.added_at.isoformat(),
                "last_used_at": _moment(one.used_at),
                "refused_at": _moment(one.doubted_at),
            }
            for one in passkeys(session, account)
        ],
        "accounts_elsewhere": [
            {
                "provider": one.issuer,
                "number": one.subject,
                "linked_at": one.added_at.isoformat(),
                "last_used_at": _moment(one.used_at),
                "unlinked_at": _moment(one.unlinked_at),
            }
            for one in identities(session, account)
        ],
        "conversations": [] if member is None else _conversations(session, member),
        "hears_no_more_of": [] if member is None else _silences(session, member),
        "reported": [
            {
                "about": one.name,
                "text": one.text,
                "at": one.at.isoformat(),
                "looked_at": _moment(one.closed_at),
                "deleted_on": one.expires_at.isoformat(),
            }
            for one in made_by(session, account)
        ],
        "decided_about_me": [] if member is None else _measures(session, member),
        "decisions": [
            {"at": line.at.isoformat(), "what": line.code, "detail": line.detail}
            for line in session.scalars(
                select(JournalEntry).filter_by(actor=account.ref).order_by(JournalEntry.id)
            )
        ],
    }


def archive(session: Session, account: Account, readable: str, now: datetime) -> bytes:
    """Return the ZIP file.

    :param readable: the page ``profile.html``.
    """
    files: dict[str, str | bytes] = {
        "profile.html": readable,
        "account.json": _json(facts(session, account, now)),
    }
    member = account.member
    if member is not None:
        files["member.jsonl"] = "".join(as_jsonl(session, [member]))
        if image := image_of(session, member):
            files["photo.webp"] = image
        entry = session.scalars(select(FeedEntry).filter_by(member_id=member.id)).one_or_none()
        if entry is not None:
            files["signed.jws"] = entry.jws + "\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as folder:
        for name, held in files.items():
            dated = zipfile.ZipInfo(name, now.timetuple()[:6])
            # Said here: what is dated is else stored as it stands, whatever the folder says.
            folder.writestr(dated, held, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _dates(member: Member) -> dict[str, Any]:
    return {
        "number": member.ref,
        "audience": member.audience,
        "audiences": {block: member.circle_of(block) for block in FIELDS_OF},
        "agreed_to_be_seen_elsewhere_at": _moment(member.consent_at),
        "created_at": _moment(member.created_at),
        "changed_at": _moment(member.updated_at),
        "confirmed_at": _moment(member.confirmed_at),
        "rests_from_neighbours_since": _moment(member.resting_at),
        "takes": list(member.doors),
        "full_until": None if member.closed_until is None else member.closed_until.isoformat(),
        "full_word": member.closed_word,
        "documents_signed": member.revision,
        # Digests of what lists said, so that an import undoes no edit; the texts are not kept.
        "imported": member.imported,
    }


def _consents(member: Member) -> list[dict[str, Any]]:
    return [
        {
            "at": line.at.isoformat(),
            "circle": line.circle,
            "block": line.block,
            "agreed": line.given,
            "on_the_word_of": line.said_by,
            "detail": line.detail,
        }
        for line in member.consents
    ]


def _conversations(session: Session, member: Member) -> list[dict[str, Any]]:
    mine = select(Conversation).filter_by(member_id=member.id).order_by(Conversation.id)
    return [
        {
            "with": one.other_name,
            "number": one.other,
            "space": one.other_space,
            "stands": one.state,
            "about": one.service_title,
            "when": one.timing,
            "budget": one.budget,
            "passed_on_by": one.passed_by,
            "proposed_instead": one.proposed,
            "asked_whom_was_proposed_at": _moment(one.taken_up_at),
            "can_be_asked_again_on": None if one.reopens_on is None else one.reopens_on.isoformat(),
            "their_email": one.their_email,
            "messages": [
                {
                    "at": message.at.isoformat(),
                    "by_me": message.mine,
                    "act": message.act,
                    "text": message.text,
                }
                for message in one.messages
            ],
        }
        for one in session.scalars(mine.options(selectinload(Conversation.messages)))
    ]


def _silences(session: Session, member: Member) -> list[dict[str, Any]]:
    mine = select(Silence).filter_by(member_id=member.id).order_by(Silence.since, Silence.other)
    return [
        {"number": one.other, "name": one.name, "how": one.kind, "since": one.since.isoformat()}
        for one in session.scalars(mine)
    ]


def _measures(session: Session, member: Member) -> list[dict[str, Any]]:
    about = select(Measure).filter_by(member_id=member.id).order_by(Measure.id)
    return [
        {
            "what": one.kind,
            "reason": one.reason,
            "at": one.at.isoformat(),
            "taken_back_at": _moment(one.undone_at),
        }
        for one in session.scalars(about)
    ]


def _withdrawal(session: Session, member: Member) -> dict[str, Any] | None:
    found = receipts.of_member(session, member)
    if found is None:
        return None
    return {
        "at": found.at.isoformat(),
        "copies_expire_at": found.copies_expire_at.isoformat(),
        "confirmed": {one.url: _moment(one.confirmed_at) for one in found.confirmed},
        "silent": [one.url for one in found.silent],
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
