"""Table I, from the lists of neurons."""

import numpy as np

from recommender.core.exhibits.clusters import list_clusters, state_clusters
from recommender.core.exhibits.neurons import Clusters, Neurons

TITLES = [f"Film {n}" for n in range(20)]
GENRES = ["Crime", "Drama"]
LACKING = ("Not trained.", "manage.py train_models")


def neurons(p_holm):
    """Three neurons; the list of the second one has the clearest genre."""
    items = np.array([np.arange(10), np.arange(10, 20), np.arange(5, 15)])
    genre, p = np.array([0, 1, 0]), np.array([0.2, 0.001, 0.5])
    own = Clusters("decoder", 50, items, genre, np.array([1.0, 4.0, 0.5]), p, p_holm, p_holm * 2)
    return Neurons([own], np.ones(3), np.array([False, False, True]), 90)


def test_the_list_is_that_of_the_neuron_with_the_clearest_genre():
    lists, tests = list_clusters(neurons(np.ones(3)), TITLES, GENRES, *LACKING).tables
    assert lists.columns == ["Decoded, ≥ 50 ratings"]
    assert [row[0] for row in lists.rows] == TITLES[10:]
    assert tests.rows[0][1:5] == (2, "Drama", 4.0, 0.001)
    assert tests.rows[0][-2:] == (1.0, 0)


def test_dead_neurons_are_counted():
    found = list_clusters(neurons(np.ones(3)), TITLES, GENRES, *LACKING)
    assert "1 of them are dead" in found.about


def test_without_lists_the_table_says_what_is_missing():
    assert list_clusters(None, [], [], *LACKING).missing == LACKING[0]
    assert state_clusters(None) == ""


def test_neurons_with_a_significant_genre_are_counted_in_both_families():
    said = state_clusters(neurons(np.array([1, 0.03, 1])))
    assert "Of 3 bottleneck neurons, 1 in the reading “Decoded, ≥ 50 ratings” have" in said
    assert "0 of 3 lists" in said


def test_it_is_said_if_no_neuron_has_a_significant_genre():
    assert state_clusters(neurons(np.ones(3))).startswith("No bottleneck neuron")
