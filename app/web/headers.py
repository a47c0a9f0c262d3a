"""What every answer tells the browser not to do."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

#: Nothing but our own files: no inline script or style, no third party, no frame around us.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types htmx",
    )
)

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
}


def csp_nonce() -> str:
    """Return this answer's nonce; every script and every element with htmx carries it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    nonce: str = g.csp_nonce
    return nonce


def register(app: Flask) -> None:
    """Put the headers on every answer of ``app`` and the nonce into its templates."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in FIXED.items():
            # A page may be stricter than the rest: the one behind a sign-in link is.
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=csp_nonce()))
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if "Cache-Control" not in response.headers:
            # Pages differ from reader to reader: no shared cache may keep one.
            response.headers["Cache-Control"] = "private, no-cache"
        return response
