"""Answering a browser with a whole page, or with the part of it that htmx asked for."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request
from jinja2_fragments.flask import render_blocks


def page(
    template: str,
    fragment: str | tuple[str, ...] | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """Render ``template``, or only its blocks ``fragment`` when htmx replaces part of the page.

    Of several blocks, the first is the target; the element that asks names the ids of the
    others in ``data-hx-select-oob``. Not ``data-hx-swap-oob`` in the block: the Back button
    brings the whole page through htmx, which would take such an element out of it.
    """
    if fragment and wants_part():
        names = [fragment] if isinstance(fragment, str) else list(fragment)
        body = "\n".join(render_blocks(template, [name], **context) for name in names)
    else:
        body = render_template(template, **context)
    return varying(make_response(body, status))


def changed(
    location: str, template: str, fragment: str | tuple[str, ...], **context: Any
) -> Response:
    """Answer a change: the part that changed, or for a whole-page form a redirect to ``location``.

    The redirect is a 303 (RFC 9110 section 15.4.4), so reloading never submits the form twice.
    """
    if wants_part():
        return page(template, fragment, **context)
    return varying(make_response(redirect(location, 303)))


def wants_part() -> bool:
    """Tell whether the answer replaces part of a page.

    The Back button also comes through htmx but wants everything; htmx 4 says which of the two
    it expects in ``HX-Request-Type``, ``full`` or ``partial``.
    """
    return request.headers.get("HX-Request-Type") == "partial"


def varying(response: Response) -> Response:
    # One URL, two bodies. Without this a cache may serve the bare fragment as the page.
    response.vary.add("HX-Request-Type")
    return response
