"""Short trainings of a small autoencoder."""

import numpy as np

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.errors import Cancelled
from recommender.core.runs import RunOptions
from tests.recommender.core.matrices import random_ratings

CONFIG = AutoencoderConfig(
    hidden=(12, 8, 6, 4, 6, 8, 12), epochs=4, learning_rate=1e-3, batch_users=4, dropout=0.2
)
RATINGS = random_ratings(2, n_users=20, n_items=15)


def fit(config=CONFIG, ratings=RATINGS, **options) -> Autoencoder:
    return Autoencoder(config).fit(
        ratings, options=RunOptions(threads=1, **{"checkpoint_seconds": 0, **options})
    )


def stop_in_pass(number):
    def listener(progress):
        if progress.epoch == number:
            raise Cancelled("stop")

    return listener


def is_same(left: Autoencoder, right: Autoencoder) -> bool:
    pairs = zip(left.to_arrays().items(), right.to_arrays().items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)
