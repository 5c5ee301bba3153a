"""Columns keep what is added to them, and candidate scales are dropped only by ratings that fit."""

import numpy as np
import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.columns import GrowingArray, IdColumn, Scales


def test_ratings_on_no_candidate_scale_leave_the_candidates_as_they_were():
    scales = Scales([Scale(1, 5, 1), Scale(0.5, 5, 0.5)])
    assert not scales.accept(np.array([3.5, 9]))
    assert len(scales.left) == 2


@pytest.mark.parametrize("expected", [0, 1, 4, 100])
def test_an_array_grows_beyond_its_expected_length(expected):
    growing = GrowingArray(np.int32, expected)
    for part in ([], [3, 1], [4], [1, 5, 9]):
        growing.add(np.array(part, np.int32))
    assert growing.array.tolist() == [3, 1, 4, 1, 5, 9]
    assert growing.array.dtype == np.int32


def test_ids_that_do_not_fit_in_32_bits_keep_those_before_them():
    column = IdColumn(2, is_text=False)
    for ids in ([7, 3], [2**40, 7], [3]):
        column.add(np.array(ids))
    ids, positions = column.positions()
    assert ids.tolist() == [3, 7, 2**40]
    assert positions.tolist() == [1, 0, 2, 1, 0]
    assert positions.dtype == np.int32


def test_ids_are_numbered_in_ascending_order_across_pieces(monkeypatch):
    monkeypatch.setattr("recommender.core.readers.columns.PIECE", 2)
    column = IdColumn(9, is_text=False)
    column.add(np.array([30, 10, 20, 30, 10, 10, 40]))
    ids, positions = column.positions()
    assert ids.tolist() == [10, 20, 30, 40]
    assert positions.tolist() == [2, 0, 1, 2, 0, 0, 3]
