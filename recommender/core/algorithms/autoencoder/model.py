"""The paper's autoencoder (section III-A): one rating withheld per example, loss on it alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Self
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import linear

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.autoencoder.network import Network, draw_network, load_network
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.algorithms.base import Recommender, check_fields
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions
from recommender.core.splitting import newest_slice
from recommender.core.systems import config_to_dict
from recommender.core.training.devices import half_precision, resolve_device, run_limits
from recommender.core.training.early_stopping import EarlyStopping
from recommender.core.training.loop import train_task

TRAIN_ERROR_SAMPLE = 200_000  # training ratings measured for train_rmse_ at most
PARTIAL_SAMPLE = 10_000  # the same if the time limit ended training, to spend little beyond it
MEASURED_PER_USER = 32  # ratings measured with one reading of a profile
PAIRS_AT_ONCE = 8_192
PROFILES_AT_ONCE = 1_024


class Autoencoder(Recommender):
    """A deep network that maps a profile to the stars of every item (paper, section III-A).

    An empty profile gets the damped bias of an unknown user (mean + item offset), an item without
    training ratings the damped bias. Ties are broken by the item's number of ratings, then by
    hash. ``train_rmse_`` is the error of training ratings, each predicted while withheld, without
    dropout and clipped to the scale; of a seeded sample if there are more than 200,000 (10,000 if
    the time limit ended training).

    With ``patience`` the newest ratings are held out: they are predicted from the others after
    every pass, and the weights of the best pass are kept. After training they are part of the
    profiles; an item rated only in them gets the damped bias.
    """

    name: ClassVar[str] = "autoencoder"
    config: AutoencoderConfig
    bias_: BiasTerms
    encoding_: Encoding
    network_: Network
    device_: str

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_config(self.config)
        options = replace(options, device=resolve_device(options.device))
        self.device_ = options.device
        learned, held = ratings, None
        if self.config.patience:
            newest = newest_slice(ratings, self.config.validation_share, options.seed)
            learned, held = ratings.select(~newest), newest
        matrix = learned.matrix()
        self.bias_ = BiasTerms.learn(matrix, BiasConfig())
        counts = np.bincount(matrix.indices, minlength=self.n_items_).astype(np.int64)
        self.encoding_ = Encoding(self.bias_, counts, self.config)
        half = half_precision(options)
        identity = {
            "config": config_to_dict(self.config),
            "shape": [*self.profiles_.shape, ratings.n_ratings],
            "ratings": [
                crc32(np.ascontiguousarray(part).data)
                for part in (ratings.indptr, ratings.indices, ratings.values)
            ],
            "half": str(half),
        }
        with run_limits(options):
            self.network_ = draw_network(
                self.config, self.n_items_, options.seed, options.device, half=half
            )
            task = WithheldRatingsTask(self.network_, matrix, self.encoding_, self.config, options)
            stopping = None
            if held is not None:
                stopping = EarlyStopping(
                    self.config.patience,
                    self._validation(ratings, held, matrix, options.seed),
                    {name: own.detach() for name, own in task.parameters.items()},
                )
            outcome = train_task(
                task,
                epochs=self.config.epochs,
                options=options,
                identity=identity,
                stopping=stopping,
            )
            self.loss_curve_, self.finished_ = outcome.loss_curve, outcome.finished
            self.network_.half_dtype = None  # the stored model predicts in single precision
            self.train_rmse_ = self._train_error(task, options, int(np.ceil(outcome.passes)))

    def _validation(
        self, ratings: Ratings, held: NDArray[np.bool_], matrix: csr_array, seed: int
    ) -> Callable[[], float]:
        """Measures the RMSE of held-out ratings (at most a seeded sample) from the others."""
        places = np.random.default_rng(seed).permutation(np.flatnonzero(held))
        places = np.sort(places[:TRAIN_ERROR_SAMPLE])
        rows, items = ratings.rows()[places], ratings.indices[places].astype(np.int64)
        values = ratings.values[places]

        def measure() -> float:
            predicted = self._predict(matrix, rows, items, training=True)
            return rmse(values, self.scale_.clip(predicted))

        return measure

    def _train_error(self, task: WithheldRatingsTask, options: RunOptions, passes: int) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        size = TRAIN_ERROR_SAMPLE if self.finished_ else PARTIAL_SAMPLE
        sample = np.sort(rng.permutation(task.n_examples)[:size])
        clip = (self.scale_.minimum, self.scale_.maximum)
        total, done, started = 0.0, 0, time.monotonic()
        for plan in task.batches(rng, sample, MEASURED_PER_USER):
            squared = task.squared_errors(plan, clip)
            total += float(squared.sum(dtype=np.float64))
            done += len(squared)
            left = (time.monotonic() - started) / done * (len(sample) - done)
            options.progress(Progress("measuring", done, len(sample), passes, seconds_left=left))
        return float(np.sqrt(total / len(sample)))

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
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        asked, inverse = np.unique(rows, return_inverse=True)
        chosen = profiles[asked]
        fallback = self.bias_.predict(chosen, inverse, items)
        output = np.empty(len(rows))
        order = np.argsort(inverse, kind="stable")
        ends = np.searchsorted(inverse[order], np.arange(0, len(asked), PROFILES_AT_ONCE))
        for block, pairs in enumerate(np.split(order, ends[1:])):
            start = block * PROFILES_AT_ONCE
            hidden = self._hidden(chosen[start : start + PROFILES_AT_ONCE])
            for at in range(0, len(pairs), PAIRS_AT_ONCE):
                part = pairs[at : at + PAIRS_AT_ONCE]
                output[part] = self._outputs(hidden, inverse[part] - start, items[part])
        output *= self.encoding_.shares[items]
        if self.encoding_.residual:
            output += fallback
        is_known = (np.diff(chosen.indptr)[inverse] > 0) & (self.encoding_.counts[items] > 0)
        return np.where(is_known, output, fallback)

    @torch.no_grad()
    def _outputs(
        self, hidden: torch.Tensor, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> NDArray[np.floating]:
        """(n) The network's output for each pair of a row of ``hidden`` and an item."""
        chosen = hidden[torch.from_numpy(rows).to(self.device_)]
        outputs = self.network_.last(chosen, torch.from_numpy(items).to(self.device_))
        found: NDArray[np.floating] = outputs.cpu().numpy()
        return found

    @torch.no_grad()
    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        fallback, last = self.bias_.grid(profiles), self.network_.last
        output = linear(self._hidden(profiles), last.weight, last.bias)
        scores = output.cpu().numpy().astype(np.float64) * self.encoding_.shares
        if self.encoding_.residual:
            scores += fallback
        is_known = (np.diff(profiles.indptr) > 0)[:, None] & (self.encoding_.counts > 0)
        return np.where(is_known, scores, fallback), self.counts_.astype(np.float64)

    @torch.no_grad()
    def _hidden(self, profiles: csr_array) -> torch.Tensor:
        """(m, H) The last hidden layer of every profile."""
        inputs = self.encoding_.inputs(profiles)
        scale = self.encoding_.scale(np.diff(inputs.indptr))[:, None]
        first = self.network_.first
        dtype = first.weight.dtype
        blocks = [first.weight.new_empty(0, self.config.hidden[-1])]
        for start in range(0, inputs.shape[0], PROFILES_AT_ONCE):
            stop = start + PROFILES_AT_ONCE
            rows = SparseMatrix.from_scipy(inputs[start:stop], self.device_, dtype)
            factor = torch.from_numpy(scale[start:stop]).to(self.device_, dtype)
            sums = rows.times(first.weight) * factor + first.bias
            blocks.append(self.network_.hidden(sums)[0])
        return torch.cat(blocks)

    def _arrays(self) -> dict[str, NDArray]:
        own = {
            f"network.{name}": tensor.detach().cpu().numpy()
            for name, tensor in self.network_.stored_parameters().items()
        }
        return {**own, **self.bias_.to_arrays(), "learned.counts": self.encoding_.counts}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_, self.device_ = BiasTerms.from_arrays(arrays), "cpu"
        counts = arrays.get("learned.counts", self.counts_)
        self.encoding_ = Encoding(self.bias_, counts, self.config)
        parameters = {
            name.removeprefix("network."): torch.from_numpy(np.array(array))
            for name, array in arrays.items()
            if name.startswith("network.")
        }
        self.network_ = load_network(self.config, parameters)


def check_config(config: AutoencoderConfig) -> None:
    """Raise ConfigurationError for values that cannot be trained."""
    positive = ("epochs", "batch_users", "withheld_per_user", "unrelated_per_example")
    not_negative = ("weight_decay", "movie_damping", "patience", "l1", "l2", "sparsity")
    widths = len(config.hidden) >= 1 and min(config.hidden) >= 1
    check_fields(
        config,
        {
            "hidden": (widths, "one width or more, each at least 1"),
            "learning_rate": (config.learning_rate > 0, "above 0"),
            "dropout": (0 <= config.dropout < 1, "at least 0, below 1"),
            "validation_share": (0 < config.validation_share < 1, "between 0 and 1"),
            "unrelated_weight": (config.unrelated_weight >= 0, "at least 0"),
            **{name: (getattr(config, name) >= 1, "at least 1") for name in positive},
            **{name: (getattr(config, name) >= 0, "at least 0") for name in not_negative},
        },
    )
