"""Figures 1 to 4 and 6: the network, the ratings, the training and a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.exhibits.exhibit import Exhibit, Table
from recommender.core.ratings import Scale

SHOWN_OF_PROFILE = 12


@dataclass(frozen=True)
class Result:
    """What is stored of a system and preset. Missing figures are None.

    ``rmse``, ``mae`` and ``train_rmse`` are means over ``seeds`` models that differ in their seed,
    and ``rmse_spread`` and ``mae_spread`` their standard deviations. An interval is (low, high) at
    95 %, over users. ``p`` and ``p_holm`` are of the comparison of its RMSE with the reference's,
    before and after Holm's correction.
    """

    system: str
    label: str
    preset: str
    config: dict[str, Any] = field(default_factory=dict)
    train_rmse: float | None = None
    rmse: float | None = None
    mae: float | None = None
    rmse_interval: tuple[float, float] | None = None
    mae_interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    seeds: int = 1
    rmse_spread: float | None = None
    mae_spread: float | None = None
    loss_curve: Sequence[tuple[int, float]] = ()

    @property
    def hidden(self) -> list[int]:
        """The widths of the hidden layers; empty for a system without layers."""
        widths = self.config.get("hidden")
        return list(widths) if isinstance(widths, list | tuple) else []


def draw_networks(model: Result | None, n_items: int, lacking: str, command: str) -> list[Exhibit]:
    """Figures 1 and 2, from the configuration of a trained autoencoder."""
    one = ("figure-1", "Figure 1", "An autoencoder with three fully connected hidden layers")
    two = ("figure-2", "Figure 2", "The network of the recommender")
    if model is None or not model.hidden:
        return [Exhibit(*names, missing=lacking, command=command) for names in (one, two)]
    hidden = model.hidden
    narrowest = hidden.index(min(hidden))
    start = max(0, min(narrowest - 1, len(hidden) - 3))
    excerpt = hidden[start : start + 3]
    whose = f"preset {model.preset} of {model.label}"
    about = (
        f"The hidden layers around the narrowest one, from the {whose}."
        if len(hidden) > 3
        else f"All hidden layers of the {whose}."
    )
    return [
        _network(one, about, excerpt, n_items),
        _network(
            two,
            f"All layers of the {whose}. A profile goes in with one rating withheld; each hidden "
            "layer is fully connected and followed by ReLU; the output is linear, with one rating "
            "for each item.",
            hidden,
            n_items,
        ),
    ]


def _network(
    names: tuple[str, str, str], about: str, hidden: Sequence[int], n_items: int
) -> Exhibit:
    widths = [n_items, *hidden, n_items]
    labels = ["Input", *(f"Hidden {place}" for place in range(1, len(hidden) + 1)), "Output"]
    weights = [None, *(before * width for before, width in pairwise(widths))]
    rows = list(zip(labels, widths, weights, strict=True))
    columns = ("Layer", "Width", "Weights from the layer before")
    drawing = {
        "kind": "network",
        "layers": [
            {"label": label, "width": width} for label, width in zip(labels, widths, strict=True)
        ],
    }
    return Exhibit(*names, about, [Table(names[0], names[2], columns, rows)], drawing)


def count_ratings(values: NDArray[np.floating], scale: Scale) -> Exhibit:
    """Figure 3: how many ratings have each value of the scale."""
    levels = scale.levels()
    places = np.rint((np.asarray(values, np.float64) - scale.minimum) / scale.step).astype(np.int64)
    counts = np.bincount(places, minlength=len(levels))
    title = "Distribution of ratings"
    shares = counts / counts.sum()
    rows = [
        (f"{level:g}", int(count), float(share))
        for level, count, share in zip(levels, counts, shares, strict=True)
    ]
    mean = float(np.mean(values, dtype=np.float64))
    about = (
        f"All {len(values):,} ratings of the data set, training and test. Their mean is "
        f"{mean:.2f}; {levels[counts.argmax()]:g} was given most often."
    )
    bars = [[level, count] for level, count, _ in rows]
    return Exhibit(
        "figure-3",
        "Figure 3",
        title,
        about,
        [Table("figure-3", title, ("Rating", "Ratings", "Share"), rows)],
        {"kind": "bars", "bars": bars, "x": "Rating", "y": "Ratings"},
    )


def draw_training(model: Result | None, lacking: str, command: str) -> Exhibit:
    """Figure 4: the training loss over the training examples."""
    title = "Training loss over time"
    if model is None or len(model.loss_curve) < 2:
        return Exhibit("figure-4", "Figure 4", title, missing=lacking, command=command)
    points = [(int(seen), float(loss)) for seen, loss in model.loss_curve]
    about = (
        f"{model.label}, preset {model.preset}: the RMSE of the withheld ratings in the order of "
        "training, since the point before. Points of a thousand examples each are merged to at "
        "most 500."
    )
    return Exhibit(
        "figure-4",
        "Figure 4",
        title,
        about,
        [Table("figure-4", title, ("Examples", "RMSE"), points)],
        {"kind": "curve", "points": [list(point) for point in points], "x": "Examples"},
    )


@dataclass(frozen=True)
class Card:
    """An item as people see it."""

    title: str
    facts: str  #: year and genres
    by: str = ""  #: which system recommends it; not shown to appraisers


def show_question(
    profile: Sequence[tuple[str, float]], cards: Sequence[Card], lacking: str, command: str
) -> Exhibit:
    """Figure 6: a profile, best first, with the first recommendation of each of two systems."""
    title = "A question of the user study"
    if len(cards) != 2:
        return Exhibit("figure-6", "Figure 6", title, missing=lacking, command=command)
    shown = list(profile[:SHOWN_OF_PROFILE])
    rest = len(profile) - len(shown)
    about = (
        "A profile of the data set and the first recommendation of two systems, as the study "
        "would show them. Appraisers do not see which system a card is from."
        + (f" {rest} more rated items of the profile are left out here." if rest else "")
    )
    return Exhibit(
        "figure-6",
        "Figure 6",
        title,
        about,
        [
            Table("figure-6", "The profile", ("Item", "Rating"), shown),
            Table(
                "figure-6-cards",
                "The recommendations",
                ("System", "Item", "Year and genres"),
                [(card.by, card.title, card.facts) for card in cards],
            ),
        ],
        {
            "kind": "question",
            "profile": [list(line) for line in shown],
            "cards": [{"title": card.title, "facts": card.facts} for card in cards],
        },
    )
