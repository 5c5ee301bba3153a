"""What a figure shows: positions, marks and paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models import Item
from survey import figures
from survey.profiles import profile
from survey.selectors.arm_results import ArmResult
from survey.selectors.results import StudyResults
from survey.stats.intervals import proportion


def results(
    first: int, second: int, curves: dict[str, list[tuple[int, float]]] | None = None
) -> StudyResults:
    judged = first + second
    shares = [proportion(wins, judged) if judged else None for wins in (first, second)]
    return StudyResults(
        study=None,
        kind="real",
        kinds={},
        n_judgments=judged,
        n_ties=0,
        arms=[ArmResult(label, share) for label, share in zip("AB", shares, strict=True)],
        pairs=[],
        trust=None,
        loss_curves=curves or {},
    )


def test_the_interval_is_drawn_at_its_numbers():
    drawn = figures.interval_figure(proportion(1075, 1500))
    assert (drawn["point"], drawn["low"], drawn["width"]) == ("71.67%", "69.31%", "4.624%")
    assert [tick["at"] for tick in drawn["ticks"]] == ["0%", "25%", "50%", "75%", "100%"]


def test_the_answer_is_about_the_arm_that_was_chosen_more_often():
    found = figures.headline(results(10, 30))
    assert (found["arm"].label, found["other"].label, found["colour"]) == ("B", "A", "arm-2")
    assert found["clear"]
    assert not found["even"]


def test_an_interval_that_holds_one_half_is_no_clear_answer():
    assert not figures.headline(results(11, 9))["clear"]


def test_equal_counts_are_even():
    found = figures.headline(results(10, 10))
    assert found["even"]
    assert not found["clear"]


def test_without_judgments_there_is_no_answer():
    assert figures.headline(results(0, 0)) is None


def test_a_loss_curve_starts_top_left_and_ends_low():
    curve = [(0, 2.0), (500, 1.0), (1000, 0.0)]
    drawn = figures.loss_figure(results(1, 0, {"B": curve}))
    assert drawn["curves"][0]["path"] == "M0.0 0.0L500.0 500.0L1000.0 1000.0"
    assert drawn["curves"][0]["colour"] == "arm-2"
    assert [tick["label"] for tick in drawn["x_ticks"]] == ["0", "200", "400", "600", "800", "1k"]


def test_a_curve_of_one_point_is_not_drawn():
    assert figures.loss_figure(results(1, 0, {"A": [(1000, 1.0)]})) is None


def test_a_flat_curve_still_has_an_axis():
    drawn = figures.loss_figure(results(1, 0, {"A": [(1, 1.0), (2, 1.0)]}))
    assert len(drawn["y_ticks"]) >= 2


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, st.floats(1e-3, 1e6))
def test_marks_are_few_and_hold_every_value(low, width):
    marks = figures.nice_marks(low, low + width)
    assert 2 <= len(marks) <= 8
    slack = 1e-6 * (marks[1] - marks[0])
    assert marks[0] <= low + slack
    assert marks[-1] >= low + width - slack
    assert marks == sorted(set(marks))


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (12_000, "12k"), (2_500_000, "2.5M")])
def test_counts_on_an_axis_are_short(number, words):
    assert figures.short_count(number) == words


def test_the_tallest_star_bar_is_full_and_the_smallest_is_seen():
    movies = [(Item(title=f"Film {n}"), 5.0) for n in range(300)]
    bars = figures.star_bars(profile([*movies, (Item(title="Odd one"), 1.0)]))
    assert [bar["bin"].low for bar in bars] == [5, 1]
    assert [(bar["movies"], bar["height"]) for bar in bars] == [(300, 100), (1, 2)]
    assert all(bar["top"] + bar["height"] == 100 for bar in bars)
