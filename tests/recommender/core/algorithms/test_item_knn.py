import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.item_knn import ItemKNN
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.configs.neighbours import ItemKNNConfig, UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings
from recommender.core.systems import system as system_of
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings


class TestItemKNN(SystemContract):
    system = "item-knn"

    def test_it_has_no_training_error(self, any_model):
        assert any_model.train_rmse_ is None


class TestLenskitPreset(SystemContract):
    system = "item-knn"
    config = system_of("item-knn").presets["lenskit"]


class TestAdjustedCosine(SystemContract):
    system = "item-knn"
    config = ItemKNNConfig(over="common", centre="everything", mean_of="user")


class TestSurprisePreset(SystemContract):
    system = "item-knn"
    config = system_of("item-knn").presets["surprise"]

    def check_taste(self, loved, hated):
        """Cosines over common users are never negative, so only the order is right."""
        assert loved.mean() > hated.mean()

    def expect_for_an_empty_profile(self, ratings):
        return np.full(ratings.n_items, ratings.values.mean())


class TestPaperLiteralPreset(SystemContract):
    system = "item-knn"
    config = system_of("item-knn").presets["paper-literal"]

    def check_taste(self, loved, hated):
        """A sum over all rated items without a divisor is above the scale for every item."""
        assert loved.min() == hated.min() == 5


@pytest.mark.parametrize("centre", ["nothing", "stars", "everything"])
@pytest.mark.parametrize("similarity", ["cosine", "dot", "correlation"])
def test_it_is_user_knn_with_users_and_items_exchanged(similarity, centre):
    ratings = random_ratings(3, n_users=20, n_items=15, share=0.6)
    users, items = np.divmod(np.arange(300), 15)
    turned = Ratings.from_triples(ratings.indices, ratings.rows(), ratings.values, scale=HALF_STARS)
    choices = {"similarity": similarity, "centre": centre, "minimum_overlap": 2, "shrinkage": 3.0}
    other = UserKNN(UserKNNConfig(**choices)).fit(turned)
    model = ItemKNN(ItemKNNConfig(**choices)).fit(ratings)
    stars, weight = other._predictor.pairs(other.profiles_, np.arange(15), items, users)
    found, same = model._predictor.pairs(model.profiles_, None, users, items)
    assert_allclose(same, weight, rtol=1e-6)
    assert_allclose(found, stars, atol=1e-6)
    assert (weight > 0).mean() > 0.9


def test_the_own_rating_of_an_item_is_not_used():
    dense = np.array([[5, 5, 1], [5, 5, 1], [4, 4, 1.0]])
    model = ItemKNN(ItemKNNConfig(k=1)).fit(of_dense(dense))
    kept, changed = profiles({0: 3, 1: 2}, {0: 3, 1: 5}, n_items=3), np.array([1])
    for row in (0, 1):
        assert model.predict(kept, np.array([row]), changed) == 3


def test_the_sum_of_similarities_breaks_ties():
    """Item 1 has the cosine 1 with item 0, and item 2, which more people rated, less."""
    dense = np.array([[4, 4, 4], [4, 4, 4], [0, 0, 4], [0, 0, 4.0]])
    ranking = ItemKNN().fit(of_dense(dense)).recommend(profiles({0: 4}, n_items=3), 2)
    assert ranking.items.tolist() == [[1, 2]]
    assert ranking.tied == 2


def test_a_model_keeps_no_more_neighbours_than_its_setting():
    model = ItemKNN(ItemKNNConfig(stored=2)).fit(random_ratings(0, n_items=20, share=0.8))
    arrays = model.to_arrays()
    assert_array_equal(np.diff(arrays["neighbours.indptr"]), np.full(20, 2))
    assert len(arrays["neighbours.items"]) == len(arrays["neighbours.similarities"]) == 40


@pytest.mark.parametrize(
    "config",
    [
        ItemKNNConfig(k=0),
        ItemKNNConfig(minimum_overlap=0),
        ItemKNNConfig(shrinkage=-1),
        ItemKNNConfig(stored=-1),
        ItemKNNConfig(similarity="taxicab"),
        ItemKNNConfig(neighbours="raters"),
        ItemKNNConfig(combine="mean-with-zeros"),
        ItemKNNConfig(mean_of="movie"),
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(config):
    with pytest.raises(ConfigurationError, match="cannot be trained with"):
        ItemKNN(config).fit(random_ratings(0))
