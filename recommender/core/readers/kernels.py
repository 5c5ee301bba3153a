"""Plain lines of four whole fields, compiled: what every large file of ratings consists of.

Whatever is not plain to the last byte is refused here and left to ``table``, which knows why.
"""

from __future__ import annotations

import numpy as np

from recommender.core.compiling import kernel
from recommender.core.readers.columns import LATEST

LONGEST_NUMBER = 9  #: digits of an id: it fits 32 bits
LONGEST_TIME = 12  #: digits
LARGEST_CODE = 255  #: tenths of a star
ZERO, POINT, RETURN, NEWLINE = (np.uint8(ord(letter)) for letter in "0.\r\n")


@kernel
def parse(text, separator, twice, places, users, items, codes, times, seen):  # type: ignore[no-untyped-def]
    """Fill the columns; returns (number of lines, whether users, then items, strictly ascend).

    (-1, False) at the first line that is not plain: ids of 1 to 9 digits, stars of 1 or 2 digits
    and perhaps a point and 1 more, seconds up to the year 9999, nothing else. ``text`` (uint8)
    ends with a line; so no loop below can run over its end. ``separator`` stands ``twice`` in
    ``::``. ``places``: the columns of user, item, rating and time, -1 for none. ``codes`` are
    tenths of a star, ``seen`` (256) those that occur.
    """
    user, _, rating, stamp = places
    last = 3 if stamp >= 0 else 2
    at = row = 0
    ascending = True
    this_user = this_item = np.int64(0)
    former_user = former_item = np.int64(-1)
    while at < len(text):
        for column in range(last + 1):
            start, value = at, np.int64(0)
            digit = np.uint8(text[at] - ZERO)  # wraps round: other letters become large
            while digit <= 9:
                value = value * 10 + np.int64(digit)
                at += 1
                digit = np.uint8(text[at] - ZERO)
            digits = at - start
            if column == rating:
                if digits < 1 or digits > 2:
                    return -1, False
                value *= 10
                if text[at] == POINT:
                    digit = np.uint8(text[at + 1] - ZERO)
                    if digit > 9:
                        return -1, False
                    value += np.int64(digit)
                    at += 2
                if value > LARGEST_CODE:
                    return -1, False
                codes[row] = value
                seen[value] = True
            elif column == stamp:
                if digits < 1 or digits > LONGEST_TIME or value > LATEST:
                    return -1, False
                times[row] = value
            else:
                if digits < 1 or digits > LONGEST_NUMBER:
                    return -1, False
                if column == user:
                    users[row] = this_user = value
                else:
                    items[row] = this_item = value
            if column < last:
                if text[at] != separator:
                    return -1, False
                at += 1
                if twice:
                    if text[at] != separator:
                        return -1, False
                    at += 1
        if text[at] == RETURN:
            at += 1
        if text[at] != NEWLINE:
            return -1, False
        at += 1
        ascending &= (this_user > former_user) | (
            (this_user == former_user) & (this_item > former_item)
        )
        former_user, former_item = this_user, this_item
        row += 1
    return row, ascending


@kernel
def stable_order(keys, before, starts, order):  # type: ignore[no-untyped-def]
    """Fill ``order`` with the places of ``keys`` in ascending order, ties as in ``before``.

    A counting sort: ``starts`` (number of keys that are smaller than each) is used up.
    """
    for place in before:
        key = keys[place]
        order[starts[key]] = place
        starts[key] += 1
