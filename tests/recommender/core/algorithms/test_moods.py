import csv
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.moods import MOODS, moods_of_items, similar_in_mood
from recommender.core.errors import ConfigurationError
from tests.recommender.core.labelled import item_labels


def moods(*rows):
    """Relevances of items, each written as {mood: relevance}."""
    found = np.zeros((len(rows), len(MOODS)))
    for item, row in enumerate(rows):
        for mood, relevance in row.items():
            found[item, MOODS.index(mood)] = relevance
    return found


def similarities(found):
    return {(int(i), int(j)): value for i, j, value in zip(*found, strict=True)}


def test_a_tag_that_somebody_gave_is_a_whole_mood():
    labels = item_labels("Dark dark boxing", "", "tense")
    found = moods_of_items(labels, 4, relevances=False)
    assert_array_equal(found, moods({"dark": 1}, {}, {"tense": 1}, {}))


def test_relevances_are_taken_as_they_are():
    labels = item_labels("dark tense", "tense")
    labels = replace(labels, weights=np.array([0.25, 0.5, 0.75], np.float32))
    found = moods_of_items(labels, 2, relevances=True)
    assert_array_equal(found, moods({"dark": 0.25, "tense": 0.5}, {"tense": 0.75}))


def test_labels_without_a_mood_say_nothing():
    found = moods_of_items(item_labels("boxing", ""), 2, relevances=False)
    assert not found.any()
    assert len(similar_in_mood(found, "", 50).values) == 0


def test_the_similarity_is_the_cosine_of_the_moods():
    given = moods({"dark": 0.6, "tense": 0.8}, {}, {"dark": 1}, {"silly": 1})
    assert similarities(similar_in_mood(given, "", 50)) == pytest.approx({(0, 2): 0.6})


def test_one_mood_counts_by_its_smaller_relevance_and_only_where_it_is_present():
    given = moods({"dark": 0.6, "tense": 0.8}, {"dark": 0.4}, {"dark": 1}, {"tense": 1})
    found = similarities(similar_in_mood(given, "dark", 50))
    assert found == pytest.approx({(0, 2): 0.6 * 0.6})


def test_a_pair_is_kept_if_one_of_its_items_is_among_the_nearest_of_the_other():
    given = moods({"dark": 1}, {"dark": 1, "sad": 0.1}, {"dark": 1, "sad": 1})
    found = similar_in_mood(given, "", 1)
    assert sorted(similarities(found)) == [(0, 1), (1, 2)]


def test_many_items_are_compared_block_by_block():
    given = np.random.default_rng(0).random((1100, len(MOODS)))
    found = similar_in_mood(given, "", 2)
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    assert_allclose(found.values, np.sum(unit[found.left] * unit[found.right], axis=1))
    assert np.unique(np.concatenate([found.left, found.right])).size == 1100


def test_an_unknown_mood_is_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"no mood 'boxing'.*atmospheric"):
        similar_in_mood(moods({"dark": 1}), "boxing", 50)


@pytest.mark.data
def test_every_mood_is_a_tag_of_the_genome(real_data):
    with (real_data / "metadata" / "genome-tags.csv").open(encoding="utf-8") as file:
        assert set(MOODS) <= {row["tag"] for row in csv.DictReader(file)}
