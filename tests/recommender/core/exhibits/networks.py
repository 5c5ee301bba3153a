"""A small trained autoencoder whose weights a test can set."""

import numpy as np
import torch

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.configs.networks import AutoencoderConfig
from tests.recommender.core.matrices import random_ratings

N_ITEMS = 60


def small_model(**config) -> Autoencoder:
    """On 90 users and 60 items, after one pass, in double precision."""
    ratings = random_ratings(1, n_users=90, n_items=N_ITEMS)
    model = Autoencoder(AutoencoderConfig(**{"hidden": (8, 4, 8), "epochs": 1} | config))
    model.fit(ratings)
    model.network_.double()
    return model


def set_weights(model: Autoencoder, first: np.ndarray, last: np.ndarray) -> None:
    """Of a network with one hidden layer: (n_items, K) in, (n_items, K) out; biases of 1 in."""
    with torch.no_grad():
        model.network_.first.weight.copy_(torch.from_numpy(first))
        model.network_.first.bias.fill_(1)
        model.network_.last.weight.copy_(torch.from_numpy(last))
