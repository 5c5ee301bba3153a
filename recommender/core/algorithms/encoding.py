"""What the network reads of a profile, and how what it says becomes stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.systems import AutoencoderConfig, BiasConfig


class Encoding:
    """Fixed numbers of the training ratings around the network.

    An input is a number fixed by its rating alone, times a factor fixed by the profile's length
    alone: the exact sparse form of withholding relies on both. ``shares`` (n_items): how much a
    movie counts, on its way in and on its way out, n / (n + movie_damping) for n ratings.
    """

    def __init__(
        self, bias: BiasTerms, counts: NDArray[np.int64], config: AutoencoderConfig
    ) -> None:
        self.bias, self.counts = bias, counts
        self.residual, self.normalise = config.target == "residual", config.normalise
        damped = counts + config.movie_damping
        self.shares = np.divide(counts, damped, out=np.zeros(len(counts)), where=damped > 0)

    def inputs(self, matrix: csr_array) -> csr_array:
        """The stars, or their distance from the movie's mean, in the place of each rating."""
        values = np.asarray(matrix.data, np.float64)
        if self.residual:
            values = values - self.bias.item_means()[matrix.indices]
        values = values * self.shares[matrix.indices]
        return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)

    def scale(self, lengths: NDArray[np.integer]) -> NDArray[np.float64]:
        """The factor on an input of so many ratings: 1, or 1 over their root."""
        return np.maximum(lengths, 1) ** -0.5 if self.normalise else np.ones(len(lengths))

    def baselines(self, matrix: csr_array, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the output is added to for every training rating, as if it had not been given.

        0, or the damped bias with the rating taken out of its movie's and its user's offset; its
        share in the mean of all ratings and in the user's other residuals is left in.
        """
        if not self.residual:
            return np.zeros(matrix.nnz)
        items, lengths = matrix.indices, np.diff(matrix.indptr)
        weight = self.counts[items] - 1 + BiasConfig().item_damping
        above = matrix.data.astype(np.float64) - self.bias.mean
        movie_offsets = (self.bias.item_offsets[items] * (weight + 1) - above) / weight
        rest = matrix.data - self.bias.item_means()[items]
        others = np.bincount(rows, rest, minlength=len(lengths))[rows] - rest
        user_offsets = others / (lengths[rows] - 1 + self.bias.user_damping)
        return np.asarray(self.bias.mean + movie_offsets + user_offsets, np.float64)
