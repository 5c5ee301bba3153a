import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("numba")

import numba

from recommender.core.neighbours.fast.simd import WIDTH, add_rows, add_to_totals, zero_sums


@numba.njit
def add_twice(panel, rows, level, totals):
    sums = zero_sums()
    for _ in range(2):
        sums = add_rows(sums, panel, rows[0], rows[1], rows[2], rows[3], level)
    add_to_totals(totals, sums)


@pytest.mark.parametrize("row_type", [np.uint16, np.uint32])
def test_sums_are_those_of_numpy_up_to_the_highest_16_bit_number(row_type):
    panel = np.random.default_rng(0).integers(0, 61, (300, WIDTH), np.uint8)
    panel[299] = 60
    totals = np.full(WIDTH, 7, np.uint32)
    for rows in ([0, 5, 5, 299], [299, 299, 299, 299]):
        before = totals.copy()
        add_twice(panel, np.array(rows, row_type), np.uint8(136), totals)
        wanted = 2 * 136 * panel[rows].sum(axis=0, dtype=np.int64)
        assert_array_equal(totals - before, wanted)
    assert wanted.max() > 2**15
