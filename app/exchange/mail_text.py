"""The words of a mail: out of HTML, without the letter that is quoted below, without a signature.

What is cut is what mail programs add by themselves. Where one does it in a way that is not known
here, more is kept than should be, never less than was written.
"""

from __future__ import annotations

import html
import re

#: Surrounds the line in our letters above which an answer is written: it needs no language.
MARK = "~~~"

_MARKED = re.compile(rf"{MARK} .* {MARK}")

#: What mail programs write above a letter that they quote whole.
_ABOVE = re.compile(r"-{3,}[^-]{1,60}-{3,}|_{10,}|(?:From|De|Von|Da|Van)\s*:\s.*@.*")

#: The end of "On Monday, somebody wrote:", in as many languages as we have met.
_WROTE = re.compile(
    r"(?:wrote|écrit|schrieb|escribió|scritto|schreef|escreveu)\s*:\s*", re.IGNORECASE
)

#: What telephones add; the text before it may be anything.
_SENT_FROM = re.compile(
    r"(?:Sent from|Envoyé de(?:puis)?|Gesendet von|Enviado desde|Inviato da) m\w+ .{1,40}",
    re.IGNORECASE,
)

#: Lines over which "On Monday, somebody wrote:" may run.
_WROTE_LINES = 3

#: Parts within each other that are not read; a quote of a quote of a quote has three.
MOST_SKIPPED = 50

#: A tag as far as it matters here. It ends at the next bracket of either kind, so that each
#: character is looked at once: parsers of HTML take a minute for a page of opened tags.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>|<[!?/][^<>]*>")

_SKIPPED = {"head", "script", "style", "title", "blockquote", "template", "svg"}
_BREAKS = {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table"}


def of_html(source: str) -> str:
    """Return the words of HTML, its lines as a reader sees them, and nothing else of it."""
    pieces: list[str] = []
    skipping: list[str] = []
    at = 0
    for tag in _TAG.finditer(source):
        if not skipping:
            pieces.append(re.sub(r"\s+", " ", html.unescape(source[at : tag.start()])))
        at = tag.end()
        ending, name = tag[1], (tag[2] or "").lower()
        if name in _SKIPPED:
            _skip(skipping, name, ending=bool(ending))
        elif name in _BREAKS and not skipping and (not ending or name in ("p", "div")):
            pieces.append("\n")
    if not skipping:
        pieces.append(re.sub(r"\s+", " ", html.unescape(source[at:])))
    lines = [line.strip() for line in "".join(pieces).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _skip(skipping: list[str], name: str, *, ending: bool) -> None:
    """Begin or end what is not read; what was left open inside ends with it."""
    if not ending:
        skipping.append(name)
    elif name in skipping[:MOST_SKIPPED]:
        del skipping[skipping.index(name) :]


def without_quotes(text: str) -> str:
    """Return what was written in ``text`` above, and between, what it quotes."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        bare = line.rstrip()
        if _MARKED.search(bare) or _ABOVE.fullmatch(bare.strip()):
            _drop_introduction(kept)
            break
        if bare.strip() == "--":
            # RFC 3676 section 4.3; many programs lose the blank behind it.
            break
        if bare.lstrip().startswith(">"):
            _drop_introduction(kept)
            continue
        kept.append(bare)
    while kept and (not kept[-1].strip() or _SENT_FROM.fullmatch(kept[-1].strip())):
        kept.pop()
    _drop_introduction(kept)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _drop_introduction(kept: list[str]) -> None:
    """Take away "On Monday, somebody wrote:" at the end of ``kept``, however many lines it has."""
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    for count in range(1, min(_WROTE_LINES, end) + 1):
        said = " ".join(kept[end - count : end])
        whole = _WROTE.search(said)
        if whole and whole.end() == len(said) and re.match(r"\s*(?:On|Le|Am|El|Il|Op|Em)\b", said):
            del kept[end - count :]
            return
