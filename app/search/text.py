"""Words of four languages, folded so that what sounds the same is the same.

Knows letters and endings, neither the vocabulary nor the index. One set of rules serves French,
English, German and Spanish together: a question does not say its language, and a false friend
costs less than a missed plural. What is folded away: case, accents, ligatures, elisions, hyphens,
the ending of number and gender. What is kept apart: the ending that makes another word
(``branding`` is not ``brander``); :func:`root` drops that too and is asked only as a last resort.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

#: Letters that have no decomposition but another spelling.
SPELLINGS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
#: Names that punctuation would break apart, after folding.
_NAMES = (
    (re.compile(r"\bc\+\+"), "cplusplus"),
    (re.compile(r"\bc#"), "csharp"),
    (re.compile(r"(?<!\w)\.net\b"), "dotnet"),
)
#: ``R&D``, ``T&C``: single letters around an ampersand are one word.
_AMPERSAND = re.compile(r"(?<=\b\w)&(?=\w\b)")
#: ``avocat·e``, ``rédacteur(trice)``, ``Entwickler:innen``: the first form says it all.
_INCLUSIVE = re.compile(r"(?<=\w{3})(?:[·*:_][a-zß-ÿ]{1,6}(?:[·][a-z]+)?|\([a-zß-ÿ]{1,6}\))")
#: Where one of these stands, an ending or an elision may; where none does, there is neither.
_JOINING = re.compile(r"['’ʼ`´·*:_(]")
#: Where one of these stands, a name or two letters may be one word that punctuation breaks apart.
_BREAKING = re.compile(r"[+#&]|\.net", re.IGNORECASE)
#: Where none of these stands, nothing joins or breaks.
_MARKED = re.compile(r"['’ʼ`´·*:_(+#&.]")
_WORD = re.compile(r"[^\W_]+")
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quelqu)['’ʼ`´](?=\w)", re.IGNORECASE)

_STOP = """
hallo hello hey bonjour salut hola guten tag buenos buenas dias bonsoir merci thanks danke gracias
a au aux avec c ce ces cet cette chez d dans de des du elle en et eux fait faire il ils j je l
la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ou par pas peut pour
pouvant qu que quel quelle qui quelqu quelque s sa se ses si son sont sur t ta te tes toi ton tu
un une vos votre vous y est suis ai as avons avez ont etre avoir besoin cherche cherchons
chercher trouver veux voudrais voulons aimerais souhaite aide aider m'aider besoins quelquun
personne quelqu'un comment capable puisse sait savoir faut dois afin plus tres bien pres an and
any are at be by can could do does doing for from get have help helping hi how i in into is it
looking look my need needs needed of or our out please recommend some somebody someone that the
their them this to us want wanted we who whom will with would you your find finding near around
about done make making aber als am auf aus bei beim bin bitte braucht brauche brauchen das dass
dem den der die ein eine einem einen einer eines er es fur gesucht haben habe hat hilfe hilft
helfen ich ihr ihre im ins ist jemand jemanden kann kannst konnen man mein meine meinem meinen
meiner mich mir mit mochte nach oder sein sich sie sind suche suchen sucht um und uns unser
unsere unseren unserem unserer vom von vor was wer wie wir zu zum zur uber machen macht benotige
al algo alguien ante ayuda ayudar ayudame busco buscar buscamos como con cual del desde el ella
esta este hacer haga hay las lo los mi mis necesito necesitamos necesita nuestra nuestro o os
para pero por puede pueda quien quiero quisiera ser sin sobre su sus tengo tus una unas unos ya
yo mas
"""
#: Words that say how one asks, not what one needs.
STOP = frozenset(_STOP.split())


#: Different words that are remembered with their stems.
WORDS_KEPT = 100_000


class Word(NamedTuple):
    """One word of a text: where it stands, and what is compared."""

    start: int
    end: int
    folded: str
    stem: str


#: Makes a word without looking at its fields' names: a directory has millions of them.
_word = tuple.__new__


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[Word, ...]:
    """Return every word of ``text`` with its place in it (Python slices)."""
    found = []
    for start, end, piece in _pieces(text):
        folded, stemmed = _read(piece)
        if folded:
            found.append(_word(Word, (start, end, folded, stemmed)))
    return tuple(found)


def written(text: str) -> list[str]:
    """Return the words of ``text`` as they are written, without their places."""
    if not _MARKED.search(text):
        return _WORD.findall(text)
    if _BREAKING.search(text):
        return [piece for _, _, piece in _pieces(text)]
    return _WORD.findall(_prepared(text))


@lru_cache(maxsize=50_000)
def _read(piece: str) -> tuple[str, str]:
    """Return ``piece`` folded, and its stem."""
    folded = fold(piece)
    return folded, stem(folded)


def content(text: str) -> Sequence[Word]:
    """Return the words of ``text`` that carry meaning; all of them when none seems to."""
    every = words(text)
    return [word for word in every if word.folded not in STOP or not small(word, text)] or every


def small(word: Word, text: str) -> bool:
    """Tell whether ``word`` of ``text`` carries no meaning; IT does, it and I do not."""
    return word.folded in STOP and not _in_capitals(word.folded, text[word.start : word.end])


def is_small(piece: str) -> bool:
    """Tell whether ``piece``, a word as it is written, carries no meaning."""
    folded = fold(piece)
    return folded in STOP and not _in_capitals(folded, piece)


def _in_capitals(folded: str, piece: str) -> bool:
    return len(folded) > 1 and piece.isupper()


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Return ``text`` in lower case without accents, ligatures or compatibility forms."""
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFKC", text).casefold().translate(SPELLINGS)
    if lowered.isascii():
        return lowered
    return "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """Return the pieces of ``text`` that are words, before folding; lengths never change."""
    prepared = _prepared(text)
    if not _BREAKING.search(text):
        return [(*found.span(), found[0]) for found in _WORD.finditer(prepared)]
    pieces = []
    for pattern, name in _NAMES:
        for found in (
            pattern.finditer(prepared.lower()) if len(prepared.lower()) == len(text) else ()
        ):
            pieces.append((found.start(), found.end(), name))
            blank = " " * (found.end() - found.start())
            prepared = prepared[: found.start()] + blank + prepared[found.end() :]
    while letters := _AMPERSAND.search(prepared):
        start, end = letters.start() - 1, letters.end() + 1
        pieces.append((start, end, prepared[start] + prepared[end - 1]))
        prepared = prepared[:start] + " " * (end - start) + prepared[end:]
    pieces += [(word.start(), word.end(), word[0]) for word in _WORD.finditer(prepared)]
    return sorted(pieces)


def _prepared(text: str) -> str:
    """Return ``text``, as long as it was, with elisions and inclusive endings blotted out."""
    if not _JOINING.search(text):
        return text
    prepared = _ELISION.sub(lambda elided: " " * len(elided[0]), text)
    return _INCLUSIVE.sub(lambda ending: " " * len(ending[0]), prepared)


#: Endings of number and gender with what replaces them; the first that fits a long enough word.
_ENDINGS = tuple(
    (ending, put, least)
    for least, ending, put in (
        # German women, one or many
        (5, "erinnen", "er"),
        (5, "innen", ""),
        (5, "erin", "er"),
        (5, "orin", "or"),
        (3, "altin", "alt"),
        (4, "login", "log"),
        (4, "istin", "ist"),
        (4, "ektin", "ekt"),
        (4, "grafin", "graf"),
        (5, "entin", "ent"),
        (4, "apeutin", "apeut"),
        (4, "aktikerin", "aktiker"),
        (4, "eurin", "eur"),
        (5, "arin", "ar"),
        (6, "antin", "ant"),
        (4, "gogin", "gog"),
        (3, "nomin", "nom"),
        (4, "urgin", "urg"),
        (3, "ungen", "ung"),
        (3, "heiten", "heit"),
        (3, "keiten", "keit"),
        (3, "schaften", "schaft"),
        (4, "ionen", "ion"),
        # French women
        (4, "atrices", "ateur"),
        (4, "atrice", "ateur"),
        (3, "trices", "teur"),
        (3, "trice", "teur"),
        (3, "euses", "eur"),
        (3, "euse", "eur"),
        (4, "iennes", "ien"),
        (4, "ienne", "ien"),
        (4, "elles", "el"),
        (4, "elle", "el"),
        (4, "ives", "if"),
        (4, "ive", "if"),
        (2, "eaux", "eau"),
        (4, "aux", "al"),
        # Spanish and English plurals
        (3, "ciones", "cion"),
        (3, "siones", "sion"),
        (3, "dores", "dor"),
        (3, "doras", "dor"),
        (3, "dora", "dor"),
        (3, "tores", "tor"),
        (3, "toras", "tor"),
        (3, "tora", "tor"),
        (3, "sores", "sor"),
        (3, "soras", "sor"),
        (3, "sora", "sor"),
        (3, "ales", "al"),
        (3, "ores", "or"),
        (3, "ies", "y"),
        (3, "ues", "u"),
        (4, "ches", "ch"),
        (4, "shes", "sh"),
        (3, "sses", "ss"),
        (2, "xes", "x"),
    )
)
#: The same by their last three letters, of which none has fewer: most words end otherwise.
_ENDING_IN = {
    letters: tuple(one for one in _ENDINGS if one[0].endswith(letters))
    for letters in {ending[-3:] for ending, _, _ in _ENDINGS}
}


@lru_cache(maxsize=50_000)
def stem(folded: str) -> str:
    """Return ``folded`` without its endings of number and gender; short words stay as they are."""
    if len(folded) < 4 or not folded.isalpha():
        return folded
    for ending, put, least in _ENDING_IN.get(folded[-3:], ()):
        if folded.endswith(ending) and len(folded) - len(ending) >= least:
            return folded.removesuffix(ending) + put
    word = folded
    if word.endswith("s") and word[-2] not in "suix":
        word = word[:-1]
    elif word.endswith("n") and word[-2] == "e" and len(word) > 6 and word[-3] in "fgtr":
        word = word[:-2]  # Verträgen, Texten: but never Garten -> Gart, which is short
    if len(word) > 4 and word.endswith("ie"):
        return word[:-2] + "y"  # stratégie and stratégies, which ends like strategies
    # avocat/avocate, abogado/abogada, Vertrag/Verträge: the last vowel only says who or how many.
    if len(word) > 4 and word[-1] in "eao":
        word = word[:-1]
        if word[-1] == word[-2] and word[-1] in "lnt":
            word = word[:-1]
    return word


#: Letters at the end of a word that no ending takes away before so many are left.
_TAKEN, _LEFT = 4, 3


@lru_cache(maxsize=4096)
def beginning_kept(letters: str) -> str:
    """Return with what the stem of every word begins that begins with ``letters``, folded.

    An ending may reach into them: "traductri" begins "traductrice", whose stem is "traducteur".
    """
    kept = len(letters) if len(letters) <= _LEFT else max(_LEFT, len(letters) - _TAKEN)
    for at in range(2, kept):
        rest = letters[at:]
        if any(ending.startswith(rest) or rest.startswith(ending) for ending, _, _ in _ENDINGS):
            return letters[:at]
    return letters[:kept]


_DERIVING = """
ations ation ateurs ateur atrice atrices ition iteur tions tion sion teur trice eurs eur euse
ing ings ers er ors or ment ments age ages ung ungen ier iere iers istes iste ist istin erie ery
ure ures aire aires ance ence adores ador adora adoras acion aciones cion ciones ero era eros
eras ista istas ar ir ado ada ieren iert en ern ler ner lich isch ique iques ic ical ie y e a o
s es ed ent ons ez ant
"""
#: Endings that make a word from a word: what the work, the worker and the product share.
_DERIVED = frozenset(_DERIVING.split())
_LONGEST_DERIVED = max(map(len, _DERIVED))

#: Letters that must remain of a root; below it chance resemblances win.
ROOT_LETTERS = 5


def root(folded: str) -> str:
    """Return what remains without derivation (translat-, traduc-); empty when too little."""
    for size in range(min(_LONGEST_DERIVED, len(folded) - ROOT_LETTERS), 0, -1):
        if folded[-size:] in _DERIVED:
            return folded[:-size]
    return folded if len(folded) >= ROOT_LETTERS else ""
