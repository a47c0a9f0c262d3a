"""The signed record of a neighbour's person, as a file that proves itself (PROTOCOL.md, 6).

The file holds the whole profile. It is given to whoever may open the person's page *and* is shown
all of it there: members always, visitors only when the person put everything on the web.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, g

from app.database import db
from app.exchange.proofs import NoProofError, proof_of
from app.web import rates
from app.web.access import anyone
from app.web.pages import page
from app.web.profile import mirrored_profile, shown_whole

bp = Blueprint("record", __name__)

#: A proof costs a pass over the whole copy of one space.
ALLOWED = "30 per minute"


@bp.get("/n/<peer_ref>/<ref>/record")
@anyone
def show(peer_ref: str, ref: str) -> Response:
    profile = mirrored_profile(peer_ref, ref)
    if not shown_whole(profile):
        abort(404)
    rates.count("record", rates.network(), ALLOWED)
    try:
        proof = proof_of(db.session(), profile, g.now)
    except NoProofError:
        return page("profile/no_record.html", status=409, profile=profile)
    response = Response(proof, content_type="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"{profile.ref}.proof.json")
    response.headers["Cache-Control"] = "private, no-store"
    return response
