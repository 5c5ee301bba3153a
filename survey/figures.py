"""Positions for the inline SVG of the results page and the profile; pure.

Positions are percentages of a drawing's width or height, as SVG strings ("71.67%"), so that a
figure scales with the screen while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

from survey.profiles import Profile
from survey.selectors.results import StudyResults
from survey.stats.intervals import Proportion

#: Curves are drawn in a square of this many units, which is stretched to the figure's size.
CURVE_UNITS = 1000


#: What a template reads; the function that makes it lists the keys.
Drawing = dict[str, Any]


def arm_colour(position: int) -> str:
    """The CSS class of the arm at this position of its study."""
    return f"arm-{position + 1}"


def percentage(share: float) -> str:
    return f"{100 * share:.4g}%"


def tick(share: float, label: str, edge: str = "") -> Drawing:
    """A mark ``at`` its place; ``edge`` is start or end where the label would stick out."""
    return {"at": percentage(share), "label": label, "edge": edge}


def interval_figure(share: Proportion) -> Drawing:
    """A share and its interval on a line from 0 to 100 %."""
    edges = {0: "start", 100: "end"}
    marks = (0, 25, 50, 75, 100)
    return {
        "point": percentage(share.rate),
        "low": percentage(share.low),
        "width": percentage(share.high - share.low),
        "ticks": [tick(mark / 100, f"{mark}\u202f%", edges.get(mark, "")) for mark in marks],
    }


def headline(results: StudyResults) -> Drawing | None:
    """The leading arm against the other; None without judgments or with more than two arms.

    ``arm`` was chosen over ``other``; ``clear`` if its interval lies above 50 %. ``colour`` is the
    CSS class of ``arm``.
    """
    if len(results.arms) != 2:
        return None
    arm, other = sorted(results.arms, key=lambda each: -each.wins)
    if arm.share is None:
        return None
    return {
        "arm": arm,
        "other": other,
        "clear": arm.share.low > 1 / 2,
        "even": arm.wins == other.wins,
        "colour": arm_colour(results.arms.index(arm)),
        "figure": interval_figure(arm.share),
    }


def star_bars(profile: Profile) -> list[Drawing]:
    """How many movies have how many stars, most stars first; the tallest bar is 100 units high.

    ``target`` is the element id of the bar's movies.
    """
    most = max((len(group.rated) for group in profile.groups), default=0)
    bars: list[Drawing] = []
    for place, group in enumerate(profile.groups, start=1):
        movies = len(group.rated)
        # At least two units, so that one movie among hundreds is visible.
        height = max(2, round(100 * movies / most))
        bar = {"bin": group.bin, "movies": movies, "top": 100 - height, "height": height}
        bars.append(bar | {"target": f"stars-{place}"})
    return bars


def loss_figure(results: StudyResults) -> Drawing | None:
    """Curves of at least two points on common axes, each in its arm's colour; None without any."""
    labels = [arm.label for arm in results.arms]
    drawn = {label: points for label, points in results.loss_curves.items() if len(points) > 1}
    if not drawn:
        return None
    losses = [loss for points in drawn.values() for _, loss in points]
    x_marks = nice_marks(0, max(points[-1][0] for points in drawn.values()))
    y_marks = nice_marks(min(losses), max(losses))

    def x(seen: float) -> float:
        return (seen - x_marks[0]) / (x_marks[-1] - x_marks[0])

    def y(loss: float) -> float:
        return (y_marks[-1] - loss) / (y_marks[-1] - y_marks[0])

    return {
        "curves": [
            {
                "label": label,
                "colour": arm_colour(labels.index(label)),
                "path": svg_path([(x(seen), y(loss)) for seen, loss in points]),
                "last": points[-1][1],
                "examples": points[-1][0],
            }
            for label, points in drawn.items()
        ],
        "x_ticks": [
            tick(x(mark), short_count(mark), "end" if mark == x_marks[-1] else "")
            for mark in x_marks
        ],
        "y_ticks": [tick(y(mark), f"{mark:.10g}") for mark in y_marks],
    }


def svg_path(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path through points given as shares of the width and the height."""
    return "M" + "L".join(f"{CURVE_UNITS * x:.1f} {CURVE_UNITS * y:.1f}" for x, y in points)


def nice_marks(low: float, high: float, most: int = 5) -> list[float]:
    """Round marks from at or below ``low`` to at or above ``high``: steps of 1, 2 or 5 x 10^n.

    About ``most`` marks and at least two; equal ends are moved apart.
    """
    if high <= low:
        low, high = low - 0.5, low + 0.5
    rough = (high - low) / most
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if rough <= size * factor * (1 + 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def short_count(number: float) -> str:
    """12,000 reads "12k", 2,500,000 reads "2.5M"."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"
