"""Where the parts of an exhibit's figure stand."""

from survey.exhibit_figures import lay_out
from tests.survey.reports import EXHIBITS

BY_LABEL = {one["label"]: lay_out(one) for one in EXHIBITS}


def test_the_tallest_bar_is_drawn_against_a_round_mark():
    small, tall = BY_LABEL["Figure 3"]["figure"]["bars"]
    assert (tall["height"], tall["top"]) == ("82.3%", "17.7%")
    assert (small["left"], small["width"]) == ("5%", "40%")


def test_labels_of_many_bars_are_thinned():
    bars = [[str(n), 1] for n in range(50)]
    drawing = {"kind": "bars", "bars": bars}
    shown = lay_out({"drawing": drawing, "tables": []})["figure"]["bars"]
    assert [bar["label"] for bar in shown][:4] == ["0", "", "", "3"]


def test_a_curve_goes_from_left_to_right():
    path = BY_LABEL["Figure 4"]["figure"]["path"]
    assert path == "M333.3 0.0L1000.0 1000.0"


def test_an_interval_and_its_point_are_on_one_scale():
    (panel,) = BY_LABEL["Figure 5"]["figure"]["panels"]
    first, second = panel["rows"]
    assert (first["low"], first["point"], first["width"]) == ("0%", "50%", "100%")
    assert "low" not in second


def test_the_widest_layer_is_the_longest_bar():
    layers = BY_LABEL["Figure 2"]["figure"]["layers"]
    assert [layer["length"] for layer in layers] == ["44%", "10.37%", "44%"]
    assert [layer["is_outer"] for layer in layers] == [True, False, True]


def test_a_table_has_no_figure_and_its_cells_know_whether_they_are_numbers():
    laid = BY_LABEL["Table II"]
    assert laid["figure"] is None
    assert laid["tables"][0]["rows"] == [[("RMSE", False), (1.0, True)]]


def test_a_long_table_scrolls_in_its_own_box():
    assert BY_LABEL["Figure 4"]["tables"][0]["is_long"]
    assert not BY_LABEL["Figure 3"]["tables"][0]["is_long"]
