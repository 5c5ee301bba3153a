"""The training task: withholds every training rating once per pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import cross_entropy

from recommender.core.algorithms.autoencoder.batches import BatchPlan, PassPlan
from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.autoencoder.network import ProfileNetwork
from recommender.core.algorithms.autoencoder.sparse_batch import WithheldBatch, build_batch
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.runs import RunOptions
from recommender.core.training.distributed import gather_rows, rank_and_size, sum_gradient
from recommender.core.training.optimiser import (
    RowAdamW,
    adam_state_to_arrays,
    restore_adam_state,
)


class WithheldRatingsTask:
    """Batches of a pass, the loss on a batch and the step that reduces it."""

    def __init__(
        self,
        network: ProfileNetwork,
        matrix: csr_array,
        encoding: Encoding,
        config: AutoencoderConfig,
        options: RunOptions,
        dense: bool | None = None,
    ) -> None:
        """``dense``: whether profiles are dense matrices; by default only on a GPU."""
        self.network, self.config, self.device = network, config, options.device
        self.dense = self.device.startswith("cuda") if dense is None else dense
        self.matrix, self.encoding = matrix, encoding
        self.inputs = encoding.inputs(matrix)
        self.n_examples = matrix.nnz
        self.rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self.rated = np.flatnonzero(encoding.counts)
        self.scales = encoding.scale(np.diff(matrix.indptr) - 1)
        self.baselines = encoding.baselines(matrix, self.rows)
        self.bias = encoding.bias.item_means()
        self.user_bias = encoding.bias.user_offsets(matrix)
        self.parameters = network.stored_parameters()
        decay, rate = config.weight_decay, config.learning_rate

        def groups(names: Iterable[str]) -> list[dict]:
            weights: list[torch.Tensor] = []
            biases: list[torch.Tensor] = []
            for name in names:
                own = self.parameters[name]
                (biases if name.endswith("bias") else weights).append(own)
            return [
                {"params": weights, "weight_decay": decay},
                {"params": biases, "weight_decay": 0.0},
            ]

        dense_names = [name for name in self.parameters if name not in network.tables]
        self.optimisers = (
            RowAdamW(groups(network.tables), lr=rate),
            torch.optim.AdamW(groups(dense_names), lr=rate, fused=True),
        )

    def batches(
        self,
        rng: np.random.Generator,
        ratings: NDArray[np.int64] | None = None,
        per_user: int = 0,
    ) -> Iterator[BatchPlan]:
        """Plans that withhold each of ``ratings`` (ascending positions; default: all) once.

        ``per_user`` ratings of a profile at most; default: as in training.
        """
        ratings = np.arange(self.n_examples) if ratings is None else ratings
        plan = PassPlan.draw(self.rows, ratings, per_user or self.config.withheld_per_user, rng)
        drawn = self.config.unrelated_per_example if self.config.unrelated_weight else 0
        return plan.batches(self.config.batch_users, self.rated, rng, drawn)

    def batch(self, plan: BatchPlan) -> WithheldBatch:
        """The tensors of a plan."""
        return build_batch(
            self.inputs,
            plan,
            input_scale=self.scales[self.rows[plan.withheld]] if self.config.normalise else None,
            output_share=self.encoding.shares,
            stars=self.matrix.data[plan.withheld],
            baselines=self.baselines[plan.withheld],
            bias=self.bias,
            user_bias=self.user_bias,
            residual=self.encoding.residual,
            device=self.device,
            dtype=self.parameters["first"].dtype,
            half=self.network.half_dtype,
            dense=self.dense,
        )

    def prepare(self, batch: BatchPlan) -> WithheldBatch:
        """This process's share of the batch."""
        return self.batch(batch.share(*rank_and_size()))

    def step(
        self, batch: WithheldBatch, share: float, generator: torch.Generator
    ) -> NDArray[np.floating]:
        """The squared errors (E) are those of all processes."""
        rate = self.config.learning_rate
        if self.config.schedule == "linear":
            rate *= 1 - share
        errors, gradients = self.gradients(batch, generator)
        for name, parameter in self.parameters.items():
            parameter.grad = gradients[name]
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad()
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def gradients(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Errors (E) and gradients of the loss, both of the examples of all processes."""
        loss, errors = self.loss(batch, generator)
        # Not backward(): accumulating would copy the sparse gradients.
        found = torch.autograd.grad(loss, list(self.parameters.values()))
        gradients = {
            name: sum_gradient(gradient)
            for name, gradient in zip(self.parameters, found, strict=True)
        }
        self._add_penalty(gradients)
        return errors, gradients

    def loss(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """This process's share of the loss without L1 and L2, and the errors (E) of all."""
        outputs, code, encoding = *self._outputs(batch, generator), self.encoding
        distances = encoding.stars(outputs, batch.baselines) - batch.targets  # (P)
        own, unrelated = distances[: batch.n_examples], distances[batch.n_examples :]
        errors = gather_rows(own.detach())
        loss = (own**2).sum() / len(errors)
        if encoding.classes is not None:
            logits = encoding.logits(encoding.classes, outputs, batch.baselines)
            true = encoding.classes.find(batch.stars)
            loss = cross_entropy(logits[: batch.n_examples], true, reduction="sum") / len(errors)
        elif self.config.loss == "rmse":
            root = (errors**2).mean().sqrt()
            # The gradient of the root; it is not defined at 0.
            loss = loss / (2 * root) + root / 2 if root > 1e-6 else 0 * loss
        if self.config.unrelated_weight:
            n_unrelated = max(1, len(gather_rows(unrelated.detach())))
            loss = loss + self.config.unrelated_weight * (unrelated**2).sum() / n_unrelated
        if self.config.sparsity:
            loss = loss + self.config.sparsity * code.sum() / len(errors)
        return loss, errors

    def _outputs(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(P, C) outputs times the shares of their items, and the bottleneck."""
        outputs, code = self.network(batch, generator)
        return outputs * batch.output_share[:, None], code

    def _add_penalty(self, gradients: dict[str, torch.Tensor]) -> None:
        """Add the gradients of L1 and L2: of all weights, or of the rows that have a gradient."""
        l1, l2 = self.config.l1, self.config.l2
        if not l1 and not l2:
            return
        for name, gradient in gradients.items():
            if name.endswith("bias"):
                continue
            weights, values = self.parameters[name].detach(), gradient
            if gradient.is_sparse:
                gradients[name] = gradient = gradient.coalesce()
                weights, values = weights[gradient.indices()[0]], gradient.values()
            values.add_(weights.sign(), alpha=l1).add_(weights, alpha=2 * l2)

    @torch.no_grad()
    def squared_errors(self, plan: BatchPlan, clip: tuple[float, float]) -> NDArray[np.floating]:
        """(E) of predictions clipped to the scale, without dropout."""
        batch = self.batch(plan)
        predicted = self.encoding.stars(self._outputs(batch)[0], batch.baselines)
        errors = predicted[: batch.n_examples].clamp(*clip) - batch.stars
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def weights(self) -> Iterable[torch.Tensor]:
        return self.parameters.values()

    def state(self) -> dict[str, NDArray]:
        own = {name: tensor.detach().cpu().numpy() for name, tensor in self.parameters.items()}
        return {**own, **adam_state_to_arrays(self.optimisers, self.parameters)}

    @torch.no_grad()
    def restore(self, state: Mapping[str, NDArray]) -> None:
        for name, tensor in self.parameters.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        restore_adam_state(self.optimisers, self.parameters, state)
