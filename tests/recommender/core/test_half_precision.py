"""Products in bfloat16: what is withheld leaves nothing, forwards or backwards."""

import numpy as np
import pytest
import torch

from recommender.core.algorithms.autoencoder import Autoencoder
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.withheld import first_gradient
from recommender.core.algorithms.withheld_ratings import WithheldRatings
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions
from tests.recommender.core.matrices import of_dense, random_ratings
from tests.recommender.core.test_withheld import FAITHFUL, RESIDUAL

FORMS = pytest.mark.parametrize("values", [FAITHFUL, RESIDUAL])


def halved(stars: np.ndarray, **values) -> WithheldRatings:
    """The task as on a GPU that has bfloat16; one rating of each user is withheld at a time."""
    config = AutoencoderConfig(
        hidden=(32, 16, 32), batch_users=len(stars), withheld_per_user=1, **values
    )
    matrix = of_dense(stars).matrix()
    network = Network.drawn(config, stars.shape[1], 0, "cpu", torch.float32, torch.bfloat16)
    counts = np.bincount(matrix.indices, minlength=stars.shape[1])
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
    return WithheldRatings(network, matrix, encoding, config, RunOptions(), dense=True)


def own_films(n_users=6, each=4) -> np.ndarray:
    """Half stars of films that nobody else has rated."""
    stars = np.zeros((n_users, n_users * each))
    rng = np.random.default_rng(0)
    for user in range(n_users):
        stars[user, user * each : (user + 1) * each] = rng.integers(1, 11, each) / 2
    return stars


@FORMS
def test_a_film_that_nothing_was_read_of_has_no_gradient(values):
    """Adam would make a whole step of the smallest noise."""
    task = halved(own_films(), **values)
    for nth in range(4):  # of each user's ratings
        part = next(task.batches(np.random.default_rng(0), np.arange(nth, 24, 4)))
        batch = task.batch(part)
        _, _, gradients = task.network.gradients(batch)
        found = gradients["first"].values
        read = np.arange(24) % 4 != nth
        assert not found[~read].any()
        assert found[read].any(1).all()


@FORMS
def test_of_a_film_that_all_withhold_rounding_leaves_what_it_does_in_single_precision(values):
    stars = own_films(40, 3)
    stars[:, 0] = np.tile([1.5, 3.0, 4.5, 5.0], 10)
    task = halved(stars, **values)
    part = next(task.batches(np.random.default_rng(0), np.flatnonzero(task.matrix.indices == 0)))
    batch = task.batch(part)
    gradient = torch.randn(40, 32, generator=torch.Generator().manual_seed(0)).bfloat16().float()
    found = first_gradient(batch, gradient.clone())[0]
    terms = batch.withheld_input * gradient
    terms = terms if batch.input_scale is None else terms * batch.input_scale
    assert (found.abs() <= 1e-6 * terms.abs().sum(0)).all()


def test_a_model_learned_in_it_predicts_in_the_precision_that_its_artefact_has():
    ratings = random_ratings(1)
    config = AutoencoderConfig(hidden=(16, 8, 16), epochs=2, batch_users=4)
    options = RunOptions(threads=1, precision="bfloat16")
    model = Autoencoder(config).fit(ratings, options=options)
    back = Autoencoder.from_arrays(config, model.to_arrays())
    rows, items = np.divmod(np.arange(12 * 9), 9)
    assert np.array_equal(model.predict(None, rows, items), back.predict(None, rows, items))
