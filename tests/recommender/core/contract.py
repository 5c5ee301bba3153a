"""What every system must do. The test class of a system inherits all of it:

class TestPopularity(SystemContract):
    system = "popularity"  # the key in SYSTEMS
    is_personal = False  # only if predictions do not follow the taste of the profile
"""

import json
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import Cancelled, ConfigurationError, FitError
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions
from recommender.core.systems import config_from_dict, config_to_dict
from tests.recommender.core.matrices import (
    HALF_STARS,
    checkerboard,
    of_dense,
    profiles,
    random_ratings,
)


class SystemContract:
    system: str
    config: Any = None  # None: the default preset
    is_personal = True  # whether predictions follow the taste of the profile

    @classmethod
    def model(cls) -> Recommender:
        return implementation(cls.system, cls.config)(cls.config)

    @classmethod
    def fitted(cls, ratings: Ratings, seed: int = 0) -> Recommender:
        return cls.model().fit(ratings, options=RunOptions(seed=seed, threads=1))

    def check_taste(self, loved: np.ndarray, hated: np.ndarray) -> None:
        """On a checkerboard; without a personal taste every item is average."""
        if self.is_personal:
            assert loved.min() > 4
            assert hated.max() < 2
        else:
            assert_allclose(np.concatenate((loved, hated)), 3, atol=0.3)

    def ranked_by(self, model: Recommender, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What the system ranks the pairs of training profiles and items by, from an oracle."""
        assert model.ranks_by_rating, "override this method"
        return model.predict(None, rows, items)

    def expect_for_an_empty_profile(self, ratings: Ratings) -> np.ndarray:
        """Predictions (n_items) before clipping: by default the damped bias of an unknown user."""
        return BiasTerms.learn(ratings.matrix(), BiasConfig()).item_means()

    @pytest.fixture(scope="class")
    @classmethod
    def any_ratings(cls) -> Ratings:
        return random_ratings(seed=1, n_users=30, n_items=25, share=0.3)

    @pytest.fixture(scope="class")
    @classmethod
    def any_model(cls, any_ratings) -> Recommender:
        return cls.fitted(any_ratings)

    @pytest.fixture(scope="class")
    @classmethod
    def board(cls) -> Recommender:
        """Fitted on a checkerboard; user u did not rate items u and u + 1 (modulo 20)."""
        stars = checkerboard()
        users = np.arange(len(stars))
        stars[users, users % 20] = stars[users, (users + 1) % 20] = 0
        return cls.fitted(of_dense(stars))

    def test_its_settings_can_be_trained_with(self):
        self.model().check()

    def test_right_answers_on_a_checkerboard(self, board):
        users = np.arange(40)
        loved = board.predict(None, users, users % 20)
        hated = board.predict(None, users, (users + 1) % 20)
        self.check_taste(loved, hated)

    def test_an_unseen_user_is_predicted_from_the_profile(self, board):
        even = profiles({item: 5 if item % 2 == 0 else 1 for item in range(18)}, n_items=20)
        stars = board.predict(even, np.array([0, 0]), np.array([18, 19]))
        self.check_taste(stars[:1], stars[1:])

    def test_the_best_item_is_recommended_first(self, board):
        ranking = board.recommend(None, 1)
        best = self.ranked_by(board, np.arange(40), ranking.items[:, 0])
        other = np.where(ranking.items[:, 0] == np.arange(40) % 20, 1, 0)
        worse = self.ranked_by(board, np.arange(40), (np.arange(40) + other) % 20)
        assert np.all(best >= worse)

    def test_an_item_without_ratings_is_predicted_but_never_recommended(self):
        stars = checkerboard()
        stars[:, 7] = 0
        model = self.fitted(of_dense(stars))
        assert np.isfinite(model.predict(None, np.arange(40), np.full(40, 7))).all()
        nothing = csr_array((40, 20), dtype=np.float32)
        assert 7 not in model.recommend(None, 20, exclude=nothing).items

    def test_an_empty_profile_gets_the_fallback(self, any_model, any_ratings):
        items = np.arange(any_ratings.n_items)
        unknown = profiles({}, n_items=len(items))
        found = any_model.predict(unknown, np.zeros(len(items), int), items)
        assert_allclose(
            found, HALF_STARS.clip(self.expect_for_an_empty_profile(any_ratings)), atol=1e-9
        )

    def test_a_single_profile_gives_the_same_result_as_a_batch(self, any_model, any_ratings):
        matrix = any_ratings.matrix()
        rows, items = np.divmod(np.arange(30 * 25), 25)
        together = any_model.predict(matrix, rows, items).reshape(30, 25)
        ranked = any_model.recommend(matrix, 3)
        for row in range(30):
            alone = matrix[[row]]
            assert_allclose(
                any_model.predict(alone, np.zeros(25, int), np.arange(25)),
                together[row],
                atol=1e-5,
            )
            assert_array_equal(any_model.recommend(alone, 3).items[0], ranked.items[row])

    def test_no_profiles_and_no_pairs_give_empty_results(self, any_model):
        empty = csr_array((0, 25), dtype=np.float32)
        assert any_model.predict(None, np.array([], int), np.array([], int)).shape == (0,)
        assert any_model.recommend(empty, 3).items.shape == (0, 3)

    def test_scores_of_recommendations_are_the_predictions(self, any_model):
        ranking = any_model.recommend(None, 4)
        rows = np.repeat(np.arange(30), 4)
        stars = any_model.predict(None, rows, ranking.items.ravel())
        assert_allclose(ranking.scores.ravel(), stars, atol=1e-5)
        order = self.ranked_by(any_model, rows, ranking.items.ravel()).reshape(30, 4)
        assert np.all(np.diff(order, axis=1) <= 1e-5)

    def test_the_same_seed_gives_the_same_result(self, any_model, any_ratings):
        again = self.fitted(any_ratings)
        rows, items = np.divmod(np.arange(30 * 25), 25)
        assert_array_equal(again.predict(None, rows, items), any_model.predict(None, rows, items))
        assert_array_equal(again.recommend(None, 5).items, any_model.recommend(None, 5).items)
        assert again.train_rmse_ == any_model.train_rmse_

    def test_a_reloaded_model_gives_the_same_bits(self, any_model):
        arrays = {name: np.array(array) for name, array in any_model.to_arrays().items()}
        back = type(any_model).from_arrays(any_model.config, arrays)
        rows, items = np.divmod(np.arange(30 * 25), 25)
        assert_array_equal(back.predict(None, rows, items), any_model.predict(None, rows, items))
        ranking, before = back.recommend(None, 5), any_model.recommend(None, 5)
        assert_array_equal(ranking.items, before.items)
        assert_array_equal(ranking.scores, before.scores)
        assert back.train_rmse_ == any_model.train_rmse_
        assert back.loss_curve_ == any_model.loss_curve_

    @pytest.mark.parametrize("shift", [-0.5, -3])
    def test_ratings_of_zero_and_below_are_ratings_like_others(self, any_model, any_ratings, shift):
        moved = self.fitted(any_ratings.shifted(shift))
        arrays = {name: np.array(array) for name, array in moved.to_arrays().items()}
        rows, items = np.divmod(np.arange(30 * 25), 25)
        ranking = any_model.recommend(None, 5)
        for model in (moved, type(moved).from_arrays(moved.config, arrays)):
            for given in (None, any_ratings.shifted(shift).matrix()):
                before = any_ratings.matrix() if given is not None else None
                expected = any_model.predict(before, rows, items) + shift
                assert_allclose(model.predict(given, rows, items), expected, atol=1e-6)
            assert_array_equal(model.recommend(None, 5).items, ranking.items)
            assert_allclose(model.recommend(None, 5).scores, ranking.scores + shift, atol=1e-6)

    def test_predictions_are_float64_on_the_scale(self, any_model):
        rows, items = np.divmod(np.arange(30 * 25), 25)
        stars = any_model.predict(None, rows, items)
        assert stars.dtype == np.float64
        assert np.all((stars >= 0.5) & (stars <= 5.0))

    def test_rated_items_are_not_recommended(self, any_model, any_ratings):
        dense = any_ratings.matrix().toarray()
        ranking = any_model.recommend(None, 25)
        for row, items in enumerate(ranking.items):
            assert not dense[row, items[items >= 0]].any()

    def test_excluded_items_are_not_recommended(self, any_model):
        first = any_model.recommend(None, 1)
        exclude = np.zeros((30, 25), np.float32)
        exclude[np.arange(30), first.items[:, 0]] = 1
        ranking = any_model.recommend(None, 25, exclude=csr_array(exclude))
        assert not np.any(ranking.items == first.items[:, :1])
        assert len(np.unique(ranking.items[0])) == 25  # 24 items and -1

    def test_missing_recommendations_are_minus_one_and_nan(self, any_model):
        full = csr_array(np.ones((1, 25), np.float32))
        ranking = any_model.recommend(csr_array((1, 25), dtype=np.float32), 2, exclude=full)
        assert ranking.items.tolist() == [[-1, -1]]
        assert np.isnan(ranking.scores).all()
        assert ranking.tied.tolist() == [0]

    def test_items_that_share_the_top_score_are_counted(self, any_model):
        ranking = any_model.recommend(None, 25)
        by_rating = any_model.ranks_by_rating
        for row, (items, tied) in enumerate(zip(ranking.items, ranking.tied, strict=True)):
            items = items[items >= 0]
            scores = ranking.scores[row, : len(items)]
            if not by_rating:
                scores = self.ranked_by(any_model, np.full(len(items), row), items)
            if not by_rating or 0.5 < scores[0] < 5:  # scores at the ends were clipped
                assert tied == np.count_nonzero(scores == scores[0])

    def test_a_configuration_is_restored_from_json(self):
        config = self.model().config
        text = json.dumps(config_to_dict(config))
        assert config_from_dict(self.system, json.loads(text)) == config

    def test_training_reports_progress_and_can_be_cancelled(self, any_ratings):
        seen: list[Progress] = []

        def cancel(progress: Progress) -> None:
            seen.append(progress)
            raise Cancelled("stop")

        with pytest.raises(Cancelled):
            self.model().fit(any_ratings, options=RunOptions(progress=cancel, threads=1))
        assert seen[0].phase == "training"

    def test_recommending_can_be_cancelled(self, any_model):
        def cancel(progress: Progress) -> None:
            raise Cancelled(progress.phase)

        with pytest.raises(Cancelled, match="recommending"):
            any_model.recommend(None, 1, options=RunOptions(progress=cancel))

    def test_training_without_ratings_is_refused(self):
        nothing = random_ratings(0).select(np.zeros(random_ratings(0).n_ratings, bool))
        with pytest.raises(FitError):
            self.fitted(nothing)

    def test_profiles_over_other_items_are_refused(self, any_model):
        with pytest.raises(ConfigurationError, match="25"):
            any_model.recommend(csr_array((1, 24), dtype=np.float32), 1)

    @pytest.mark.parametrize(("row", "item"), [(30, 0), (0, 25), (-1, 0)])
    def test_positions_outside_the_model_are_refused(self, any_model, row, item):
        with pytest.raises(ConfigurationError):
            any_model.predict(None, np.array([row]), np.array([item]))
