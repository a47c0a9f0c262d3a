"""Everybody of the space, for its admins: who was invited, who came in, who runs the place.

Only admins read these pages, so only here is said whether an address is known. They show names and
no addresses: the space's own list has those.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.members import listing, roles
from app.members.inviting import progress, uninvited
from app.models.account import ADMIN, MEMBER, Account
from app.web import forms
from app.web.access import admins, freshly, signed_in
from app.web.pages import page

bp = Blueprint("membership", __name__)

#: People on one page of the list.
PEOPLE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the list somebody wants to see."""

    words: str = ""
    kind: str = listing.EVERYBODY
    number: int = 1

    @classmethod
    def from_args(cls) -> Asked:
        """Read it from the address of the current request; what makes no sense asks nothing."""
        kind, number = request.args.get("show", ""), request.args.get("page", "")
        return cls(
            forms.line(request.args.get("q", ""))[:120],
            kind if kind in listing.KINDS else listing.EVERYBODY,
            int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 6 else 1,
        )

    def address(self, **other: Any) -> str:
        """Return the page's address, with something ``other`` asked; what is usual is left out."""
        given = {"q": self.words, "show": self.kind, "page": self.number, **other}
        usual = {"q": "", "show": listing.EVERYBODY, "page": 1}
        kept = {name: value for name, value in given.items() if value != usual[name]}
        return url_for("membership.show", **kept)


@bp.get("/members")
@admins
def show() -> Response:
    return list_of_people()


@bp.post("/members/<ref>/role")
@admins
@freshly
def update_role(ref: str) -> AnyResponse:
    """Give the role of an admin, or take it."""
    account, wanted = account_with(ref), request.form.get("role", "")
    if wanted not in (ADMIN, MEMBER):
        abort(400)
    change = roles.give if wanted == ADMIN else roles.take
    try:
        change(db.session(), account, signed_in().ref, g.now)
    except roles.LastAdminError:
        db.session.rollback()
        return list_of_people(
            problem=_("Somebody has to run the space: make somebody else an admin first."),
            status=409,
        )
    except roles.NoAdminError:
        db.session.rollback()
        return list_of_people(
            problem=_("The door is shut to this person, so they cannot run the space."), status=409
        )
    db.session.commit()
    name = name_of(account)
    flash(
        _("%(name)s is an admin now.", name=name)
        if wanted == ADMIN
        else _("%(name)s is a member like all others now.", name=name)
    )
    if not signed_in().is_admin:
        return redirect(url_for("directory.show"), 303)
    return redirect(url_for("membership.show"), 303)


def list_of_people(
    *, name: str = "", email: str = "", errors: dict[str, str] | None = None,
    problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """Show the list, with what was typed into the form above it."""
    asked = Asked.from_args()
    everybody = listing.people(db.session(), asked.words, g.now)
    people = [one for one in everybody if one.is_of(asked.kind)]
    pages = max(1, ceil(len(people) / PEOPLE))
    number = min(asked.number, pages)
    return page(
        "membership/show.html",
        "people",
        status,
        asked=asked,
        people=people[(number - 1) * PEOPLE : number * PEOPLE],
        found=len(people),
        counts={kind: sum(one.is_of(kind) for one in everybody) for kind in listing.KINDS},
        number=number,
        pages=pages,
        letters=progress(db.session()),
        uninvited=len(db.session.scalars(uninvited().with_only_columns(Account.id)).all()),
        name=name,
        email=email,
        errors=errors or {},
        problem=problem,
    )


def account_with(ref: str) -> Account:
    """Return the account with this reference (404)."""
    account: Account = db.one_or_404(select(Account).filter_by(ref=ref))
    return account


def name_of(account: Account) -> str:
    """Return what people call the owner of ``account``."""
    return account.member.name if account.member else str(_("Somebody without a profile"))
