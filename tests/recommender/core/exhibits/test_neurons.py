"""The items that excite a neuron, and the test of their genres."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from recommender.core.exhibits import neurons
from recommender.core.exhibits.neurons import GenreTest, examine_neurons
from tests.recommender.core.exhibits.networks import N_ITEMS, set_weights, small_model

GENRES = np.random.default_rng(0).random((N_ITEMS, 3)) < 0.3


def clusters_of(model):
    found = examine_neurons(model, GENRES).clusters
    return {one.reading: one.items for one in found if one.minimum_ratings == 1}


def test_a_linear_neuron_lists_its_largest_weights_in_every_reading():
    model, rng = small_model(hidden=(2,)), np.random.default_rng(0)
    first, last = rng.random((2, N_ITEMS, 2)) / 100
    set_weights(model, first, last)
    lists = clusters_of(model)
    for reading, weights in (("gradient", first), ("ascent", first), ("decoder", last)):
        assert np.array_equal(lists[reading], np.argsort(-weights.T, axis=1)[:, :10]), reading


def test_the_slope_is_the_derivative_of_the_neuron():
    model = small_model()
    _, mean, length = neurons._codes(model, np.arange(90))
    slopes = neurons._excitements(model, mean, length, np.ones(4), lambda _: None)["gradient"]
    first, step = model.network_.first, 1e-6

    def values(inputs):
        sums = inputs @ first.weight.detach().numpy() + first.bias.detach().numpy()
        for layer in model.network_.middle[:1]:
            weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            sums = np.maximum(sums, 0) @ weight.T + bias
        return sums

    for item in (0, 7, 31):
        moved = mean.copy()
        moved[item] += step
        numeric = (values(moved) - values(mean)) / step * model.encoding_.shares[item]
        assert slopes[:, item] == pytest.approx(numeric, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("target", ["stars", "residual"])
def test_optimised_inputs_excite_the_neuron_more_and_stay_within_the_scale(target):
    model = small_model(target=target)
    _, mean, length = neurons._codes(model, np.arange(90))
    risen = neurons._excitements(model, mean, length, np.ones(4), lambda _: None)["ascent"]
    low, high = neurons._bounds(model, mean)
    assert (mean + risen <= high.numpy() + 1e-5).all()
    assert (mean + risen >= low.numpy() - 1e-5).all()
    assert np.abs(risen).max(1).min() > 0


def test_a_neuron_that_no_profile_activates_is_dead():
    model = small_model(hidden=(2,))
    first = np.ones((N_ITEMS, 2))
    first[:, 1] = -1
    set_weights(model, first, np.ones((N_ITEMS, 2)))
    found = examine_neurons(model, GENRES)
    assert found.dead.tolist() == [False, True]
    assert found.activations[1] == 0


def test_lists_of_popular_items_hold_no_others():
    model = small_model()
    model.counts_ = np.where(np.arange(N_ITEMS) < 55, 50, 49)
    popular = [one for one in examine_neurons(model, GENRES).clusters if one.minimum_ratings == 50]
    assert len(popular) == 3
    assert max(one.items.max() for one in popular) < 55


def test_too_few_items_give_no_list():
    model = small_model()
    model.counts_ = np.where(np.arange(N_ITEMS) < 49, 50, 0)
    assert examine_neurons(model, GENRES).clusters == []


def test_with_one_genre_p_is_its_hypergeometric_tail():
    genre = np.arange(200) < 40
    test = GenreTest(genre[:, None], seed=0)
    lists = np.array([np.r_[:k, 100 : 110 - k] for k in range(2, 7)])
    place, lift, p = test.judge(lists)
    assert place.tolist() == [0] * 5
    assert lift == pytest.approx(np.arange(2, 7) / 10 / 0.2)
    exact = hypergeom.sf(np.arange(2, 7) - 1, 200, 40, 10)
    assert p == pytest.approx(exact, rel=0.1, abs=1e-4)


def test_a_random_list_is_significant_as_often_as_its_level_says():
    genres = np.random.default_rng(1).random((200, 6)) < 0.2
    lists = np.array([np.random.default_rng(s).permutation(200)[:10] for s in range(400)])
    _, _, p = GenreTest(genres, seed=0).judge(lists)
    assert (p <= 0.1).mean() <= 0.14


def test_items_without_genres_are_never_significant():
    place, lift, p = GenreTest(np.zeros((60, 2), bool), seed=0).judge(np.arange(10)[None])
    assert (place.tolist(), lift.tolist(), p.tolist()) == ([-1], [0], [1])
