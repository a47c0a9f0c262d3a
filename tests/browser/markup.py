"""Judging a page's HTML as a strict reader would: syntax, identifiers, references, nesting."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element

import html5lib

#: What somebody operates, and must not hold another such thing (HTML, content models).
INTERACTIVE = {"a", "button", "select", "textarea", "label", "summary"}
PHRASING_ONLY = {"p", "h1", "h2", "h3", "h4", "span", "button", "label", "small", "strong", "em"}
BLOCKS = {"div", "p", "ul", "ol", "dl", "section", "article", "aside", "form", "fieldset", "table"}
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "form", "list")


def faults(html: str) -> list[str]:
    """Return what a strict reader would object to in ``html``; empty for a sound page."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    root = parser.parse(html)
    syntax = [f"{place}: {code} {given}" for place, code, given in parser.errors]
    return [*syntax, *_identifiers(root), *_references(root), *_nesting(root), *_headings(root)]


def _identifiers(root: Element) -> list[str]:
    counted = Counter(element.get("id") for element in root.iter() if element.get("id"))
    return [f"id {name!r} stands {times} times" for name, times in counted.items() if times > 1]


def _references(root: Element) -> list[str]:
    known = {element.get("id") for element in root.iter()}
    return [
        f"<{element.tag} {name}={value!r}> leads nowhere"
        for element in root.iter()
        for name in REFERENCES
        if (value := element.get(name))
        for target in value.split()
        if target not in known
    ]


def _nesting(root: Element) -> list[str]:
    found = []

    def walk(element: Element, above: tuple[str, ...]) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in BLOCKS and (holder := next((t for t in above if t in PHRASING_ONLY), None)):
            found.append(f"<{tag}> inside <{holder}>")
        if tag in INTERACTIVE - {"label"} and {"a", "button", "summary"} & set(above):
            found.append(f"<{tag}> inside something that is operated")
        for child in element:
            walk(child, (*above, tag))

    walk(root, ())
    return found


def _headings(root: Element) -> list[str]:
    levels = [int(e.tag[1]) for e in root.iter() if e.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    found = [] if levels.count(1) == 1 else [f"{levels.count(1)} headings of the first level"]
    return found + [
        f"a heading of level {below} after one of level {above}"
        for above, below in zip(levels, levels[1:], strict=False)
        if below > above + 1
    ]
