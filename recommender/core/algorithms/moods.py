"""The moods of items, and how similar they are; after Shi, Larson and Hanjalic (CAMRa 2010)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.labels import ItemLabels

#: Tags that name a mood; all of them are tags of the MovieLens tag genome.
MOODS = (
    *("absurd", "atmospheric", "bittersweet", "bleak", "brutal", "campy", "creepy", "cynical"),
    *("dark", "dark humor", "depressing", "disturbing", "dreamlike", "eerie", "emotional"),
    *("exciting", "feel-good", "funny", "goofy", "grim", "gritty", "heartbreaking", "heartwarming"),
    *("humorous", "inspirational", "intense", "irreverent", "macabre", "melancholic", "nostalgic"),
    *("ominous", "poignant", "quirky", "reflective", "romantic", "sad", "scary", "sentimental"),
    *("silly", "surreal", "suspense", "sweet", "tense", "thought-provoking", "touching"),
    *("violent", "whimsical", "witty"),
)
HAS_MOOD = 0.5  #: the least relevance of a mood that an item has
ROWS = 500  #: of the similarities, computed at once


class SimilarPairs(NamedTuple):
    """Pairs of items (n), each pair once with ``left < right``, and their similarities (n)."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    values: NDArray[np.float64]


def moods_of_items(labels: ItemLabels, n_items: int, *, relevances: bool) -> NDArray[np.float64]:
    """How much each item has each of the ``MOODS`` (n_items, n_moods), from 0 to 1.

    With ``relevances`` these are the labels' weights, as of the genome. Otherwise a mood is 1 if
    somebody stated it. Upper and lower case are the same.
    """
    found = np.zeros((n_items, len(MOODS)))
    places = {mood: place for place, mood in enumerate(MOODS)}
    columns = np.array([places.get(str(name).casefold(), -1) for name in labels.names], np.int64)
    moods = columns[labels.labels] if len(columns) else np.empty(0, np.int64)
    chosen = moods >= 0
    weights = labels.weights[chosen] if relevances else 1.0
    np.maximum.at(found, (labels.items[chosen], moods[chosen]), weights)
    return found


def similar_in_mood(moods: NDArray[np.float64], mood: str, most: int) -> SimilarPairs:
    """The pairs in which one item is among the ``most`` items most similar to the other.

    The similarity is the cosine of the items' rows of ``moods`` (n_items, n_moods). For one
    ``mood`` it is multiplied by the smaller relevance of this mood, and only items that have the
    mood count. Equally similar items are taken in their order. Similarities of zero are left out.
    Raises ConfigurationError for an unknown mood.
    """
    if mood and mood not in MOODS:
        raise ConfigurationError(f"There is no mood {mood!r}. Choose from: {', '.join(MOODS)}.")
    only = moods[:, MOODS.index(mood)] if mood else np.ones(len(moods))
    items = np.flatnonzero(moods.any(axis=1) & (only >= HAS_MOOD))
    unit = moods[items] / np.linalg.norm(moods[items], axis=1, keepdims=True)
    only, found = only[items], {}
    for start in range(0, len(items), ROWS):
        part = slice(start, start + ROWS)
        near = np.minimum(unit[part] @ unit.T, 1) * np.minimum(only[part, None], only)
        for row, values in enumerate(near, start):
            values[row] = 0
            for other in np.argsort(-values, kind="stable")[:most]:
                if values[other] > 0:
                    found[min(row, other), max(row, other)] = values[other]
    pairs = np.array(sorted(found), np.int64).reshape(-1, 2)
    values = np.array([found[row, other] for row, other in pairs], np.float64)
    return SimilarPairs(items[pairs[:, 0]], items[pairs[:, 1]], values)
