"""The loss curve of the paper's Figure 4: the error of examples in the order of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXAMPLES_PER_POINT = 1_000  # as in the paper's Figure 4
MAX_POINTS = 500


class LossCurve:
    """RMSE of each successive thousand examples."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []  # (examples, sum of squared errors)
        self._open = (0, 0.0)

    def add(self, squared_errors: NDArray[np.floating]) -> float:
        """Add a batch (E); returns its RMSE."""
        rest = np.asarray(squared_errors, np.float64)
        while len(rest):
            count, total = self._open
            part, rest = np.split(rest, [EXAMPLES_PER_POINT - count])
            self._open = (count + len(part), total + float(part.sum()))
            if self._open[0] == EXAMPLES_PER_POINT:
                self._points.append(self._open)
                self._open = (0, 0.0)
        return float(np.sqrt(np.mean(squared_errors, dtype=np.float64)))

    def thinned(self) -> list[tuple[int, float]]:
        """(examples so far, RMSE since the previous point) for at most 500 points.

        Neighbouring points are merged; a shorter rest is merged with the last point.
        """
        points = np.asarray([*self._points, *([self._open] if self._open[0] else [])])
        if not len(points):
            return []
        merged = -(-len(points) // MAX_POINTS)
        sums = np.add.reduceat(points, np.arange(0, len(points), merged), axis=0)
        if len(sums) > 1 and sums[-1, 0] < sums[0, 0]:
            # The mean of a few remaining examples would be an outlier by chance.
            sums = np.vstack([sums[:-2], sums[-2] + sums[-1]])
        seen = np.cumsum(sums[:, 0]).astype(int)
        return list(zip(seen.tolist(), np.sqrt(sums[:, 1] / sums[:, 0]).tolist(), strict=True))

    @property
    def n_examples(self) -> int:
        """Examples added so far."""
        return sum(count for count, _ in self._points) + self._open[0]

    def to_array(self) -> NDArray[np.float64]:
        return np.asarray([*self._points, self._open], np.float64)

    def restore(self, points: NDArray[np.float64]) -> None:
        pairs = [(int(count), float(total)) for count, total in points]
        self._points, self._open = pairs[:-1], pairs[-1]
