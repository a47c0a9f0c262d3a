"""On which days somebody can be found, read from the line in which they say so.

The line is free text and travels as it was written: people say "mardi soir, sauf vacances", which
no form has a box for. What can be read from it are days of the week, in four languages; a line
without any ("nach Absprache") says no day, and nobody is filtered by what they did not say.
"Every day" is read as Monday to Friday: better to promise too little of somebody else's time.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.search.text import fold

#: Days of the week in the order of ISO 8601.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NAMES = """
lundi monday montag lunes
mardi tuesday dienstag martes
mercredi wednesday mittwoch miercoles
jeudi thursday donnerstag jueves
vendredi friday freitag viernes
samedi saturday samstag sonnabend sabado
dimanche sunday sonntag domingo
"""
#: Short forms, which are also other words: they count beside another day only.
_SHORT = """
lun mon mo
mar tue tues di
mer wed mi mie
jeu thu thur thurs do jue
ven fri fr vie
sam sat sa sab
dim sun so dom
"""
_WEEK = """
every daily taglich weekdays weekday semaine semana woche wochentags werktags ouvres ouvrables
laborables tous toutes jeden jede todos todas cada
"""
_WEEKEND = frozenset(("weekend", "weekends", "wochenende", "wochenenden"))
_UP_TO = "a au to til till until through thru bis al hasta - – —"
_BETWEEN = "et ou and or und oder y o le les on the am den der el los & + / , ."
_BUT = """
sauf hors except excepting ausser excepto salvo menos not pas nicht no jamais never nie nunca ferme
closed geschlossen cerrado absent absente away
"""
_TOKEN = re.compile(r"[^\W\d_]+|[-–—,;.&+/]")
#: Here another thing is said, and an exception ends.
_BREAKS = frozenset((";", "."))


def _by_day(lines: str) -> dict[str, int]:
    rows = enumerate(line.split() for line in lines.strip().splitlines())
    return {name: day for day, names in rows for name in names}


_FULL_NAMES, _SHORT_NAMES = _by_day(_NAMES), _by_day(_SHORT)
_WHOLE_WEEK = frozenset(_WEEK.split())
_RANGE, _LISTED = frozenset(_UP_TO.split()), frozenset(_BETWEEN.split())
_EXCEPT = frozenset(_BUT.split())


@lru_cache(maxsize=4096)
def days_in(text: str) -> tuple[str, ...]:
    """Return the days of the week that ``text`` says, as codes of :data:`DAYS` in their order."""
    tokens = [fold(token) for token in _TOKEN.findall(text.replace("week-end", "weekend"))]
    said, left_out = set[int](), set[int]()
    into, before = said, None
    ranging = False
    for at, token in enumerate(tokens):
        day = _day(tokens, at)
        if day is not None:
            into |= _between(before, day) if ranging and before is not None else {day}
            before, ranging = day, False
        elif token in _EXCEPT:
            # "Not on Mondays" alone means all the others.
            said, into, before = said or set(range(5)), left_out, None
        elif token in _BREAKS:
            into, before = said, None
        elif token in _RANGE:
            ranging = before is not None
        elif token in _WEEKEND:
            into |= {5, 6}
        elif token in _WHOLE_WEEK and not _names_its_day(tokens, at):
            said |= set(range(5))
        elif token not in _LISTED:
            ranging = False
    return tuple(DAYS[day] for day in sorted(said - left_out))


def _day(tokens: list[str], at: int) -> int | None:
    """Return the number of the day that stands at ``at``, from 0 for Monday."""
    token = tokens[at]
    for name in (token, token.removesuffix("s")):
        if name in _FULL_NAMES:
            return _FULL_NAMES[name]
    if token in _SHORT_NAMES and any(_names_a_day(tokens, at, step) for step in (-1, 1)):
        return _SHORT_NAMES[token]
    return None


def _names_a_day(tokens: list[str], at: int, step: int) -> bool:
    """Tell whether the next word on one side is a day, whatever joins the two."""
    at += step
    while 0 <= at < len(tokens) and tokens[at] in _RANGE | _LISTED:
        at += step
    if not 0 <= at < len(tokens):
        return False
    return tokens[at] in _SHORT_NAMES or tokens[at].removesuffix("s") in _FULL_NAMES


def _names_its_day(tokens: list[str], at: int) -> bool:
    """Tell whether "every" is followed by a day: tous les mardis, jeden Montag."""
    return any(_day(tokens, next_) is not None for next_ in range(at + 1, min(at + 4, len(tokens))))


def _between(first: int, last: int) -> set[int]:
    """Return the days from ``first`` to ``last``; Saturday to Monday goes over the end."""
    return {(first + step) % 7 for step in range((last - first) % 7 + 1)}
