"""The compiled search is entered where it applies, and gives the numbers of the plain form."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.neighbours import predictions
from recommender.core.neighbours.predictions import PlainPredictor, build_predictor
from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source
from recommender.core.splitting import split
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, random_ratings

pytest.importorskip("numba")

from recommender.core.neighbours.fast.nearest_raters import CompiledPredictor
from recommender.core.neighbours.fast.nearest_users import CompiledIndex
from recommender.core.neighbours.fast.search import compile_predictor

PAPER = UserKNNConfig()
OVERALL = UserKNNConfig(k=3, neighbours="overall", combine="mean-with-zeros")


class TestCompiledUserKNN(SystemContract):
    system = "user-knn"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def compiled(cls):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(predictions, "COMPILE_FROM_USERS", 0)
            yield


def test_many_users_take_the_compiled_form(monkeypatch):
    monkeypatch.setattr(predictions, "COMPILE_FROM_USERS", 2)
    matrix = of_dense(np.full((2, 3), 1.0)).matrix()
    assert type(build_predictor(matrix, HALF_STARS, PAPER)) is CompiledPredictor
    monkeypatch.setattr(predictions, "COMPILE_FROM_USERS", 3)
    assert type(build_predictor(matrix, HALF_STARS, PAPER)) is PlainPredictor


@pytest.mark.parametrize(
    ("config", "scale", "kind"),
    [
        (PAPER, HALF_STARS, CompiledPredictor),
        (UserKNNConfig(k=9, fallback="mean"), Scale(1, 5, 1), CompiledPredictor),
        (OVERALL, HALF_STARS, PlainPredictor),
        (UserKNNConfig(shrinkage=1), HALF_STARS, type(None)),
        (UserKNNConfig(similarity="correlation"), HALF_STARS, type(None)),
        (UserKNNConfig(neighbours="overall", search="kd-tree"), HALF_STARS, type(None)),
        (PAPER, Scale(1, 2.5, 0.75), type(None)),  # levels that are not whole steps
        (PAPER, Scale(1, 100, 1), type(None)),  # too many levels
    ],
    ids=str,
)
def test_the_search_is_compiled_for_whole_steps_and_the_full_cosine(config, scale, kind):
    matrix = of_dense(np.full((2, 3), scale.minimum), scale).matrix()
    assert type(compile_predictor(matrix, scale, config)) is kind


def test_the_nearest_overall_come_from_the_compiled_index():
    matrix = random_ratings(3, 130, 12).matrix()
    compiled = compile_predictor(matrix, HALF_STARS, OVERALL, threads=2)
    assert type(compiled._index) is CompiledIndex
    own = np.arange(130)
    plain = PlainPredictor(matrix, HALF_STARS, OVERALL)
    for found, wanted in zip(compiled.grid(matrix, own), plain.grid(matrix, own), strict=True):
        assert_array_equal(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small"])
def test_both_forms_agree_on_real_ratings(real_data, name):
    train = split(read_source(real_data / name).ratings, "time-90-10", 0).train
    matrix, own = train.matrix(), np.arange(train.n_users)
    compiled = compile_predictor(matrix, train.scale, PAPER)
    plain = PlainPredictor(matrix, train.scale, PAPER)
    for found, wanted in zip(compiled.grid(matrix, own), plain.grid(matrix, own), strict=True):
        assert_array_equal(found, wanted)
