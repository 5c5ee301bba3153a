"""Exact search for the nearest users, compiled by numba and entered by ``search`` alone.

It gives the numbers of the plain form bit for bit, for the full-vector cosine of ratings that are
1 to 15 whole steps of the scale, such as half stars. Every dot product is then an exact integer.

1. ``packed_profiles`` cuts each training profile into pieces of four items with the same rating,
   and writes 64 queries side by side into a panel: row i holds what each of them gave item i.
2. To multiply a profile with all 64 queries, four panel rows are added as bytes, multiplied by the
   piece's rating and summed in 16 bits (``simd``), then in 32. Libraries that add up inverted lists
   make one scattered write for each product; this makes none.
3. ``nearest_users`` compares each profile's 64 dot products with the worst neighbour that each
   query has so far, and inserts the few that are better.
4. ``nearest_raters`` keeps the dot products with all users and then goes through the raters of each
   item asked for.

Users come in ascending order and ties are decided by overlap, then position, so neither threads nor
blocks change an answer. Decision note 0017 has the measurements.
"""
