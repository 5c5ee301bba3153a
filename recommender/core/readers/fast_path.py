"""The fast path: polars reads a block of lines that consist of plain numbers only."""

from __future__ import annotations

from recommender.core.readers.columns import LATEST, Columns, TableFormat

DIGITS = b"0123456789."
#: Replaces "::", because polars splits at single characters only.
UNIT = b"\x1f"


def read_fast(block: bytes, form: TableFormat) -> list[Columns]:
    """The columns of ``block`` in parts; none if a line contains anything but digits and points.

    Then polars never sees the spellings that it accepts and the careful path refuses, such as
    signs and spaces. The number of rows shows that it skipped no line, so the lines of the result
    are consecutive. The caller checks the ratings against the scale.
    """
    import polars

    separator = form.separator.encode()
    ends = block.translate(None, DIGITS + separator)
    returns = ends.count(b"\r")
    if ends.strip(b"\r\n") or (returns and returns != block.count(b"\r\n")):
        return []
    n_lines = len(ends) - returns + (not block.endswith(b"\n"))
    if len(separator) > 1:
        block, separator = block.replace(separator, UNIT), UNIT
    kinds = dict.fromkeys(form.names, polars.Int64) | {form.names[form.rating]: polars.Float64}
    try:
        table = polars.read_csv(
            block, has_header=False, schema=kinds, separator=separator.decode(), quote_char=None
        )
    except polars.exceptions.PolarsError:
        return []
    # polars fills missing fields with null, and skips some blank lines.
    if table.height != n_lines or any(column.null_count() for column in table):
        return []
    order = [form.user, form.item, form.rating, form.timestamp]
    columns = [table.to_series(column) for column in order if column is not None]
    # polars keeps a column in parts; joining them here would copy all.
    parts = zip(*(column.get_chunks() for column in columns), strict=True)
    found = [Columns(*(column.to_numpy() for column in part)) for part in parts]
    if any(part.times is not None and part.times.max(initial=0) > LATEST for part in found):
        return []
    return found
