"""Putting an instance together. Read this file first: it names every part once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, g
from flask_compress import Compress
from flask_mailman import Mail
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app import wire
from app.database import db, open_database
from app.exchange.identity import Keyholder
from app.models.space import Space
from app.providers.provider import Provider
from app.providers.published import Published
from app.web import (
    about,
    access,
    assets,
    cards,
    directory,
    doors,
    errors,
    facets,
    first_steps,
    headers,
    health,
    introductions,
    invitations,
    journal,
    languages,
    letters,
    membership,
    my_data,
    my_profile,
    my_texts,
    neighbours,
    passing,
    passkeys,
    photos,
    profile,
    providers,
    quoting,
    rates,
    record,
    reporting,
    reports,
    search,
    setup,
    sign_in,
    sign_ins,
    silences,
    still_true,
    suggestions,
    trials,
    view_as,
    who_sees,
    words,
)
from config.settings import Settings
from federation.transport import HttpsTransport

HERE = Path(__file__).resolve().parent

#: Bytes of a form; an imported list of members comes by command, or as an upload of its own limit.
FORM_BYTES = 512 * 1024

#: How long somebody stays signed in, in seconds.
SESSION_SECONDS = 30 * 24 * 3600

#: How long a request to an identity provider may take, in seconds, while somebody waits.
PROVIDER_SECONDS = 4.0


def create_app(settings: Settings) -> Flask:
    """Build the instance that ``settings`` describes.

    :raises SettingsError: the session secret is missing.
    :raises KeysMissingError: the space was never set up.
    """
    app = Flask("app", template_folder=str(folder("templates")), static_folder=None)
    app.extensions["settings"] = settings
    _configure(app, settings)
    # First of all: whoever refuses a request asks who is signed in, and until when.
    app.before_request(_remember_moment)
    # Before the form is read, which the check of its token does.
    app.before_request(photos.make_room)
    open_database(app, settings.database_url)
    keyholder = _keyholder(app, settings)
    app.extensions["identity"] = keyholder.identity
    app.extensions["transport"] = HttpsTransport(development=settings.development)
    app.extensions["providers"] = _providers(settings)
    Htmx(app)
    Compress(app)
    Mail(app)
    csrf = CSRFProtect(app)
    # A name missing from a fragment must fail in tests, not print as nothing.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_remember_space)
    app.before_request(_with_current_keys(app, keyholder))
    for part in (headers, errors, access, rates, languages, words, cards, facets, who_sees):
        part.register(app)
    assets.register(app, folder("static"))
    pages = (
        directory,
        search,
        suggestions,
        profile,
        photos,
        introductions,
        passing,
        quoting,
        doors,
        letters,
        silences,
        reporting,
        reports,
        record,
        my_profile,
        my_texts,
        view_as,
        first_steps,
        my_data,
        sign_in,
        sign_ins,
        still_true,
        passkeys,
        providers,
        membership,
        invitations,
        neighbours,
        trials,
        journal,
        setup,
        about,
        health,
    )
    for part in pages:
        app.register_blueprint(part.bp)
    # A mail program stops letters with one click and knows none of our forms (RFC 8058).
    csrf.exempt(letters.bp)
    wire.register(app, csrf)
    wire.refuse_machines(app, errors.refuse, errors.apologise)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's own advice
    return app


def folder(name: str) -> Path:
    """Return ``templates`` or ``static``: beside the packages in a clone, inside when installed."""
    packed = HERE / "_files" / name
    return packed if packed.is_dir() else HERE.parent / name


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.session_secret(),
        MAX_CONTENT_LENGTH=FORM_BYTES,
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        SESSION_COOKIE_NAME=f"mitoyen_{settings.port}" if settings.development else "mitoyen",
        SESSION_COOKIE_SECURE=not settings.development,
        SESSION_COOKIE_SAMESITE="Lax",
        # A form may be sent as long as its session lasts: whoever wrote overnight loses nothing.
        WTF_CSRF_TIME_LIMIT=None,
        # The token decides. A Referer is withheld by careful browsers, and by our own page
        # behind a sign-in link.
        WTF_CSRF_SSL_STRICT=False,
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "image/svg+xml",
            "application/json",
        ],
        REPLY_ADDRESS=settings.reply_address,
        MAIL_BACKEND=settings.mail,
        MAIL_FILE_PATH=str(settings.outgoing_mail_folder),
        MAIL_SERVER=settings.smtp_host,
        MAIL_PORT=settings.smtp_port,
        MAIL_USERNAME=settings.smtp_user or None,
        MAIL_PASSWORD=settings.smtp_password.get_secret_value() or None,
        MAIL_USE_TLS=settings.smtp_security == "starttls",
        MAIL_USE_SSL=settings.smtp_security == "tls",
        MAIL_TIMEOUT=10,
        MAIL_DEFAULT_SENDER=settings.mail_sender or "mitoyen@localhost",
    )


def _providers(settings: Settings) -> dict[str, Published]:
    # People wait while a provider is asked: for seconds, and not as long as the worker may.
    transport = HttpsTransport(development=settings.development, seconds=PROVIDER_SECONDS)
    return {
        one.key: Published(
            Provider(
                key=one.key,
                name=one.name,
                issuer=one.issuer,
                client_id=one.client_id,
                client_secret=one.secret(),
                scopes=one.scopes,
                membership_claim=one.membership_claim,
                confirmed_addresses=one.confirmed_addresses,
            ),
            transport,
            development=settings.development,
        )
        for one in settings.providers
    }


def _keyholder(app: Flask, settings: Settings) -> Keyholder:
    with app.app_context():
        space = db.session.get(Space, 1)
        url = space.url if space else ""
    return Keyholder(settings.key_folder, url, development=settings.development)


def _with_current_keys(app: Flask, keyholder: Keyholder) -> Callable[[], None]:
    """Return what makes a request use the keys as they are, though an operator changed them."""

    def look() -> None:
        if keyholder.look():
            app.extensions["identity"] = keyholder.identity

    return look


def _remember_moment() -> None:
    """Let everything in a request happen at one moment."""
    g.now = datetime.now(UTC)


def _remember_space() -> None:
    """Let every view and template read the space, once per request."""
    g.space = db.session.get(Space, 1)
