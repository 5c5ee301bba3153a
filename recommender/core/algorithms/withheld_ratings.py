"""The autoencoder's training task: every training rating withheld exactly once per pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.plan import Part, Plan
from recommender.core.algorithms.withheld import Batch, assemble
from recommender.core.systems import AutoencoderConfig, RunOptions
from recommender.core.training import Adam, several
from recommender.core.training.rows import Terms


class WithheldRatings:
    """Batches of a pass, and the step on each."""

    def __init__(
        self,
        network: Network,
        matrix: csr_array,
        encoding: Encoding,
        config: AutoencoderConfig,
        options: RunOptions,
        dense: bool | None = None,
    ) -> None:
        """``dense``: whether profiles are dense matrices; by default on a GPU alone."""
        self.network, self.config, self.device = network, config, options.device
        self.dense = self.device.startswith("cuda") if dense is None else dense
        self.matrix, self.encoding = matrix, encoding
        self.inputs = encoding.inputs(matrix)
        self.n_examples = matrix.nnz
        self.rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self.rated = np.flatnonzero(encoding.counts)
        self.dtype = network.parameters["first"].dtype
        self.optimiser = Adam(config.weight_decay)
        self.scales = encoding.scale(np.diff(matrix.indptr) - 1)
        self.baselines = encoding.baselines(matrix, self.rows)
        self.bias = encoding.bias.item_means()
        self.user_bias = encoding.bias.user_offsets(matrix)

    def batches(
        self,
        rng: np.random.Generator,
        entries: NDArray[np.int64] | None = None,
        per_user: int = 0,
    ) -> Iterator[Part]:
        """Parts that withhold each of ``entries`` (default: all ratings) once.

        At most ``per_user`` of a user's together, by default as many as in training.
        """
        entries = np.arange(self.n_examples) if entries is None else entries
        plan = Plan.draw(self.rows, entries, per_user or self.config.withheld_per_user, rng)
        drawn = self.config.unrelated_per_example if self.config.unrelated_weight else 0
        return plan.parts(self.config.batch_users, self.rated, rng, drawn)

    def batch(self, part: Part) -> Batch:
        """The examples that withhold the part's entries."""
        return assemble(
            self.inputs,
            part,
            input_scale=self.scales[self.rows[part.entries]] if self.config.normalise else None,
            output_share=self.encoding.shares,
            stars=self.matrix.data[part.entries],
            baseline=self.baselines[part.entries],
            bias=self.bias,
            user_bias=self.user_bias,
            residual=self.encoding.residual,
            device=self.device,
            dtype=self.dtype,
            half=self.network.half,
            dense=self.dense,
        )

    def prepare(self, part: Part) -> Batch:
        """This process's share of the part, on the device."""
        return self.batch(part.share(*several.rank_and_size()))

    def step(self, batch: Batch, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        """The errors are those of all processes."""
        rate = self.config.learning_rate
        if self.config.schedule == "linear":
            rate *= 1 - share
        _, errors, gradients = self.network.gradients(batch, generator)
        for name, gradient in gradients.items():
            weights = self.network.parameters[name]
            terms, rows = gradient.found, gradient.rows
            if rows is not None and isinstance(terms, Terms) and terms.can_be_compiled:
                self.optimiser.update_summed(name, weights, terms, rate, rows)
            else:
                self.optimiser.update(name, weights, gradient.values, rate, rows)
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def squared_errors(self, part: Part, clip: tuple[float, float]) -> NDArray[np.floating]:
        """Of predictions held to the scale, without dropout."""
        with torch.no_grad():
            batch = self.batch(part)
            predicted = (self.network.errors(batch) + batch.stars).clamp(*clip)
            squared: NDArray[np.floating] = ((predicted - batch.stars) ** 2).cpu().numpy()
        return squared

    def weights(self) -> Iterable[torch.Tensor]:
        return self.network.parameters.values()

    def state(self) -> dict[str, NDArray]:
        own = {name: tensor.cpu().numpy() for name, tensor in self.network.parameters.items()}
        return {**own, **self.optimiser.state()}

    def restore(self, state: Mapping[str, NDArray]) -> None:
        for name, tensor in self.network.parameters.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        self.optimiser.restore(state, self.device)
