"""Items of side files are found by their ids, and columns by their names."""

import io

import numpy as np
import pytest

from recommender.core.errors import SourceError
from recommender.core.labels import collect_labels
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.label_sources import (
    REASONS,
    UNKNOWN,
    UNRATED,
    LabelSource,
    find_places,
    open_side_table,
)


def table(text: str, *needed: str, **options):
    raw = text.encode()
    return open_side_table(
        SourceFile("side.csv", len(raw), lambda: io.BytesIO(raw)), needed, **options
    )


def test_the_first_of_items_with_one_foreign_id_counts():
    places = find_places([("1", {"tmdb": "7"}, 4), ("2", {"tmdb": "7"}, 5), ("3", {}, None)])
    assert places["tmdb"] == {"7": 4}
    assert places["item"]["3"] == UNRATED


@pytest.mark.parametrize(
    ("header", "ids"),
    [
        ("movieId,tmdbId,keywords", "item"),
        ("tmdbId,imdb_id,keywords", "imdb"),
        ("TMDB ID;Keyword", "tmdb"),
    ],
)
def test_own_ids_are_preferred_to_those_of_other_sites(header, ids):
    assert table(header + "\n", "keywords").ids == ids


def test_tags_of_ml_10m_have_no_header():
    found = table("15::4973::excellent!::1215184630\n", "tag", optional=["timestamp"])
    assert (found.has_header, found.columns["tag"]) == (False, [2])


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("tag,timestamp", "column 'item' is missing"),
        ("movieId,word", "column 'tag' is missing"),
        ("movieId,tag,tag", "could both be the tag"),
        ("movieId,itemId,tag", "could both be the item"),
    ],
)
def test_a_header_that_lacks_a_column_or_has_it_twice_is_refused(header, problem):
    with pytest.raises(SourceError, match=problem) as refused:
        table(header + "\n", "tag")
    assert (refused.value.line, refused.value.field) == (1, "header")


def test_a_report_counts_what_was_left_out():
    labels = collect_labels([(0, "sad", 5), (3, "sad", 6)], timed=True)
    source = LabelSource(labels, "0" * 64, {REASONS[UNKNOWN]: 1200, REASONS[UNRATED]: 0})
    assert source.describe() == (
        "2 statements of 1 labels on 2 items, with times; left out: 1,200 about unknown items"
    )
    assert np.array_equal(source.labels.names, ["sad"])
