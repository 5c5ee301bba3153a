"""A rating scale as pages show it: whether ratings are stars, and at most ten bins; pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import ceil, floor

MOST_BINS = 10
#: Bins are as wide as one of these times a power of ten, so that their bounds are plain numbers.
PLAIN = (1, 2, 5)
HALF = Decimal("0.5")
MOST_STARS = 5


@dataclass(frozen=True)
class Bin:
    """Neighbouring levels of a scale, named by ``low`` and ``high``; or one level, named twice.

    On a scale of whole or half steps ``high`` is the highest level of the bin. On a finer one it is
    where the next bin begins, so that bins read "7 to 8" instead of "7 to 7.99"; a rating of 8
    belongs to the next bin.
    """

    low: Decimal
    high: Decimal

    @property
    def is_range(self) -> bool:
        return self.low != self.high


@dataclass(frozen=True)
class RatingScale:
    """The ratings ``minimum``, ``minimum + step``, ..., ``maximum``; they may be negative."""

    minimum: float
    maximum: float
    step: float

    @cached_property
    def lowest(self) -> Decimal:
        return _exact(self.minimum)

    @cached_property
    def highest(self) -> Decimal:
        return _exact(self.maximum)

    @cached_property
    def _step(self) -> Decimal:
        return _exact(self.step)

    @cached_property
    def _is_fine(self) -> bool:
        return self._step % HALF != 0

    @cached_property
    def n_levels(self) -> int:
        return round((self.highest - self.lowest) / self._step) + 1

    @cached_property
    def is_stars(self) -> bool:
        """Whether ratings are drawn as stars: whole or half steps within 0.5 to 5."""
        whole_or_half = self.lowest % HALF == 0 and not self._is_fine
        return whole_or_half and self.lowest >= HALF and self.highest <= MOST_STARS

    def level(self, rating: float) -> Decimal:
        """The level nearest to a rating: 6.31 for 6.309999942779541."""
        steps = round((rating - self.minimum) / self.step)
        return self.lowest + min(max(steps, 0), self.n_levels - 1) * self._step

    def bin_of(self, rating: float) -> Bin:
        return self.bins[bisect_right(self._bounds, self.level(rating)) - 1]

    @cached_property
    def bins(self) -> list[Bin]:
        """Equal parts of the scale, lowest first: its levels if there are at most ten of them.

        At the ends, bins may be shorter or one level longer, so that the bounds are plain numbers.
        """
        if self.n_levels <= MOST_BINS:
            return [Bin(level, level) for level in self._bounds]
        gap = Decimal() if self._is_fine else self._step
        ends = [bound - gap for bound in self._bounds[1:]] + [self.highest]
        return [Bin(low, high) for low, high in zip(self._bounds, ends, strict=True)]

    @cached_property
    def _bounds(self) -> list[Decimal]:
        """The lowest rating of each bin, ascending."""
        if self.n_levels <= MOST_BINS:
            return [self.lowest + nth * self._step for nth in range(self.n_levels)]
        span = self.highest - self.lowest
        for size in (span.adjusted() - 1, span.adjusted()):
            for times in PLAIN:
                width = Decimal(times).scaleb(size)
                # Fine scales are cut at round numbers: 0.5 to 10 into 0.5 to 1, 1 to 2, ...
                first = floor(self.lowest / width) * width if self._is_fine else self.lowest
                bounds = self._cut(first, width)
                if width % self._step == 0 and len(bounds) <= MOST_BINS and 3 * width <= span:
                    return bounds
        return self._cut(self.lowest, -(-self.n_levels // MOST_BINS) * self._step)

    def _cut(self, first: Decimal, width: Decimal) -> list[Decimal]:
        """Bounds of that distance; the highest level never is a bin alone."""
        after = range(1, ceil((self.highest - first) / width))
        return [self.lowest, *(first + nth * width for nth in after)]


def _exact(number: float) -> Decimal:
    return Decimal(str(number))
