"""The compiled neighbours give what the plain ones do, bit for bit."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from recommender.core import neighbours
from recommender.core.errors import Cancelled, ConfigurationError
from recommender.core.neighbours import NeighbourMeans, UserIndex, neighbour_means
from recommender.core.ratings import Scale
from recommender.core.readers import read_source
from recommender.core.splitting import split
from recommender.core.systems import UserKNNConfig, system
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings

pytest.importorskip("numba")

from recommender.core.neighbours import raters as raters_module
from recommender.core.neighbours import walk
from recommender.core.neighbours.levels import in_levels
from recommender.core.neighbours.overall import TopIndex
from recommender.core.neighbours.packed import pack, panel
from recommender.core.neighbours.raters import RaterMeans
from recommender.core.neighbours.top import nearest

PAPER = UserKNNConfig()
SHAPES = st.sampled_from([(300, 20, 0.1), (130, 8, 0.5), (65, 700, 0.6), (1, 3, 0.9)])


class TestCompiledUserKNN(SystemContract):
    system = "user-knn"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def compiled(cls):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(neighbours, "FEWEST_USERS", 0)
            yield


def packed_levels(ratings):
    levels = in_levels(ratings.matrix(), ratings.scale)
    return pack(levels, ratings.n_items, threads=2), levels


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), SHAPES, st.sampled_from([1, 5, 20]), st.booleans())
def test_the_nearest_users_are_those_of_the_plain_index(seed, shape, k, cosine):
    ratings = random_ratings(seed, *shape)
    packed, levels = packed_levels(ratings)
    everyone = np.arange(ratings.n_users)
    found = nearest(packed, levels, everyone, k, cosine=cosine, threads=2)
    config = UserKNNConfig(similarity="cosine" if cosine else "dot")
    index = UserIndex(ratings.matrix(), HALF_STARS, config)
    for row, ranked in enumerate(index.ranked(ratings.matrix(), exclude=everyone, limit=k)):
        n = len(ranked.users)
        assert found.users[row].tolist() == [*ranked.users.tolist(), *[-1] * (k - n)]
        unit = 1 if cosine else HALF_STARS.step**2
        assert_array_equal(found.similarities[row, :n] * unit, ranked.similarities)
        assert not found.similarities[row, n:].any()


def test_threads_and_the_company_of_other_queries_change_nothing():
    packed, levels = packed_levels(random_ratings(3, 700, 30, 0.3))
    everyone = np.arange(700)
    together = nearest(packed, levels, everyone, 5, threads=3)
    for some in np.array_split(np.random.default_rng(0).permutation(700), 9):
        alone = nearest(packed, levels, some, 5, threads=1)
        assert_array_equal(alone.users, together.users[some])
        assert_array_equal(alone.similarities, together.similarities[some])


def test_tiles_that_cannot_matter_are_skipped():
    """Profiles of one movie find their like in few of the tiles, and everything is still exact."""
    dense = np.zeros((2000, 40))
    dense[np.arange(2000), np.arange(2000) % 40] = 5
    dense[1000:] = 5
    packed, levels = packed_levels(of_dense(dense))
    found = nearest(packed, levels, np.arange(1000), 3)
    assert found.visited < 0.9
    assert found.users[0].tolist() == [40, 80, 120]


def brute_force(dense, asking, k, cosine):
    """The nearest users of each profile, by a sort of all in whole numbers."""
    dense, asking = (np.rint(2 * stars).astype(np.int64) for stars in (dense, asking))
    dots, overlaps = asking @ dense.T, (asking > 0).astype(int) @ (dense > 0).T
    keys = dots**2 / np.maximum((dense**2).sum(axis=1), 1) if cosine else dots
    found = np.full((len(asking), k), -1)
    for row in range(len(asking)):
        order = np.lexsort((np.arange(len(dense)), -overlaps[row], -keys[row]))
        order = order[dots[row, order] > 0][:k]
        found[row, : len(order)] = order
    return found


def on_levels(seed, shape, share, lowest, highest):
    rng = np.random.default_rng(seed)
    return rng.integers(lowest, highest + 1, shape) / 2 * (rng.random(shape) < share)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(1, 2), (1, 10), (9, 10), (4, 4)]),
    st.sampled_from([(1, 2), (1, 10), (9, 10), (4, 4)]),
    st.sampled_from([(6, 0.4), (40, 0.1), (40, 0.5)]),
    st.sampled_from([1, 5]),
    st.booleans(),
)
def test_strangers_on_other_levels_find_their_nearest_users(seed, given_, asked, shape, k, cosine):
    """In tiles enough that some are skipped, with ties across them."""
    movies, share = shape
    dense = on_levels(seed, (1_500, movies), share, *given_)
    dense[:500] *= np.arange(movies) < 4  # small norms, so that tiles differ
    asking = on_levels(seed + 1, (40, movies), share, *asked)
    found = neighbours.nearest_users(
        csr_array(dense), HALF_STARS, k, profiles=csr_array(asking), cosine=cosine, threads=2
    )
    assert_array_equal(found.users, brute_force(dense, asking, k, cosine))


def test_high_stars_asking_among_low_ones_skip_no_tile_that_matters():
    dense = on_levels(0, (3_000, 30), 0.4, 1, 2)
    asking = on_levels(1, (40, 30), 0.4, 1, 10)
    for cosine in (True, False):
        found = neighbours.nearest_users(
            csr_array(dense), HALF_STARS, 5, profiles=csr_array(asking), cosine=cosine, threads=2
        )
        assert_array_equal(found.users, brute_force(dense, asking, 5, cosine))


def test_a_tile_that_can_only_tie_is_not_skipped():
    """Everybody is alike in direction; the first user, of a larger norm, comes in a later tile."""
    dense = np.full((900, 1), 2.0)
    dense[:300] = 5
    found = neighbours.nearest_users(csr_array(dense), HALF_STARS, 1, rows=np.array([899]))
    assert found.users[0, 0] == 0


def test_a_search_can_be_stopped():
    packed, levels = packed_levels(random_ratings(1, 300, 20))

    def stop(progress):
        raise Cancelled(f"{progress.done} of {progress.total}")

    with pytest.raises(Cancelled, match="0 of 300"):
        nearest(packed, levels, np.arange(300), 5, progress=stop)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    SHAPES,
    st.sampled_from([1, 5]),
    st.sampled_from([(1024, 8192), (20, 64), (5, 0), (0, 300)]),
)
def test_means_over_raters_are_those_of_the_plain_form(seed, shape, k, steering):
    ratings = random_ratings(seed, *shape)
    matrix, own = ratings.matrix(), np.arange(ratings.n_users)
    levels = in_levels(matrix, HALF_STARS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raters_module, "POPULAR", steering[0])
        patch.setattr(raters_module, "WALK", steering[1])
        compiled = RaterMeans(levels, ratings.n_items, HALF_STARS, k, threads=2)
        grid = compiled.grid(matrix, own)
        rows, items = np.random.default_rng(seed).integers(0, matrix.shape, (500, 2)).T
        pairs = compiled.pairs(matrix, own, rows, items)
    wanted = NeighbourMeans(matrix, HALF_STARS, UserKNNConfig(k=k)).grid(matrix, own)
    for part in range(2):
        assert_array_equal(grid[part], wanted[part])
        assert_array_equal(pairs[part], wanted[part][rows, items])


VARIANTS = {
    **system("user-knn").presets,
    "correlation": UserKNNConfig(similarity="correlation", over="common", shrinkage=3),
    "unlike": UserKNNConfig(k=60, similarity="correlation", minimum_similarity=-1),
    "many": UserKNNConfig(k=100, over="common"),
    "overall": UserKNNConfig(neighbours="overall", centre="everything", combine="mean-with-zeros"),
}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=list(VARIANTS))
def test_every_variant_is_the_same_with_compiled_products(config):
    matrix, everyone = random_ratings(7, 130, 25, 0.4).matrix(), np.arange(130)
    wanted = NeighbourMeans(matrix, HALF_STARS, config).grid(matrix, everyone)
    found = NeighbourMeans(matrix, HALF_STARS, config, compiled=3).grid(matrix, everyone)
    for part in range(2):
        assert_array_equal(found[part], wanted[part])


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000), SHAPES, st.sampled_from([1, 5, 64]), st.sampled_from(["mean", "sum"])
)
def test_the_nearest_overall_come_from_the_compiled_search(seed, shape, k, combine):
    matrix = random_ratings(seed, *shape).matrix()
    config = UserKNNConfig(k=k, neighbours="overall", combine=combine)
    own = np.arange(matrix.shape[0])
    compiled = NeighbourMeans(matrix, HALF_STARS, config, compiled=2)
    plain = NeighbourMeans(matrix, HALF_STARS, config)
    assert isinstance(compiled._index, TopIndex)
    for exclude in (own, None):
        for ours, wanted in zip(
            compiled.grid(matrix, exclude), plain.grid(matrix, exclude), strict=True
        ):
            assert_array_equal(ours, wanted)
    for ours, wanted in zip(
        compiled._index.ranked(matrix, exclude=own, limit=k),
        plain._index.ranked(matrix, exclude=own, limit=k),
        strict=True,
    ):
        assert_array_equal(ours.overlaps, wanted.overlaps)
        assert_array_equal(ours.users, wanted.users)


@pytest.mark.parametrize("strange", [{0: 40}, {0: -1}])
def test_profiles_off_the_scale_find_nobody_overall(strange):
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    config = UserKNNConfig(neighbours="overall")
    compiled = NeighbourMeans(matrix, HALF_STARS, config, compiled=1)
    with pytest.raises(ConfigurationError, match="scale"):
        compiled.grid(profiles(strange, n_items=10), None)


def test_walks_through_long_lists_change_nothing():
    """More users than a walk begins with, so that some movies are found by it and some are not."""
    ratings = random_ratings(2, 3000, 12, 0.4)
    matrix = ratings.matrix()
    levels = in_levels(matrix, HALF_STARS)
    compiled = RaterMeans(levels, 12, HALF_STARS, 40, threads=2)
    some, rows, items = np.arange(0, 3000, 100), *np.divmod(np.arange(30 * 12), 12)
    wanted = NeighbourMeans(matrix, HALF_STARS, UserKNNConfig(k=40)).grid(matrix[some], some)
    for found in (
        compiled.grid(matrix[some], some),
        compiled.pairs(matrix[some], some, rows, items),
    ):
        assert_array_equal(found[0].ravel(), wanted[0].ravel())
        assert_array_equal(found[1].ravel(), wanted[1].ravel())


def test_a_walk_holds_all_above_its_bound_however_close():
    packed = packed_levels(random_ratings(0, 3_000, 12, 0.4))[0]
    keys = 1 + 1e-9 * np.random.default_rng(0).permutation(3_000)
    query = walk.Query(panel(12), 0, keys, 1.0)
    near = walk._most_similar(query, packed, 1_024)
    assert 500 < len(near) < 2_000
    assert_array_equal(near, np.argsort(-keys)[: len(near)])


def test_profiles_of_strangers_have_everyone_as_neighbour():
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    stranger = profiles({0: 4, 3: 2.5}, {}, n_items=10)
    compiled = RaterMeans(in_levels(matrix, HALF_STARS), 10, HALF_STARS, 5)
    for found, wanted in zip(
        compiled.grid(stranger, None),
        NeighbourMeans(matrix, HALF_STARS, PAPER).grid(stranger, None),
        strict=True,
    ):
        assert_array_equal(found, wanted)


def test_profiles_off_the_scale_of_the_model_are_refused():
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    compiled = RaterMeans(in_levels(matrix, HALF_STARS), 10, HALF_STARS, 5)
    with pytest.raises(ConfigurationError, match="scale"):
        compiled.grid(profiles({0: 40}, n_items=10), None)


@pytest.mark.parametrize(
    ("config", "scale", "kind"),
    [
        (PAPER, HALF_STARS, RaterMeans),
        (UserKNNConfig(k=9), Scale(1, 5, 1), RaterMeans),
        (UserKNNConfig(shrinkage=1), HALF_STARS, NeighbourMeans),
        (UserKNNConfig(similarity="correlation"), HALF_STARS, NeighbourMeans),
        (PAPER, Scale(1, 2.5, 0.75), NeighbourMeans),  # levels that are no whole steps
        (PAPER, Scale(1, 100, 1), NeighbourMeans),  # more levels than fit
    ],
)
def test_the_compiled_form_is_taken_where_it_can_be(monkeypatch, config, scale, kind):
    monkeypatch.setattr(neighbours, "FEWEST_USERS", 2)
    matrix = of_dense(np.full((2, 3), scale.minimum), scale).matrix()
    assert type(neighbour_means(matrix, scale, config)) is kind


def test_few_users_and_machines_without_numba_take_the_plain_form(monkeypatch):
    matrix = random_ratings(0).matrix()
    assert type(neighbour_means(matrix, HALF_STARS, PAPER)) is NeighbourMeans
    monkeypatch.setattr(neighbours, "FEWEST_USERS", 0)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert type(neighbour_means(matrix, HALF_STARS, PAPER)) is NeighbourMeans


def test_ratings_that_may_not_be_written_to_do_as_well():
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    before = RaterMeans(in_levels(matrix, HALF_STARS), 10, HALF_STARS, 5).grid(matrix, None)
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    after = RaterMeans(in_levels(matrix, HALF_STARS), 10, HALF_STARS, 5).grid(matrix, None)
    assert_array_equal(after[0], before[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small"])
def test_on_real_ratings_both_forms_agree_everywhere(real_data, name):
    train = split(read_source(real_data / name).ratings, "time-90-10", 0).train
    matrix, own = train.matrix(), np.arange(train.n_users)
    compiled = RaterMeans(in_levels(matrix, train.scale), train.n_items, train.scale, 5)
    plain = NeighbourMeans(matrix, train.scale, PAPER)
    for ours, wanted in zip(compiled.grid(matrix, own), plain.grid(matrix, own), strict=True):
        assert_array_equal(ours, wanted)
