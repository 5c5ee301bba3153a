"""What a source cannot support, so that it is known at import and not discovered in a study."""

from __future__ import annotations

import numpy as np

from recommender.core.readers.items import make_placeholders
from recommender.core.readers.source import RatingsSource

#: The defaults of a study: ratings in a profile, and profiles.
SMALLEST_PROFILE, PROFILES = 5, 200


def find_limits(source: RatingsSource) -> list[str]:
    """Sentences on what cannot be done with the source, and what to do instead if possible."""
    ratings, found = source.ratings, []
    times, lengths = ratings.timestamps, np.diff(ratings.indptr)
    if times is None:
        found.append(
            "Without times the ratings cannot be split by time, as training does by default: "
            "train with --split random-90-10."
        )
    elif np.count_nonzero(times == times.min()) > 9 * len(times) // 10:
        found.append(
            "Nearly all ratings have the same time, so they cannot be split by time: train with "
            "--split random-90-10."
        )
    n_enough = int(np.count_nonzero(lengths >= SMALLEST_PROFILE))
    if n_enough < PROFILES:
        users = "1 user has" if n_enough == 1 else f"{n_enough:,} users have"
        found.append(
            f"{users} {SMALLEST_PROFILE} ratings or more; a study asks about "
            f"{PROFILES} such profiles unless --profiles and --min-profile say otherwise."
        )
    if ratings.n_items == 1:
        found.append("Only one item is rated, so no system has anything to choose from.")
    elif n_full := int(np.count_nonzero(lengths == ratings.n_items)):
        users = "1 user" if n_full == 1 else f"{n_full:,} users"
        found.append(f"{users} rated every item, so nothing can be recommended to them.")
    if ratings.values.min() == ratings.values.max():
        found.append("All ratings are equal, so no system can learn who likes what.")
    if all([item] == make_placeholders([item.external_id]) for item in source.items):
        found.append(
            "There are no titles, so a study would show ids: put a table with the columns item and "
            "title beside the ratings, named items.csv or movies.csv."
        )
    return found
