"""Figures 1 to 4 and 6, from plain facts."""

import numpy as np

from recommender.core.exhibits.paper import (
    Card,
    Result,
    count_ratings,
    draw_networks,
    draw_training,
    show_question,
)
from tests.recommender.core.matrices import HALF_STARS

LACKING = ("Not trained.", "manage.py train_models")
MODEL = Result(
    "autoencoder", "Autoencoder", "paper",
    config={"hidden": [40, 20, 10, 5, 10, 20, 40]},
    loss_curve=[(1000, 1.5), (2000, 1.0)],
)  # fmt: skip


def test_figure_2_has_every_layer_and_its_weights():
    _, two = draw_networks(MODEL, 100, *LACKING)
    assert [row[1] for row in two.tables[0].rows] == [100, 40, 20, 10, 5, 10, 20, 40, 100]
    assert [row[2] for row in two.tables[0].rows][:3] == [None, 4000, 800]


def test_figure_1_has_the_narrowest_layer_between_its_neighbours():
    one, _ = draw_networks(MODEL, 100, *LACKING)
    assert [layer["width"] for layer in one.drawing["layers"]] == [100, 10, 5, 10, 100]


def test_without_a_network_both_figures_say_what_is_missing():
    for model in (None, Result("bias", "Damped bias", "default")):
        found = draw_networks(model, 100, *LACKING)
        assert [(one.missing, one.command) for one in found] == [LACKING] * 2


def test_every_value_of_the_scale_is_counted():
    found = count_ratings(np.array([0.5, 4, 4, 5], np.float32), HALF_STARS)
    rows = {row[0]: row[1] for row in found.tables[0].rows}
    assert len(rows) == 10
    assert (rows["0.5"], rows["1"], rows["4"], rows["5"]) == (1, 0, 2, 1)
    assert "4 was given most often" in found.about


def test_the_training_loss_is_drawn_from_two_points_on():
    assert draw_training(MODEL, *LACKING).drawing["points"] == [[1000, 1.5], [2000, 1.0]]
    short = Result("autoencoder", "Autoencoder", "paper", loss_curve=[(1000, 1.5)])
    assert draw_training(short, *LACKING).missing == LACKING[0]


def test_a_question_shows_two_cards_and_the_best_rated_items():
    profile = [(f"Film {n}", 5.0) for n in range(20)]
    cards = [Card("A", "1990 · Drama", "Autoencoder"), Card("B", "1991", "User-user KNN")]
    found = show_question(profile, cards, *LACKING)
    assert len(found.drawing["profile"]) == 12
    assert found.drawing["cards"][0] == {"title": "A", "facts": "1990 · Drama"}
    assert "8 more rated items" in found.about
    assert show_question(profile, cards[:1], *LACKING).missing == LACKING[0]
