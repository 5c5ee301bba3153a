"""Nearest users by dense tiles: the lists of the other forms, order included, on any device."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from recommender.core.errors import Cancelled, ConfigurationError
from recommender.core.neighbours import UserIndex, nearest_users, tiles
from recommender.core.neighbours.levels import Levels, in_levels
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings

#: many users of few movies and levels, so that most neighbours are tied in similarity
SHAPES = st.sampled_from([(300, 6, 0.4), (300, 20, 0.1), (65, 700, 0.6), (700, 5, 0.7), (1, 3, 1)])
LITTLE = 1 << 20  #: bytes: tiles of a few dozen users


def found_by_tiles(ratings, k, **options):
    levels = in_levels(ratings.matrix(), ratings.scale)
    options = {"device": "cpu", **options}
    everyone = np.arange(ratings.n_users)
    return tiles.nearest(levels, ratings.n_items, levels, everyone, k, **options)


def found_by_index(ratings, k, cosine):
    """(users, similarities) of the plain form, filled up as ``Nearest`` is."""
    config = UserKNNConfig(similarity="cosine" if cosine else "dot")
    index = UserIndex(ratings.matrix(), HALF_STARS, config)
    users = np.full((ratings.n_users, k), -1)
    similarities = np.zeros((ratings.n_users, k))
    everyone = np.arange(ratings.n_users)
    for row, ranked in enumerate(index.ranked(ratings.matrix(), exclude=everyone, limit=k)):
        users[row, : len(ranked.users)] = ranked.users
        similarities[row, : len(ranked.users)] = ranked.similarities
    return users, similarities if cosine else similarities / HALF_STARS.step**2


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    SHAPES,
    st.sampled_from([1, 5, 20]),
    st.booleans(),
    st.sampled_from([torch.int8, torch.float32, torch.float64, None]),
    st.sampled_from([LITTLE, tiles.MEMORY]),
)
def test_the_nearest_users_are_those_of_the_plain_index(seed, shape, k, cosine, kind, memory):
    ratings = random_ratings(seed, *shape)
    found = found_by_tiles(ratings, k, cosine=cosine, kind=kind, memory=memory)
    users, similarities = found_by_index(ratings, k, cosine)
    assert_array_equal(found.users, users)
    assert_array_equal(found.similarities, similarities)


@pytest.mark.parametrize("cosine", [True, False])
def test_tiles_and_lanes_give_the_same_lists(cosine):
    pytest.importorskip("numba")
    ratings = random_ratings(4, 3000, 12, 0.4)
    wanted = nearest_users(ratings.matrix(), HALF_STARS, 7, cosine=cosine, threads=2)
    found = found_by_tiles(ratings, 7, cosine=cosine)
    assert_array_equal(found.users, wanted.users)
    assert_array_equal(found.similarities, wanted.similarities)


def test_bounds_from_chunks_and_small_portions_change_nothing(monkeypatch):
    ratings = random_ratings(6, 900, 8, 0.5)
    wanted = found_by_tiles(ratings, 5)
    monkeypatch.setattr(tiles, "CHUNK", 4)
    monkeypatch.setattr(tiles, "AT_ONCE", 50)
    found = found_by_tiles(ratings, 5, memory=LITTLE)
    assert_array_equal(found.users, wanted.users)
    assert_array_equal(found.similarities, wanted.similarities)


def test_equally_similar_users_are_ordered_by_overlap_and_then_by_position():
    """All are alike in direction or share what makes the cosine equal; only overlap differs."""
    rows = [[2, 2, 0], [4, 0, 0], [2, 2, 0], [0, 4, 0], [1, 1, 0]]
    found = found_by_tiles(of_dense(np.array(rows, float)), 4)
    assert found.users[0].tolist() == [2, 4, 1, 3]
    assert found.users[4].tolist() == [0, 2, 1, 3]


def test_other_peoples_profiles_have_everyone_as_neighbour():
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    strangers = profiles({0: 4, 3: 2.5}, {}, n_items=10)
    ours, theirs = (
        nearest_users(matrix, HALF_STARS, 3, profiles=strangers),
        tiles.nearest(
            in_levels(matrix, HALF_STARS), 10, in_levels(strangers, HALF_STARS), np.arange(2), 3,
            own=np.full(2, -1), device="cpu",
        ),
    )  # fmt: skip
    assert_array_equal(ours.users, theirs.users)
    assert theirs.users[1].tolist() == [-1, -1, -1]


def test_without_numba_the_processor_takes_tiles_too(monkeypatch):
    matrix = random_ratings(8, 90, 10, 0.5).matrix()
    wanted = nearest_users(matrix, HALF_STARS, 4, rows=np.array([7, 3]))
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr("recommender.core.neighbours.find_spec", lambda name: None)
    found = nearest_users(matrix, HALF_STARS, 4, rows=np.array([7, 3]))
    assert_array_equal(found.users, wanted.users)


def test_sums_that_float32_might_round_are_taken_in_more_bits():
    few = in_levels(random_ratings(0).matrix(), HALF_STARS)
    long = Levels(
        np.array([0, 80_000]), np.arange(80_000, dtype=np.int32), np.full(80_000, 15, "u1")
    )
    kinds = [tiles._kind(*[tiles.Tensors.of(part, "cpu")] * 2, "cpu") for part in (few, long)]
    assert kinds == [torch.float32, torch.float64]
    found = tiles.nearest(long, 80_000, long, np.array([0]), 1, own=np.array([-1]), device="cpu",
                          cosine=False)  # fmt: skip
    assert found.similarities[0, 0] == 80_000 * 15 * 15


def test_tiles_stay_within_their_memory():
    for memory in (1 << 25, 1 << 30, 1 << 33):
        queries, users = tiles._shape(270_896, 270_896, 45_115, torch.int8, memory)
        assert (queries + users) * 45_120 + 9 * queries * users <= memory
        assert queries % tiles.MULTIPLE == users % tiles.MULTIPLE == 0


def test_a_search_can_be_stopped_between_tiles():
    seen = []

    def stop(progress):
        seen.append(progress.done)
        if len(seen) == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        found_by_tiles(random_ratings(1, 300, 20), 5, memory=1, progress=stop)
    assert seen[0] == 0
    assert 0 < seen[2] < 300


def test_what_cannot_be_compared_is_refused():
    matrix = random_ratings(1).matrix()
    with pytest.raises(ConfigurationError, match="whole steps"):
        nearest_users(matrix, Scale(1, 100, 1), 5)


def csr(data, movies, starts, shape=(2, 4)):
    """A matrix that scipy would not let through when it checks."""
    made = csr_array(shape, dtype=np.asarray(data).dtype)
    made.data, made.indices, made.indptr = (np.array(part) for part in (data, movies, starts))
    return made


GOOD = csr([1.0, 2.0, 3.0], [0, 2, 1], [0, 2, 3])


@pytest.mark.parametrize("side", ["users", "profiles"])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (csr([1.0, -2.0, 3.0], [0, 2, 1], [0, 2, 3]), "whole steps"),
        (csr([1.0, 0.0, 3.0], [0, 2, 1], [0, 2, 3]), "whole steps"),
        (csr([1.0, np.nan, 3.0], [0, 2, 1], [0, 2, 3]), "whole steps"),
        (csr([1.0, np.inf, 3.0], [0, 2, 1], [0, 2, 3]), "whole steps"),
        (csr([1.0, 2.2, 3.0], [0, 2, 1], [0, 2, 3]), "whole steps"),
        (csr([1 + 0j, 2, 3], [0, 2, 1], [0, 2, 3]), "complex128"),
        (csr([True, True, True], [0, 2, 1], [0, 2, 3]), "bool"),
        (csr([1.0, 2.0, 3.0], [2, 0, 1], [0, 2, 3]), "ascend"),
        (csr([1.0, 2.0, 3.0], [2, 2, 1], [0, 2, 3]), "ascend"),
        (csr([1.0, 2.0, 3.0], [0, 4, 1], [0, 2, 3]), "outside of 0 to 3"),
        (csr([1.0, 2.0, 3.0], [-1, 2, 1], [0, 2, 3]), "outside of 0 to 3"),
        (csr([1.0, 2.0, 3.0], [0, 2, 1], [0, 2, 5]), "indptr"),
        (csr([1.0, 2.0, 3.0], [0, 2, 1], [0, 4, 3]), "indptr"),
    ],
)
def test_a_matrix_that_would_be_read_wrongly_is_refused(side, wrong, says):
    users, asking = (wrong, None) if side == "users" else (GOOD, wrong)
    with pytest.raises(ConfigurationError, match=f"{side}.*{says}|{says}.*{side}"):
        nearest_users(users, HALF_STARS, 1, profiles=asking)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"profiles": csr([1.0], [4], [0, 1], (1, 5))}, "5 movies, the users 4"),
        ({"profiles": csr([1.0], [2], [0, 1], (1, 3))}, "3 movies, the users 4"),
        ({"rows": np.array([2])}, "from 0 to 1"),
        ({"rows": np.array([-1])}, "from 0 to 1"),
        ({"rows": np.array([0, 1]), "profiles": GOOD[[0]]}, "from 0 to 0"),
        ({"rows": np.array([0.0])}, "whole numbers"),
        ({"rows": np.array([True, False])}, "whole numbers"),
        ({"rows": np.array([[0]])}, "whole numbers"),
        ({"k": 0}, "k=0"),
        ({"k": -3}, "k=-3"),
    ],
)
def test_what_nobody_can_answer_is_refused(asked, says):
    with pytest.raises(ConfigurationError, match=says):
        nearest_users(**{"matrix": GOOD, "scale": HALF_STARS, "k": 1, **asked})


def test_empty_profiles_between_others_are_fine():
    matrix = csr([1.0, 2.0, 3.0], [1, 2, 1], [0, 0, 2, 2, 3, 3], (5, 4))
    found = nearest_users(matrix, HALF_STARS, 1, rows=[])
    assert found.users.shape == (0, 1)
    found = nearest_users(matrix, HALF_STARS, 1)
    assert found.users[:, 0].tolist() == [-1, 3, -1, 1, -1]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_machine_without_gpu_says_so():
    with pytest.raises(ConfigurationError, match="no CUDA device"):
        nearest_users(random_ratings(1).matrix(), HALF_STARS, 5, device="cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [None, torch.float32])
@pytest.mark.parametrize("cosine", [True, False])
def test_on_a_gpu_the_lists_are_those_of_the_processor(kind, cosine):
    for shape in ((3000, 12, 0.4), (900, 5, 0.7), (400, 700, 0.6)):
        ratings = random_ratings(9, *shape)
        wanted = found_by_tiles(ratings, 9, cosine=cosine)
        found = found_by_tiles(ratings, 9, cosine=cosine, kind=kind, device="cuda")
        assert_array_equal(found.users, wanted.users)
        assert_array_equal(found.similarities, wanted.similarities)
