"""Spaces for tests: real instances with a database of their own, made in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flask import Flask, g, has_app_context, has_request_context
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.database import db
from app.exchange.identity import create_keys
from app.factory import create_app
from app.models.account import ADMIN, MEMBER, Account, issue_link
from app.models.base import new_id
from app.models.engine import open_engine
from app.models.feed import FeedState
from app.models.member import Member, Service
from app.models.space import Space
from config.settings import Settings
from tests.databases import databases

SECRET = "a secret that only the tests know, and that is long enough"
PLACES = {
    "Lyon": (45.764, 4.836, "FR"),
    "Nantes": (47.218, -1.554, "FR"),
    "Berlin": (52.52, 13.405, "DE"),
}


class Browser(FlaskClient):
    """A client that remembers cookies and nothing else.

    Tests run inside an application context, which Flask then shares with every request; without
    this, whoever was signed in at the first request would be at all others.
    """

    def open(self, *args, **given):
        before = {name: g.pop(name) for name in list(g)} if has_app_context() else {}
        try:
            return super().open(*args, **given)
        finally:
            if has_request_context():
                # One space asked another in the middle of an answer of its own.
                for name, value in before.items():
                    setattr(g, name, value)


def build(
    folder: Path,
    name: str = "Le Palier",
    city: str = "Nantes",
    url: str = "https://lepalier.example",
    **settings: object,
) -> Flask:
    """Return a space that lives in ``folder``, set up and empty."""
    folder.mkdir(parents=True, exist_ok=True)
    database = databases.migrated(folder)
    create_keys(folder / "keys")
    given = {"mail": "file", "mail_sender": "hello@lepalier.example", "secret_key": SECRET}
    if databases.server is not None:
        given["database"] = database
    chosen = Settings.load({}, data=folder, **{**given, **settings})
    _furnish(chosen, name, city, url)
    app = create_app(chosen)
    app.testing = True
    app.test_client_class = Browser
    # A wrong password of a form is a test of its own (tests/web/test_forms.py); elsewhere
    # clients post as people do, through a page, without fetching that page first.
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["RATELIMIT_ENABLED"] = False
    return app


def add_member(
    name: str,
    *,
    audience: str = "neighbours",
    email: str = "",
    admin: bool = False,
    services: tuple[Service, ...] = (),
    **given: object,
) -> Member:
    """Add a member to the space of the current context, with an account if ``email`` is given."""
    now = datetime.now(UTC)
    member = Member(name=name, created_at=now, updated_at=now, revision=0, **given)
    member.show_to(audience, now)
    for position, service in enumerate(services):
        service.position = position
        member.services.append(service)
    db.session.add(member)
    if email:
        role = ADMIN if admin else MEMBER
        db.session.add(Account(email=email, role=role, member=member, created_at=now))
    db.session.flush()
    return member


def service(
    title: str, speciality: str = "", rates: tuple[str, str] | None = None, **given: object
) -> Service:
    """Return a service; ``rates`` are the public and the coworkers' one, per hour in euros."""
    priced = {"rate": Decimal(rates[0]), "coworker_rate": Decimal(rates[1])} if rates else {}
    return Service(title=title, speciality=speciality, **{**priced, **given})


def sign_in(client: FlaskClient, email: str) -> None:
    """Come in as the account with this address, through the door that people use."""
    _hold_no_lock()
    with client.application.app_context():
        account = db.session.scalars(db.select(Account).filter_by(email=email)).one()
        secret = issue_link(db.session(), account, datetime.now(UTC))
        db.session.commit()
    answer = client.post(f"/sign-in/{secret}")
    assert answer.status_code == 303, answer.text
    _hold_no_lock()


def _hold_no_lock() -> None:
    """End the test's transaction: its context goes on where that of a real request would end."""
    if has_app_context():
        db.session.rollback()


def _furnish(settings: Settings, name: str, city: str, url: str) -> None:
    latitude, longitude, country = PLACES.get(city, (None, None, "FR"))
    engine = open_engine(settings.database_url)
    with Session(engine) as session:
        session.add(
            Space(
                url=url,
                name=name,
                city=city,
                country=country,
                latitude=latitude,
                longitude=longitude,
                languages=["en"],
                created_at=datetime.now(UTC),
            )
        )
        session.add(FeedState(epoch=new_id(), seq=0))
        session.commit()
    engine.dispose()
