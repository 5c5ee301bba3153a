"""Each definition against plain loops over a small matrix, and on ml-100k against known figures."""

import json

import numpy as np
import pytest

from recommender.core.algorithms.bias import Bias
from recommender.core.errors import Cancelled
from recommender.core.exhibits import definitions
from recommender.core.exhibits.definitions import definitions_table, list_definitions
from recommender.core.readers.source import read_source
from recommender.core.splitting import split
from tests.recommender.core.matrices import random_ratings

SPLIT = split(random_ratings(6, n_users=14, n_items=11, share=0.6), "random-90-10")
STARS = SPLIT.train.matrix().toarray().astype(float)


def cosine(left, right, common):
    both = (left > 0) & (right > 0)
    if common:
        left, right = left * both, right * both
    length = np.sqrt(left @ left * (right @ right))
    return left @ right / length if length else 0.0


def neighbours(user, item, kind, *, common=False, dot=False, k=3):
    """(similarity, stars) of the k nearest "raters" or users "overall", or of "all"."""
    found = []
    for other, stars in enumerate(STARS):
        s = STARS[user] @ stars if dot else cosine(STARS[user], stars, common)
        overlap = np.count_nonzero((STARS[user] > 0) & (stars > 0))
        if other != user and s > 0 and (kind != "raters" or stars[item]):
            found.append((-round(s, 10), -overlap, other, s, stars[item]))
    found = sorted(found)[: None if kind == "all" else k]
    return [(s, stars) for *_, s, stars in found]


def total(pairs):
    return sum(s * stars for s, stars in pairs)


def mean_with_zeros(pairs):
    return total(pairs) / sum(s for s, _ in pairs) if pairs else 0


def plain_mean(pairs):
    return np.mean([stars for _, stars in pairs]) if pairs else 0


EXPECTED = {
    "zero": lambda u, i: 0,
    "overall, mean with zeros": lambda u, i: mean_with_zeros(neighbours(u, i, "overall")),
    "overall, plain mean with zeros": lambda u, i: plain_mean(neighbours(u, i, "overall")),
    "overall, sum": lambda u, i: total(neighbours(u, i, "overall")),
    "raters, sum": lambda u, i: total(neighbours(u, i, "raters")),
    "raters, sum, common items": lambda u, i: total(neighbours(u, i, "raters", common=True)),
    "all users, sum": lambda u, i: total(neighbours(u, i, "all")),
    "all users, sum, dot product": lambda u, i: total(neighbours(u, i, "all", dot=True)),
    "raters, weighted mean": lambda u, i: (
        mean_with_zeros(neighbours(u, i, "raters"))
        or float(Bias().fit(SPLIT.train).predict(None, np.array([u]), np.array([i]))[0])
    ),
}


@pytest.fixture(scope="module")
def table():
    return {row["name"]: row for row in definitions_table(SPLIT, k=3)}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_definition_has_the_errors_of_its_plain_form(table, name):
    pairs = zip(SPLIT.test_rows, SPLIT.test_items, SPLIT.test_values, strict=True)
    errors = np.array([EXPECTED[name](user, item) - stars for user, item, stars in pairs])
    row = table[name]
    assert row["mse"] == pytest.approx(np.mean(errors**2))
    assert row["half_mse"] == row["mse"] / 2
    assert row["rmse"] == pytest.approx(np.sqrt(row["mse"]))
    assert row["mae"] == pytest.approx(np.mean(np.abs(errors)))


def test_every_row_is_ready_for_json(table):
    assert [*EXPECTED, "damped bias"] == list(table)
    assert json.loads(json.dumps(table)) == table


def test_zero_stands_for_a_missing_rating_on_scales_that_reach_zero(table):
    moved = split(
        random_ratings(6, n_users=14, n_items=11, share=0.6).shifted(-0.5), "random-90-10"
    )
    for row in definitions_table(moved, k=3):
        assert row["rmse"] == pytest.approx(table[row["name"]]["rmse"], abs=1e-6)


def test_the_table_can_be_cancelled():
    def stop(progress):
        raise Cancelled(f"{progress.done} of {progress.total}")

    with pytest.raises(Cancelled, match="0 of 10"):
        definitions_table(SPLIT, progress=stop)


def test_the_exhibit_names_the_figure_nearest_to_the_papers(table):
    found = list_definitions(SPLIT)
    n = len(SPLIT.test_rows)
    assert f"{n} of {n} test ratings" in found.about
    figures = {
        (name, kind): row[kind]
        for name, row in {row["name"]: row for row in definitions_table(SPLIT)}.items()
        for kind in definitions.ERRORS
    }
    name, kind = min(figures, key=lambda place: abs(figures[place] - 11.6715))
    assert f"{definitions.ERRORS[kind]} of “{name}”, {figures[name, kind]:.2f}" in found.about
    assert [row[0] for row in found.tables[0].rows] == list(table)


def test_a_large_split_is_sampled(monkeypatch):
    monkeypatch.setattr(definitions, "MOST_RATINGS", 5)
    found = list_definitions(SPLIT)
    assert f"on 5 of {len(SPLIT.test_rows)} test ratings" in found.about
    assert found.about == list_definitions(SPLIT).about


@pytest.mark.slow
def test_only_definitions_with_zeros_or_sums_come_near_the_papers_figure(real_data):
    parts = split(read_source(real_data / "ml-100k").ratings, "time-90-10")
    found = {row["name"]: row["mse"] for row in definitions_table(parts)}
    near = {name for name, mse in found.items() if 11 < mse < 15}
    zeros = {"overall, mean with zeros", "overall, plain mean with zeros", "overall, sum"}
    assert near == {"zero", "raters, sum", *zeros}
    assert found["raters, weighted mean"] < 1.3
