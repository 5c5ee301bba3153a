"""The scores of the tag genome are read by polars where they are plain, and carefully elsewhere."""

import pytest

from tests.recommender.core.readers import sources
from tests.recommender.core.readers.side_files import GENOME_TAGS, SCORES, read_side, statements


@pytest.fixture
def genome(tmp_path):
    """Reads a genome of these scores."""

    def read(scores: str):
        files = {"genome-scores.csv": scores, "genome-tags.csv": GENOME_TAGS}
        return read_side(genome_scores=sources.folder(tmp_path / "genome", files))["genome"]

    return read


def test_scores_of_known_items_become_weights(genome):
    found = genome(SCORES)
    assert statements(found.labels) == [(0, "action", 0.25, None), (1, "noir", 0.5, None)]
    assert found.labels.times is None
    assert found.left_out == {"about items without ratings": 1, "about unknown items": 1}


@pytest.mark.parametrize("careful", ["10, 2,0\n", '"10",2,0\n', "10,2,0e0\n"])
def test_both_ways_of_reading_agree(genome, careful):
    fast, slow = genome(SCORES), genome(SCORES.replace("10,2,0\n", careful))
    assert statements(slow.labels) == statements(fast.labels)
    assert slow.left_out == fast.left_out


def test_columns_may_be_in_any_order_and_items_named_by_their_tmdb_id(genome):
    found = genome("relevance,tmdbId,tagId\n0.5,862,1\n0.5,1,1\n")
    assert statements(found.labels) == [(0, "action", 0.5, None)]
    assert found.left_out["about unknown items"] == 1


def test_the_checksum_depends_on_both_files(genome, tmp_path):
    first = genome(SCORES)
    other = sources.folder(tmp_path / "other", {"genome-tags.csv": GENOME_TAGS + "3,war\n"})
    second = read_side(
        genome_scores=tmp_path / "genome" / "genome-scores.csv",
        genome_tags=other / "genome-tags.csv",
    )["genome"]
    assert genome(SCORES).checksum == first.checksum != second.checksum
