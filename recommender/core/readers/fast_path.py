"""The fast path: pyarrow reads a block of lines that consist of plain numbers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.core.readers.columns import LATEST, Columns, Scales, TableFormat

DIGITS = b"0123456789.\r\n"
#: Replaces "::", because pyarrow splits at single characters only.
UNIT = b"\x1f"
#: Bytes of a block for each of pyarrow's threads.
PIECE = 1 << 20


def read_fast(block: bytes, form: TableFormat, scales: Scales) -> Columns | None:
    """The columns of ``block``, or None if a line contains anything but digits and points.

    Then pyarrow never sees the spellings that it accepts and the careful path refuses, such as
    hexadecimal numbers. Blank lines make it fail, so the lines of the result are consecutive.
    """
    from pyarrow import ArrowInvalid, BufferReader, compute, csv, float64, int64

    separator = form.separator.encode()
    returns = block.count(b"\r")
    if returns and returns != block.count(b"\r\n"):  # without any, spare the slow second count
        return None
    if block.translate(None, DIGITS + separator):
        return None
    if len(separator) > 1:
        block, separator = block.replace(separator, UNIT), UNIT
    kinds = {name: int64() for name in form.names} | {form.names[form.rating]: float64()}
    try:
        table = csv.read_csv(
            BufferReader(block),
            csv.ReadOptions(column_names=form.names, block_size=PIECE),
            csv.ParseOptions(
                delimiter=separator.decode(), quote_char=False, ignore_empty_lines=False
            ),
            csv.ConvertOptions(column_types=kinds, null_values=[]),
        )
    except ArrowInvalid:
        return None
    ratings, times = table[form.rating], None
    if form.timestamp is not None:
        times = table[form.timestamp]
        if compute.max(times).as_py() > LATEST:
            return None
        times = times.to_numpy()
    if not scales.accept(np.asarray(ratings.unique())):
        return None
    users, items = (table[column].to_numpy() for column in (form.user, form.item))
    return Columns(_narrow(users), _narrow(items), ratings.to_numpy(), times)


def _narrow(ids: NDArray[np.int64]) -> NDArray[np.integer]:
    """The same ids in 32 bits if they fit: fresh memory takes longer than the conversion."""
    return ids.astype(np.int32) if ids.max() < 2**31 else ids
