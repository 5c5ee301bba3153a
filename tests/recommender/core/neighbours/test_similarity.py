"""The order of users is that of exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours import similarity
from recommender.core.neighbours.similarity import UserIndex, unit_of
from recommender.core.ratings import Scale
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings


def index_of(matrix, scale=HALF_STARS):
    return UserIndex(matrix, scale, UserKNNConfig())


def by_hand(dense, profile, own=None):
    """Users with positive cosine, ordered by exact fractions: cosine, overlap, position."""
    found = []
    for user, row in enumerate(dense):
        pairs = [(Fraction(a), Fraction(b)) for a, b in zip(profile, row, strict=True) if a and b]
        if pairs and user != own:
            dot = sum(a * b for a, b in pairs)
            key = dot * dot / sum(Fraction(b) ** 2 for b in row)
            found.append((-key, -len(pairs), user))
    found.sort()
    norm = sum(Fraction(a) ** 2 for a in profile)
    return [user for *_, user in found], [float(-key / norm) ** 0.5 for key, *_ in found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_users_come_in_the_order_of_exact_arithmetic(seed):
    dense = random_ratings(seed, n_users=25, n_items=5, share=0.6).matrix().toarray()
    index = index_of(of_dense(dense).matrix())
    for row, ranked in enumerate(index.ranked(of_dense(dense).matrix(), exclude=np.arange(25))):
        users, similarities = by_hand(dense.tolist(), dense[row].tolist(), own=row)
        assert ranked.users.tolist() == users
        assert_allclose(ranked.similarities, similarities, rtol=1e-12)


def test_equal_cosines_are_equal_numbers():
    """Multiples of one profile have the same cosine, but not the same rounding errors."""
    dense = np.array([[1, 1, 1, 0], [3, 3, 3, 0], [1.5, 1.5, 1.5, 0], [0.5, 0.5, 0, 0]])
    (ranked,) = index_of(of_dense(dense).matrix()).ranked(
        profiles({0: 2.5, 1: 2.5, 2: 2.5}, n_items=4)
    )
    assert ranked.users.tolist() == [0, 1, 2, 3]
    assert len(set(ranked.similarities[:3])) == 1
    assert ranked.similarities[0] == 1.0


def test_among_equal_cosines_the_larger_overlap_comes_first():
    # With (1, 1, 1, 1) both have the squared cosine 1/2: (1 + 1)^2 / 2 = (4 + 1 + 1)^2 / 18.
    dense = np.array([[1, 1, 0, 0], [4, 1, 1, 0]])
    (ranked,) = index_of(of_dense(dense).matrix()).ranked(
        profiles({0: 1, 1: 1, 2: 1, 3: 1}, n_items=4)
    )
    assert ranked.similarities[0] == ranked.similarities[1]
    assert ranked.users.tolist() == [1, 0]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_keeps_the_best(limit):
    matrix = random_ratings(4, n_users=40, n_items=12).matrix()
    index = index_of(matrix)
    for short, whole in zip(index.ranked(matrix, limit=limit), index.ranked(matrix), strict=True):
        assert_array_equal(short.users, whole.users[:limit])


def test_blocks_do_not_change_the_answer(monkeypatch):
    matrix = random_ratings(5, n_users=40, n_items=12).matrix()
    index = index_of(matrix)
    at_once = [ranked.users.tolist() for ranked in index.ranked(matrix)]
    monkeypatch.setattr(similarity, "BLOCK_CELLS", 100)  # two profiles at a time
    assert [ranked.users.tolist() for ranked in index.ranked(matrix)] == at_once


def test_an_empty_profile_has_no_neighbours():
    index = index_of(random_ratings(6).matrix())
    (ranked,) = index.ranked(profiles({}, n_items=9))
    assert len(ranked.users) == 0


def on_scale(seed, scale, n_users=6, n_items=6, share=0.6):
    rng = np.random.default_rng(seed)
    stars = rng.choice(scale.levels(), (n_users, n_items))
    return of_dense(stars * (rng.random(stars.shape) < share), scale).matrix()


def by_fractions(matrix, scale, row, similarity, centre):
    """(users above zero, best first) for a dot product, or a correlation over common movies.

    A correlation is ordered by its square, which gives the same order.
    """
    first, step = (Fraction(str(number)) for number in (scale.minimum, scale.step))
    found, dense = [], matrix.toarray()
    exact = [
        {i: first + round((x - scale.minimum) / scale.step) * step for i, x in enumerate(r) if x}
        for r in dense.astype(float).tolist()
    ]
    for user, theirs in enumerate(exact):
        mine, shared = exact[row], sorted(exact[row].keys() & theirs.keys())
        if user == row or not shared:
            continue
        sides = [[side[i] for i in shared] for side in (mine, theirs)]
        whole = (mine.values(), theirs.values()) if similarity == "dot" else sides
        if centre == "everything" or similarity == "correlation":
            sides = [
                [x - Fraction(sum(over)) / len(over) for x in side]
                for side, over in zip(sides, whole, strict=True)
            ]
        key = sum(x * y for x, y in zip(*sides, strict=True))
        if key > 0 and similarity == "correlation":
            key = key**2 / sum(x * x for x in sides[0]) / sum(y * y for y in sides[1])
        if key > 0:
            found.append((-key, -len(shared), user))
    return [user for *_, user in sorted(found)]


REAL_STEPS = Scale(0.7, 0.7 + 4 * 0.31415926, 0.31415926)  # not multiples of any unit


@pytest.mark.parametrize(
    ("similarity", "over", "centre"),
    [("dot", "full", "everything"), ("dot", "full", "nothing"),
     ("correlation", "common", "nothing"), ("correlation", "common", "everything")],
)  # fmt: skip
@pytest.mark.parametrize("scale", [HALF_STARS, Scale(1, 4.5, 0.7), REAL_STEPS], ids=str)
def test_rounding_errors_neither_break_ties_nor_make_neighbours(scale, similarity, over, centre):
    config = UserKNNConfig(similarity=similarity, over=over, centre=centre)
    for seed in range(60):
        matrix = on_scale(seed, scale)
        index = UserIndex(matrix, scale, config)
        for row, ranked in enumerate(index.ranked(matrix, exclude=np.arange(6))):
            wanted = by_fractions(matrix, scale, row, similarity, centre)
            assert ranked.users.tolist() == wanted, (seed, row)


def test_an_orthogonal_user_is_no_neighbour_by_centred_dot_product():
    matrix = on_scale(0, HALF_STARS, 40, 6)
    config = UserKNNConfig(similarity="dot", centre="everything")
    for ranked in UserIndex(matrix, HALF_STARS, config).ranked(matrix):
        assert (ranked.similarities > 1e-9).all()


@pytest.mark.parametrize("similarity", ["cosine", "dot", "correlation"])
@pytest.mark.parametrize("shrinkage", [0, 2])
def test_a_similarity_at_the_minimum_is_not_above_it(similarity, shrinkage):
    """Real numbers are compared: as a float a cosine of 0.6 may be 0.6000000000000001."""
    scale = Scale(0.1, 1, 0.1)
    matrix = on_scale(1, scale, 60, 4, 0.9)

    def found(minimum):
        config = UserKNNConfig(
            similarity=similarity, shrinkage=shrinkage, minimum_similarity=minimum
        )
        return next(UserIndex(matrix, scale, config).ranked(matrix[:1])).similarities

    middle = float(np.sort(found(0))[len(found(0)) // 2])
    assert len(found(0)) > len(found(middle)) > 0
    assert (found(middle * (1 - 1e-15)) > middle).all()


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(HALF_STARS, 0.5), (Scale(2, 10, 2), 2), (Scale(1, 2.5, 0.75), 0.25),
     (Scale(1, 4.5, 0.7), 0.1), (Scale(1, 2, 1 / 3), 1 / 3), (Scale(1, 100, 1), 1),
     (Scale(1, 101, 1), 0), (Scale(1, 2, 0.001), 0), (REAL_STEPS, 0)],
)  # fmt: skip
def test_the_unit_of_a_scale_divides_all_its_levels(scale, unit):
    assert unit_of(scale) == pytest.approx(unit, abs=1e-12)


def test_a_scale_whose_levels_are_not_whole_steps_is_compared_in_their_unit():
    scale = Scale(1, 2.5, 0.75)
    dense = np.array([[1, 1.75], [2.5, 1]])
    (ranked,) = index_of(of_dense(dense, scale).matrix(), scale).ranked(
        profiles({0: 1, 1: 1.75}, n_items=2)
    )
    assert ranked.users.tolist() == [0, 1]
    assert ranked.similarities[0] == pytest.approx(1)


def test_profiles_over_another_number_of_items_are_refused():
    index = index_of(random_ratings(6).matrix())
    with pytest.raises(ConfigurationError, match=r"4 items.* 9"):
        next(index.ranked(profiles({0: 1}, n_items=4)))
