"""The fast path: polars reads a block of lines that consist of plain numbers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.core.readers.columns import LATEST, Columns, Scales, TableFormat

DIGITS = b"0123456789.\r\n"
#: Replaces "::", because polars splits at single characters only.
UNIT = b"\x1f"


def read_fast(block: bytes, form: TableFormat, scales: Scales) -> Columns | None:
    """The columns of ``block``, or None if a line contains anything but digits and points.

    Then polars never sees the spellings that it accepts and the careful path refuses, such as
    signs and spaces. The number of rows shows that it skipped no line, so the lines of the result
    are consecutive.
    """
    import polars

    separator = form.separator.encode()
    returns = block.count(b"\r")
    if returns and returns != block.count(b"\r\n"):  # without any, spare the slow second count
        return None
    if block.translate(None, DIGITS + separator):
        return None
    n_lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if len(separator) > 1:
        block, separator = block.replace(separator, UNIT), UNIT
    kinds = dict.fromkeys(form.names, polars.Int64) | {form.names[form.rating]: polars.Float64}
    try:
        table = polars.read_csv(
            block, has_header=False, schema=kinds, separator=separator.decode(), quote_char=None
        )
    except polars.exceptions.PolarsError:
        return None
    # polars fills missing fields with null, and skips some blank lines.
    if table.height != n_lines or any(column.null_count() for column in table):
        return None
    columns = table.get_columns()
    times = None
    if form.timestamp is not None:
        times = columns[form.timestamp].to_numpy()
        if times.max() > LATEST:
            return None
    if not scales.accept(columns[form.rating].unique().to_numpy()):
        return None
    users, items = (columns[column].to_numpy() for column in (form.user, form.item))
    return Columns(_narrow(users), _narrow(items), columns[form.rating].to_numpy(), times)


def _narrow(ids: NDArray[np.int64]) -> NDArray[np.integer]:
    """The same ids in 32 bits if they fit, which halves their memory."""
    return ids.astype(np.int32) if ids.max() < 2**31 else ids
