"""Writes the vectors: ``python -m tests.vectors.make``.

Everything comes from the keys and the moment in ``writing.py``, and Ed25519 gives the same
signature for the same bytes, so the files change only when the protocol does. ``README.md`` beside
them says how a stranger's implementation reads them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from federation import keys
from tests.federation.samples import BERLIN, LYON, NANTES, NOW
from tests.vectors import letters, rules, sections
from tests.vectors.writing import FEED, NEXT_ROOT, OPERATIONAL, ROOT

HERE = Path(__file__).parent

#: File by file: what it is about, and the vectors.
FILES: dict[str, tuple[str, Any]] = {
    "R1": ("a space speaks for its own members, under its own name", rules.r1),
    "R2": ("the key is one of the space that is expected to have signed", rules.r2),
    "R3": ("whole messages are signed", rules.r3),
    "R4": ("every kind of document is verified alike", rules.r4),
    "R5": ("exact typ and media type", rules.r5),
    "R6": ("one spelling, strict JSON", rules.r6),
    "R7": ("keys never come from a message", rules.r7),
    "R8": ("one algorithm, by name", rules.r8),
    "R9": ("crit and b64 are refused", rules.r9),
    "R10": ("bytes are counted before anything is decoded", rules.r10),
    "R11": ("an audience is one string, and it is us", rules.r11),
    "R12": ("addresses that may be contacted", rules.r12),
    "R15": ("endpoints are at the space's own origin", rules.r15),
    "R17": ("one spelling of a space's name", rules.r17),
    "R18": ("plain text, and one photo at home", rules.r18),
    "R20": ("what a peer can fill has a bound", rules.r20),
    "R21": ("no pattern is matched against text that was not measured", rules.r21),
    "R22": ("an unknown issuer is refused, and nothing is fetched", rules.r22),
    "records": ("section 7, step 3: what a record does to a copy", sections.records),
    "checkpoints": ("section 7: how a checkpoint follows the one before", sections.checkpoints),
    "recalls": ("section 7.1: what an own document asks for after a return", sections.recalls),
    "roots": ("section 6: roots and inclusion paths", sections.roots),
    "visitors": ("section 3: which services visitors may be shown", sections.visitors),
    "translations": ("section 3: texts in further languages", sections.translations),
    "examples": ("section 3: the documents that its text shows", sections.examples),
    "letters": ("section 8.1: introductions and replies", letters.letters),
    "proofs": ("section 6: proof of one record", sections.proofs),
}


def context() -> dict[str, Any]:
    """Who speaks, who reads, with which keys and when."""
    return {
        "now": int(NOW.timestamp()),
        "issuer": LYON,
        "reader": NANTES,
        "unknown": BERLIN,
        "request": {"method": "GET", "url": FEED},
        "root_kid": keys.kid(ROOT),
        "announced": [keys.kid(NEXT_ROOT)],
        "operational": keys.public_jwk(OPERATIONAL),
        "root": keys.public_jwk(ROOT),
    }


def made() -> dict[str, Any]:
    """Return what each file holds, by name."""
    files: dict[str, Any] = {"context": context()}
    for name, (about, vectors) in FILES.items():
        files[name] = {"about": about, "vectors": vectors()}
    return files


def written(content: object) -> str:
    """Return a file as it is written."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for file, held in made().items():
        (HERE / f"{file}.json").write_text(written(held), encoding="utf-8")
