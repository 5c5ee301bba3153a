"""The paper's autoencoder (section III-A): one rating withheld per example, loss on it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import linear

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.withheld import (
    Batch,
    Plan,
    SparseRows,
    TargetRow,
    WithheldSum,
    assemble,
)
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings
from recommender.core.systems import (
    AutoencoderConfig,
    BiasConfig,
    Progress,
    RunOptions,
    config_to_dict,
)
from recommender.core.training import Adam, guarded, train

TRAIN_ERROR_SAMPLE = 200_000  # training ratings behind train_rmse_ at most
PAIRS_AT_ONCE = 8_192
PROFILES_AT_ONCE = 1_024


class Network:
    """Fully connected ReLU layers; Xavier weights, zero biases, a linear output.

    ``first`` (n_items x H1) and ``last`` (n_items x H7) hold one row per movie, so that a step
    reads and writes the rows of its own movies only.
    """

    def __init__(self, parameters: Mapping[str, torch.Tensor], config: AutoencoderConfig) -> None:
        self.parameters = dict(parameters)
        self.config = config
        self.n_middle = len(config.hidden) - 1

    @classmethod
    def drawn(
        cls, config: AutoencoderConfig, n_items: int, seed: int, device: str, dtype: torch.dtype
    ) -> Network:
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device

        def xavier(rows: int, columns: int) -> torch.Tensor:
            weights = torch.empty(rows, columns, dtype=dtype)
            return torch.nn.init.xavier_uniform_(weights, generator=generator).to(device)

        def zeros(width: int) -> torch.Tensor:
            return torch.zeros(width, dtype=dtype, device=device)

        hidden = config.hidden
        parameters = {"first": xavier(n_items, hidden[0]), "first.bias": zeros(hidden[0])}
        for layer, (wide, narrow) in enumerate(pairwise(hidden)):
            parameters[f"middle.{layer}"] = xavier(narrow, wide)
            parameters[f"middle.{layer}.bias"] = zeros(narrow)
        parameters |= {"last": xavier(n_items, hidden[-1]), "last.bias": zeros(n_items)}
        return cls(parameters, config)

    def to(self, device: str) -> Network:
        moved = {name: tensor.to(device) for name, tensor in self.parameters.items()}
        return Network(moved, self.config)

    def activations(
        self,
        sums: torch.Tensor,
        parameters: Mapping[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """(n, H1) sums of first-layer rows -> (n, H7); dropout where there is a generator."""
        values = self._drop(torch.relu(sums + parameters["first.bias"]), generator)
        for layer in range(self.n_middle):
            weights, bias = parameters[f"middle.{layer}"], parameters[f"middle.{layer}.bias"]
            values = self._drop(torch.relu(linear(values, weights, bias)), generator)
        return values

    def _drop(self, values: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        if generator is None or not self.config.dropout:
            return values
        # One random byte a value, eight to a draw: bernoulli_ on the CPU took a sixth of a step.
        dropped = round(256 * self.config.dropout)
        words = torch.empty(-(-values.numel() // 8), dtype=torch.int64, device=values.device)
        words.random_(-(2**63), None, generator=generator)
        mask = words.view(torch.uint8)[: values.numel()].view(values.shape) >= dropped
        return values * mask * (256 / (256 - dropped))

    def errors(
        self,
        batch: Batch,
        parameters: Mapping[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """(E) prediction minus withheld rating; ``parameters`` have the batch's rows only."""
        sums = WithheldSum.apply(parameters["first"], batch)
        hidden = self.activations(sums, parameters, generator)
        output = TargetRow.apply(hidden, parameters["last"], batch)
        biases = TargetRow.apply(torch.ones_like(hidden[:, :1]), parameters["last.bias"], batch)
        return output + biases + batch.baseline - batch.stars

    def rows_of(self, batch: Batch) -> dict[str, torch.Tensor]:
        """For each tensor with a row per movie the rows that a batch touches."""
        return {"first": batch.items, "last": batch.targets, "last.bias": batch.targets}

    def view(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The parameters that a batch needs, the large ones cut to its rows."""
        rows = self.rows_of(batch)
        cut = {
            name: tensor if name not in rows else tensor.index_select(0, rows[name])
            for name, tensor in self.parameters.items()
        }
        cut["last.bias"] = cut["last.bias"][:, None]  # (T, 1): a layer of width one
        return cut

    def gradients(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """(loss, errors (E), gradient of each tensor); of the large ones on the batch's rows."""
        leaves = {
            name: tensor.detach().requires_grad_() for name, tensor in self.view(batch).items()
        }
        errors = self.errors(batch, leaves, generator)
        loss = (errors**2).mean()
        if self.config.loss == "rmse":
            loss = loss.clamp_min(1e-12).sqrt()  # the root has no slope at 0
        found = torch.autograd.grad(loss, list(leaves.values()))
        gradients = dict(zip(leaves, found, strict=True))
        gradients["last.bias"] = gradients["last.bias"][:, 0]
        return loss.detach(), errors.detach(), gradients


class WithheldRatings:
    """The training task: every training rating withheld exactly once per pass."""

    def __init__(
        self,
        network: Network,
        matrix: csr_array,
        bias: BiasTerms,
        config: AutoencoderConfig,
        options: RunOptions,
    ) -> None:
        self.network, self.config, self.device = network, config, options.device
        self.matrix = matrix
        self.inputs = input_values(matrix, bias, config)
        self.n_examples = matrix.nnz
        self.rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self.dtype = network.parameters["first"].dtype
        self.optimiser = Adam(config.weight_decay)
        self.scales = input_scale(np.diff(matrix.indptr) - 1, config)
        self.baselines = (
            without_own_rating(matrix, self.rows, bias)
            if config.target == "residual"
            else np.zeros(self.n_examples)
        )

    def batches(
        self, rng: np.random.Generator, entries: NDArray[np.int64] | None = None
    ) -> Iterator[Batch]:
        """Batches that withhold each of ``entries`` (default: all ratings) once."""
        entries = np.arange(self.n_examples) if entries is None else entries
        plan = Plan.draw(self.rows, entries, self.config.withheld_per_user, rng)
        for part in plan.batches(self.config.batch_users):
            yield self.batch(*part)

    def batch(
        self, users: NDArray[np.int64], task_of: NDArray[np.int64], entries: NDArray[np.int64]
    ) -> Batch:
        """The examples that withhold ``entries``; ``users[task_of]`` gave these ratings."""
        return assemble(
            self.inputs,
            users,
            task_of,
            entries,
            input_scale=self.scales[self.rows[entries]],
            stars=self.matrix.data[entries],
            baseline=self.baselines[entries],
            device=self.device,
            dtype=self.dtype,
        )

    def step(self, batch: Batch, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        rate = self.config.learning_rate
        if self.config.schedule == "linear":
            rate *= 1 - share
        _, errors, gradients = self.network.gradients(batch, generator)
        rows = self.network.rows_of(batch)
        for name, gradient in gradients.items():
            weights = self.network.parameters[name]
            self.optimiser.update(name, weights, gradient, rate, rows.get(name))
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def squared_errors(self, batch: Batch, clip: tuple[float, float]) -> NDArray[np.floating]:
        """Of predictions held to the scale, without dropout."""
        with torch.no_grad():
            errors = self.network.errors(batch, self.network.view(batch))
            predicted = (errors + batch.stars).clamp(*clip)
            squared: NDArray[np.floating] = ((predicted - batch.stars) ** 2).cpu().numpy()
        return squared

    def state(self) -> dict[str, NDArray]:
        own = {name: tensor.cpu().numpy() for name, tensor in self.network.parameters.items()}
        return {**own, **self.optimiser.state()}

    def restore(self, state: Mapping[str, NDArray]) -> None:
        for name, tensor in self.network.parameters.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        self.optimiser.restore(state, self.device)


class Autoencoder(Recommender):
    """A deep network from a profile to the stars of every movie.

    An empty profile gives the damped bias of an unknown user (mean + movie offset), since the
    network has nothing to go by; a movie without training rating gets the damped bias too.
    Ties, which real numbers hardly have: number of ratings of the movie, then hash.
    ``train_rmse_`` is the error on training ratings, each withheld in its turn, dropout off and
    predictions on the scale; on a seeded sample of 200,000 where there are more.
    """

    name: ClassVar[str] = "autoencoder"
    config: AutoencoderConfig
    bias_: BiasTerms
    network_: Network
    device_: str

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_config(self.config)
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self.device_ = options.device
        with guarded(options):
            self.network_ = Network.drawn(
                self.config, self.n_items_, options.seed, options.device, torch.float32
            )
            task = WithheldRatings(self.network_, self.profiles_, self.bias_, self.config, options)
            identity = {
                "config": config_to_dict(self.config),
                "shape": [*self.profiles_.shape, ratings.n_ratings],
                "stars": float(np.dot(self.profiles_.data, np.arange(ratings.n_ratings) % 9973)),
            }
            self.loss_curve_ = train(
                task, epochs=self.config.epochs, options=options, identity=identity
            )
            self.train_rmse_ = self._train_error(task, options)

    def _train_error(self, task: WithheldRatings, options: RunOptions) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        chosen = rng.permutation(task.n_examples)[:TRAIN_ERROR_SAMPLE]
        clip = (self.scale_.minimum, self.scale_.maximum)
        total, done = 0.0, 0
        for batch in task.batches(rng, np.sort(chosen)):
            squared = task.squared_errors(batch, clip)
            total += float(squared.sum(dtype=np.float64))
            done += len(squared)
            options.progress(Progress("measuring", done, len(chosen), self.config.epochs))
        return float(np.sqrt(total / len(chosen)))

    def to(self, device: str) -> Self:
        self.network_, self.device_ = self.network_.to(device), device
        return self

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        asked, inverse = np.unique(rows, return_inverse=True)
        chosen = profiles[asked]
        fallback = self.bias_.predict(chosen, inverse, items)
        output = np.empty(len(rows))
        last, bias = self.network_.parameters["last"], self.network_.parameters["last.bias"]
        with torch.no_grad():
            hidden = self._hidden(chosen)
            for start in range(0, len(rows), PAIRS_AT_ONCE):
                part = slice(start, start + PAIRS_AT_ONCE)
                who = torch.from_numpy(inverse[part]).to(self.device_)
                what = torch.from_numpy(items[part]).to(self.device_)
                output[part] = ((hidden[who] * last[what]).sum(1) + bias[what]).cpu().numpy()
        if self.config.target == "residual":
            output += fallback
        known = (np.diff(chosen.indptr)[inverse] > 0) & (self.counts_[items] > 0)
        return np.where(known, output, fallback)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        fallback = self.bias_.grid(profiles)
        last, bias = self.network_.parameters["last"], self.network_.parameters["last.bias"]
        with torch.no_grad():
            output = linear(self._hidden(profiles), last, bias).cpu().numpy().astype(np.float64)
        if self.config.target == "residual":
            output += fallback
        known = (np.diff(profiles.indptr) > 0)[:, None] & (self.counts_ > 0)
        return np.where(known, output, fallback), self.counts_.astype(np.float64)

    def _hidden(self, profiles: csr_array) -> torch.Tensor:
        """(m, H7): the last hidden layer of every profile."""
        inputs = input_values(csr_array(profiles), self.bias_, self.config)
        scale = input_scale(np.diff(inputs.indptr), self.config)[:, None]
        parameters = self.network_.parameters
        dtype = parameters["first"].dtype
        blocks = []
        for start in range(0, inputs.shape[0], PROFILES_AT_ONCE):
            stop = start + PROFILES_AT_ONCE
            rows = SparseRows.of(inputs[start:stop], self.device_, dtype)
            factor = torch.from_numpy(scale[start:stop]).to(self.device_, dtype)
            sums = rows.times(parameters["first"]) * factor
            blocks.append(self.network_.activations(sums, parameters))
        return torch.cat(blocks) if blocks else parameters["last"].new_empty(0, 1)

    def _arrays(self) -> dict[str, NDArray]:
        tensors = self.network_.parameters.items()
        own = {f"network.{name}": tensor.cpu().numpy() for name, tensor in tensors}
        return {**own, **self.bias_.to_arrays()}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_, self.device_ = BiasTerms.from_arrays(arrays), "cpu"
        parameters = {
            name.removeprefix("network."): torch.from_numpy(np.array(array))
            for name, array in arrays.items()
            if name.startswith("network.")
        }
        self.network_ = Network(parameters, self.config)


def input_values(matrix: csr_array, bias: BiasTerms, config: AutoencoderConfig) -> csr_array:
    """What the network reads of each rating: the stars, or their distance from the movie's mean.

    Each is fixed by the rating alone, which the exact sparse form relies on.
    """
    values = np.asarray(matrix.data, np.float64)
    if config.target == "residual":
        values = values - bias.movies()[matrix.indices]
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def input_scale(counts: NDArray[np.integer], config: AutoencoderConfig) -> NDArray[np.float64]:
    """The factor on an input of so many ratings: 1, or 1 over their root."""
    return np.maximum(counts, 1) ** -0.5 if config.normalise else np.ones(len(counts))


def without_own_rating(
    matrix: csr_array, rows: NDArray[np.int64], bias: BiasTerms
) -> NDArray[np.float64]:
    """The damped bias of every training pair, as it would be without that rating (n_ratings).

    Its share in the mean of all ratings and in the user's other residuals is left in.
    """
    items, damping = matrix.indices, BiasConfig()
    counts = np.bincount(items, minlength=matrix.shape[1])
    above = matrix.data.astype(np.float64) - bias.mean
    weight = counts[items] - 1 + damping.item_damping
    item_offsets = (bias.item_offsets[items] * (weight + 1) - above) / weight
    rest = matrix.data - bias.movies()[items]
    lengths = np.diff(matrix.indptr)
    sums = np.bincount(rows, rest, minlength=len(lengths))[rows] - rest
    user_offsets = sums / (lengths[rows] - 1 + bias.user_damping)
    return np.asarray(bias.mean + item_offsets + user_offsets, np.float64)


def check_config(config: AutoencoderConfig) -> None:
    """Raise ConfigurationError for values that cannot be trained."""
    checks = {
        "hidden": len(config.hidden) >= 1 and min(config.hidden) >= 1,
        "epochs": config.epochs >= 1,
        "learning_rate": config.learning_rate > 0,
        "batch_users": config.batch_users >= 1,
        "withheld_per_user": config.withheld_per_user >= 1,
        "loss": config.loss in ("rmse", "mse"),
        "target": config.target in ("stars", "residual"),
        "schedule": config.schedule in ("constant", "linear"),
        "dropout": 0 <= config.dropout < 1,
        "weight_decay": config.weight_decay >= 0,
    }
    if wrong := [name for name, fine in checks.items() if not fine]:
        values = ", ".join(f"{name}={getattr(config, name)!r}" for name in wrong)
        raise ConfigurationError(
            f"The autoencoder cannot be trained with {values}. See AutoencoderConfig for what is "
            "possible."
        )
