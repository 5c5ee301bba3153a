"""Small rating matrices with known answers."""

import numpy as np
from scipy.sparse import csr_array

from recommender.core.ratings import Ratings, Scale

HALF_STARS = Scale(0.5, 5, 0.5)


def random_ratings(seed: int, n_users: int = 12, n_items: int = 9, share: float = 0.4) -> Ratings:
    """Half stars at random places; at least one rating, some users and items may have none."""
    rng = np.random.default_rng(seed)
    chosen = rng.random((n_users, n_items)) < share
    chosen[rng.integers(n_users), rng.integers(n_items)] = True
    users, items = np.nonzero(chosen)
    return Ratings.from_triples(
        users,
        items,
        rng.integers(1, 11, len(users)) / 2,
        scale=HALF_STARS,
        timestamps=rng.integers(0, 1 + len(users) // 2, len(users)),
        user_ids=np.arange(n_users),
        item_ids=np.arange(n_items),
    )


def of_dense(stars: np.ndarray, scale: Scale = HALF_STARS) -> Ratings:
    """Ratings from a dense matrix in which zero means "not rated"."""
    users, items = np.nonzero(stars)
    return Ratings.from_triples(
        users,
        items,
        stars[users, items],
        scale=scale,
        user_ids=np.arange(stars.shape[0]),
        item_ids=np.arange(stars.shape[1]),
    )


def checkerboard(n_users: int = 40, n_items: int = 20) -> np.ndarray:
    """Even users love even items and hate odd ones; odd users the other way round."""
    even = (np.arange(n_users)[:, None] + np.arange(n_items)) % 2 == 0
    return np.where(even, 5.0, 1.0)


def profiles(*rows: dict[int, float], n_items: int) -> csr_array:
    """Profiles written as {item: stars}."""
    dense = np.zeros((len(rows), n_items), np.float32)
    for row, stars in enumerate(rows):
        for item, value in stars.items():
            dense[row, item] = value
    return csr_array(dense)
