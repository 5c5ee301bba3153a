"""Table I: the items that excite one bottleneck neuron, and whether they share a genre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.core.exhibits.exhibit import Exhibit, Table
from recommender.core.exhibits.neurons import Clusters, Neurons

READING_LABELS = {
    "ascent": "Input optimised",
    "gradient": "First-order",
    "decoder": "Decoded",
}
NAMES = ("table-1", "Table I", "Items that excite one bottleneck neuron")
SIGNIFICANT = 0.05


def list_clusters(
    neurons: Neurons | None,
    titles: Sequence[str],
    genres: Sequence[str],
    lacking: str,
    command: str,
) -> Exhibit:
    """The list with the clearest genre of each reading, and how many neurons have one."""
    if neurons is None or not neurons.clusters:
        return Exhibit(*NAMES, missing=lacking, command=command)
    clearest = [int(found.p.argmin()) for found in neurons.clusters]
    columns = [_reading(found) for found in neurons.clusters]
    lists = [
        [titles[item] for item in found.items[neuron]]
        for found, neuron in zip(neurons.clusters, clearest, strict=True)
    ]
    rows = list(zip(*lists, strict=True))
    tests = [
        (
            _reading(found),
            neuron + 1,
            genres[found.genre[neuron]] if found.genre[neuron] >= 0 else None,
            float(found.lift[neuron]),
            float(found.p[neuron]),
            float(found.p_holm[neuron]),
            float(found.p_all[neuron]),
            float(np.median(found.lift)),
            _significant(found),
        )
        for found, neuron in zip(neurons.clusters, clearest, strict=True)
    ]
    test_columns = (
        "Reading", "Neuron", "Genre", "Lift", "p", "p after Holm", "p after Holm, all readings",
        "Median lift", "Significant neurons",
    )  # fmt: skip
    dead = int(neurons.dead.sum())
    about = (
        f"The bottleneck has {len(neurons.dead)} neurons; {dead} of them are dead: none of "
        f"{neurons.n_profiles:,} profiles activates them. The paper’s text can be read in three "
        "ways: the input is optimised to excite the neuron, with a penalty (Input optimised); "
        "items are ordered by their first-order effect at the mean profile (First-order); or the "
        "neuron alone is decoded (Decoded). Each list is that of the neuron with the smallest p. "
        "The lift is the genre’s share in the list over its share among all items; p compares the "
        "list’s clearest genre with that of random lists. Holm’s correction is over the neurons of "
        "a reading, and once more over those of all readings. The last two columns are over all "
        f"neurons: the median of the lifts, and how many have p after Holm below {SIGNIFICANT}."
    )
    return Exhibit(
        *NAMES,
        about,
        [
            Table("table-1", NAMES[2], columns, rows),
            Table("table-1-genres", "Genres of the lists", test_columns, tests),
        ],
    )


def state_clusters(neurons: Neurons | None) -> str:
    """Whether neurons stand for genres, as the paper expected; empty if nothing was examined."""
    if neurons is None or not neurons.clusters:
        return ""
    counts = [(_significant(found), _reading(found)) for found in neurons.clusters]
    if not any(map(_significant, neurons.clusters)):
        return (
            "No bottleneck neuron has a list of items with a genre that is significant after "
            "Holm’s correction, in any reading of Table I; the paper shows one list without a test."
        )
    listed = ", ".join(f"{count} in the reading “{name}”" for count, name in counts if count)
    others = "" if all(count for count, _ in counts) else " and none in the other readings"
    everywhere = sum(int((found.p_all < SIGNIFICANT).sum()) for found in neurons.clusters)
    return (
        f"Of {len(neurons.dead)} bottleneck neurons, {listed}{others} have a list with a genre "
        "that is significant after Holm’s correction over the neurons. After correction over all "
        f"readings together, {everywhere} of {len(neurons.dead) * len(counts)} lists have one. The "
        "paper shows one list without a test."
    )


def _significant(found: Clusters) -> int:
    return int((found.p_holm < SIGNIFICANT).sum())


def _reading(found: Clusters) -> str:
    label = READING_LABELS[found.reading]
    few = found.minimum_ratings
    return label if few == 1 else f"{label}, ≥ {few} ratings"
