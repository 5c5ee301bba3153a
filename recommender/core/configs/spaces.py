"""What a search for better settings may vary: for each system the ranges of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = float | int | str


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``, both included; whole numbers if both ends are ``int``.

    ``log``: every factor is as likely as every other, for settings that span orders of magnitude.
    """

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = Mapping[str, Span | tuple[Value, ...]]

_DAMPING: Space = {
    "user_damping": Span(0.5, 50.0, log=True),
    "item_damping": Span(0.5, 50.0, log=True),
}
_NEIGHBOURS: Space = {
    "k": Span(3, 200, log=True),
    "similarity": ("cosine", "correlation"),
    "over": ("full", "common"),
    "shrinkage": Span(0.1, 100.0, log=True),
    "minimum_overlap": Span(1, 5),
    "centre": ("nothing", "stars", "everything"),
}
_DESCENT: Space = {
    "factors": Span(8, 200, log=True),
    "epochs": Span(10, 100, log=True),
    "learning_rate": Span(0.002, 0.02, log=True),
    "ridge": Span(0.02, 0.3, log=True),
}
_NETWORK: Space = {
    "learning_rate": Span(5e-4, 5e-3, log=True),
    "epochs": Span(5, 40, log=True),
    "movie_damping": Span(1.0, 200.0, log=True),
    "dropout": Span(0.0, 0.5),
    "l2": Span(1e-8, 1e-5, log=True),
}

#: By the name of the system. Popularity and random have no settings that change their
#: order, and a blend those of its members.
SPACES: Mapping[str, Space] = {
    "bias": _DAMPING,
    "ease": {"ridge": Span(5.0, 5000.0, log=True)},
    "implicit-als": {
        "factors": Span(8, 256, log=True),
        "iterations": Span(5, 30),
        "ridge": Span(1.0, 500.0, log=True),
        "alpha": Span(1.0, 100.0, log=True),
    },
    "user-knn": _NEIGHBOURS,
    "item-knn": {**_NEIGHBOURS, "mean_of": ("item", "user")},
    "npmf": {"rounds": Span(5, 60, log=True), "noise": Span(0.3, 1.5)},
    "cmf": {
        "factors": Span(8, 128, log=True),
        "ridge": Span(1.0, 100.0, log=True),
        "rating_share": Span(0.1, 0.99),
    },
    "mood-mf": {
        "factors": Span(4, 64, log=True),
        "penalty": Span(0.1, 5.0, log=True),
        "mood_weight": Span(0.01, 1.0, log=True),
    },
    "mudrecs": {
        **_DAMPING,
        "power": Span(0.5, 4.0),
        "shrinkage": Span(0.1, 10.0, log=True),
        "ridge": Span(0.1, 100.0, log=True),
    },
    "svd": _DESCENT,
    "svdpp": _DESCENT,
    "timesvdpp": {
        **_DESCENT,
        "periods": Span(2, 30, log=True),
        "time_ridge": Span(0.5, 50.0, log=True),
    },
    "biased-als": {
        **_DAMPING,
        "factors": Span(8, 128, log=True),
        "ridge": Span(0.02, 0.5, log=True),
    },
    "bayes-fm": {"factors": Span(4, 64, log=True)},
    "autoencoder": _NETWORK,
    "query-mlp": _NETWORK,
    "dual-autoencoder": {
        "epochs": Span(10, 100, log=True),
        "learning_rate": Span(5e-4, 5e-3, log=True),
        "dual_dropout": Span(0.3, 0.9),
        "item_dropout": Span(0.2, 0.8),
        "penalty_per_rating": Span(2.0, 200.0, log=True),
        "ridge": Span(2.0, 100.0, log=True),
    },
}
