"""How far behind the copy of a neighbour was over a day: a small curve, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from flask_babel import format_timedelta
from flask_babel import gettext as _

from app.exchange.lag import KEPT, SAMPLED_EVERY, Sample
from app.web.words import clock

#: The drawing, in its own units: the right edge is now, the top is a day or more behind.
WIDTH, TOP, BOTTOM = 120, 2, 30

#: From here on a copy is late; the dotted line.
LATE = timedelta(hours=3)

#: Nobody looked for so long: the curve has a hole there.
HOLE = SAMPLED_EVERY * 2.5


@dataclass(frozen=True, slots=True)
class Curve:
    """The lag over 24 hours, as points of an SVG and as a sentence."""

    said: str
    lines: tuple[str, ...] = ()
    """``points`` of one polyline each; more than one where nobody looked in between."""

    now: float | None = None
    """How high the last point stands."""

    limit: float = 0
    """How high the dotted line stands."""


def curve(samples: Sequence[Sample], behind: timedelta | None, now: datetime) -> Curve:
    """Return the curve through ``samples``, oldest first, that ends at ``behind``, now."""
    if behind is None:
        return Curve(_("Nothing was read yet."), limit=_height(LATE))
    points = [sample for sample in samples if now - KEPT < sample[0] < now] + [(now, behind)]
    return Curve(
        said=_sentence(points, behind),
        lines=tuple(_points(run, now) for run in _runs(points) if len(run) > 1),
        now=_height(behind),
        limit=_height(LATE),
    )


def _sentence(points: Sequence[Sample], behind: timedelta) -> str:
    at, most = max(points, key=lambda point: point[1])
    if most <= LATE:
        return str(
            _(
                "Never more than %(most)s behind over 24 hours; now %(now)s.",
                most=lasting(most),
                now=lasting(behind),
            )
        )
    return str(
        _(
            "Up to %(most)s behind over 24 hours, at %(time)s; now %(now)s.",
            most=lasting(most),
            time=clock(at),
            now=lasting(behind),
        )
    )


def lasting(span: timedelta) -> str:
    """Return a duration for people, in its largest unit: ``5 minutes``, ``3 hours``."""
    return str(format_timedelta(max(span, timedelta(minutes=1)), granularity="minute"))


def _runs(points: Sequence[Sample]) -> list[list[Sample]]:
    """Cut ``points`` where nobody looked for longer than :data:`HOLE`."""
    runs: list[list[Sample]] = [[points[0]]]
    for before, point in zip(points, points[1:], strict=False):
        if point[0] - before[0] > HOLE:
            runs.append([])
        runs[-1].append(point)
    return runs


def _points(run: Sequence[Sample], now: datetime) -> str:
    return " ".join(f"{WIDTH * (1 - (now - at) / KEPT):.0f},{_height(lag):.0f}" for at, lag in run)


def _height(lag: timedelta) -> float:
    """Return how high a lag stands: by its logarithm, so that minutes and a day both show."""
    part = log(1 + lag / timedelta(minutes=1)) / log(1 + KEPT / timedelta(minutes=1))
    return BOTTOM - (BOTTOM - TOP) * min(part, 1)
