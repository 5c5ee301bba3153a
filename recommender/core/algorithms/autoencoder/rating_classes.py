"""The classes of ratings that a network with class outputs tells apart (paper, section III-A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale

MOST_CLASSES = 100
HALF_STARS = Scale(0.5, 5, 0.5)


@dataclass(frozen=True, eq=False)
class RatingClasses:
    """K classes in ascending order; each consists of neighbouring levels of the scale."""

    scale: Scale
    class_of_level: NDArray[np.int64]  #: (n_levels)
    values: NDArray[np.float64]  #: (K) the mean of the levels of each class

    @classmethod
    def of(cls, scale: Scale, kind: Literal["half-stars", "five"]) -> RatingClasses:
        """A class for each level. With "five", half stars are rounded up to whole ones.

        "five" applies to the scale of half and whole stars alone, other scales keep their levels.
        Raises ConfigurationError for a scale of more than 100 levels.
        """
        levels = scale.levels()
        if len(levels) > MOST_CLASSES:
            raise ConfigurationError(
                f"The scale {scale} has {len(levels):,} levels, too many for output=classes "
                f"(at most {MOST_CLASSES}). Choose output=stars."
            )
        class_of_level = np.arange(len(levels))
        if kind == "five" and scale == HALF_STARS:
            class_of_level //= 2
        sums = np.bincount(class_of_level, levels)
        return cls(scale, class_of_level, sums / np.bincount(class_of_level))

    def find(self, stars: torch.Tensor) -> torch.Tensor:
        """(n) The classes of ratings on the scale."""
        levels = ((stars - self.scale.minimum) / self.scale.step).round().long()
        return torch.from_numpy(self.class_of_level).to(stars.device)[levels]

    def around(self, stars: torch.Tensor) -> torch.Tensor:
        """(..., K) unnormalised log-probabilities of a normal distribution around ``stars`` (...).

        Its standard deviation is a quarter of the scale: a mean says little about one rating.
        """
        spread = max(self.scale.maximum - self.scale.minimum, self.scale.step) / 4
        return -((self._values(stars) - stars[..., None]) ** 2) / (2 * spread**2)

    def expected(self, logits: torch.Tensor) -> torch.Tensor:
        """(..., K) unnormalised log-probabilities -> (...) expected stars."""
        return logits.softmax(-1) @ self._values(logits)

    def _values(self, like: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.values).to(like)
