"""Converts ratings to the network's inputs, and its outputs to stars."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.autoencoder.rating_classes import RatingClasses
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig


class Encoding:
    """Inputs, scales and baselines computed once from the training ratings.

    An input depends on its rating alone, times a factor that depends on the length of the profile
    alone; the exact sparse form of withholding relies on both. ``shares`` (n_items) is the weight
    of an item in the input and the output: n / (n + movie_damping) for an item with n ratings.
    ``columns`` is the number C of outputs for each item: one, or one for each class of ratings.
    """

    def __init__(
        self,
        bias: BiasTerms,
        counts: NDArray[np.int64],
        config: AutoencoderConfig,
        classes: RatingClasses | None = None,
    ) -> None:
        """``classes`` are those of the data set's scale, None if the network outputs stars."""
        self.bias, self.counts, self.classes = bias, counts, classes
        self.columns = 1 if classes is None else len(classes.values)
        self.residual, self.normalise = config.target == "residual", config.normalise
        damped = counts + config.movie_damping
        self.shares = np.divide(counts, damped, out=np.zeros(len(counts)), where=damped > 0)

    def inputs(self, matrix: csr_array) -> csr_array:
        """(n, n_items) of the same sparsity: the stars, or their distance from the item's mean."""
        values = np.asarray(matrix.data, np.float64)
        if self.residual:
            values = values - self.bias.item_means()[matrix.indices]
        values = values * self.shares[matrix.indices]
        return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)

    def stars(self, outputs: torch.Tensor, baselines: torch.Tensor) -> torch.Tensor:
        """(..., C) outputs, times the shares of their items, and (...) baselines -> (...) stars."""
        if self.classes is None:
            return outputs.squeeze(-1) + baselines
        return self.classes.expected(self.logits(self.classes, outputs, baselines))

    def logits(
        self, classes: RatingClasses, outputs: torch.Tensor, baselines: torch.Tensor
    ) -> torch.Tensor:
        """(..., C) unnormalised log-probabilities; "residual" starts around the damped bias."""
        return outputs + classes.around(baselines) if self.residual else outputs

    def scale(self, lengths: NDArray[np.integer]) -> NDArray[np.float64]:
        """(n) The factor on the inputs of profiles of these lengths: 1, or 1 / sqrt(length)."""
        return np.maximum(lengths, 1) ** -0.5 if self.normalise else np.ones(len(lengths))

    def baselines(self, matrix: csr_array, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n_ratings) What the output is added to for each training rating, if it is withheld.

        0, or the damped bias with the rating left out of its item's and its user's offset. The
        rating still has its share in the overall mean and in the user's other residuals.
        """
        if not self.residual:
            return np.zeros(matrix.nnz)
        items, lengths = matrix.indices, np.diff(matrix.indptr)
        weight = self.counts[items] - 1 + BiasConfig().item_damping
        above = matrix.data.astype(np.float64) - self.bias.mean
        item_offsets = (self.bias.item_offsets[items] * (weight + 1) - above) / weight
        rest = matrix.data - self.bias.item_means()[items]
        others = np.bincount(rows, rest, minlength=len(lengths))[rows] - rest
        user_offsets = others / (lengths[rows] - 1 + self.bias.user_damping)
        return np.asarray(self.bias.mean + item_offsets + user_offsets, np.float64)
