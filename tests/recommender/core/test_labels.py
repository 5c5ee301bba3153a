import numpy as np
from numpy.testing import assert_array_equal

from recommender.core.labels import ItemLabels, collect_labels, genre_labels


def statements(times: list[int] | None) -> ItemLabels:
    """Item 0 is called funny twice and sad once, item 2 sad once."""
    return ItemLabels(
        names=np.array(["funny", "sad"]),
        items=np.array([0, 0, 0, 2], np.int32),
        labels=np.array([0, 0, 1, 1], np.int32),
        weights=np.ones(4, np.float32),
        times=None if times is None else np.array(times),
    )


def test_repeated_statements_are_added_up():
    assert_array_equal(statements(None).matrix(3).toarray(), [[2, 1], [0, 0], [0, 1]])


def test_statements_at_or_after_a_time_are_dropped():
    assert_array_equal(statements([1, 5, 9, 2]).before(5).matrix(3).toarray()[0], [1, 0])


def test_statements_without_times_are_kept():
    assert_array_equal(statements(None).before(0).matrix(3).toarray()[0], [2, 1])


def test_labels_are_collected_by_name():
    labels = collect_labels([(2, "sad", 7), (0, "funny", 5), (0, "sad", 6)], timed=True)
    assert labels.names.tolist() == ["funny", "sad"]
    assert_array_equal(labels.matrix(3).toarray(), [[1, 1], [0, 0], [0, 1]])
    assert labels.times.tolist() == [7, 5, 6]


def test_items_without_genres_have_no_statements():
    labels = genre_labels([(0, ["War", "Drama"]), (1, [])])
    assert labels.names.tolist() == ["Drama", "War"]
    assert labels.items.tolist() == [0, 0]
    assert labels.times is None
    assert genre_labels([]).names.size == 0
