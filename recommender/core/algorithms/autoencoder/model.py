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

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.autoencoder.network import (
    Network,
    ProfileNetwork,
    draw_network,
    load_network,
)
from recommender.core.algorithms.autoencoder.rating_classes import RatingClasses
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions, time_left
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
    network_: ProfileNetwork
    device_: str
    network_kind: ClassVar[type[ProfileNetwork]] = Network

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        positive = ("epochs", "batch_users", "withheld_per_user", "unrelated_per_example")
        not_negative = ("weight_decay", "movie_damping", "patience", "l1", "l2", "sparsity")
        widths = len(own.hidden) >= 1 and min(own.hidden) >= 1
        return {
            "hidden": (widths, "one width or more, each at least 1"),
            "learning_rate": (own.learning_rate > 0, "above 0"),
            "dropout": (0 <= own.dropout < 1, "at least 0, below 1"),
            "validation_share": (0 < own.validation_share < 1, "between 0 and 1"),
            "unrelated_weight": (own.unrelated_weight >= 0, "at least 0"),
            **{name: (getattr(own, name) >= 1, "at least 1") for name in positive},
            **{name: (getattr(own, name) >= 0, "at least 0") for name in not_negative},
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        options = replace(options, device=resolve_device(options.device))
        self.device_ = options.device
        learned, held = ratings, None
        if self.config.patience:
            newest = newest_slice(ratings, self.config.validation_share, options.seed)
            learned, held = ratings.select(~newest), newest
        matrix = learned.matrix()
        self.bias_ = BiasTerms.learn(matrix, BiasConfig())
        counts = np.bincount(matrix.indices, minlength=self.n_items_).astype(np.int64)
        self.encoding_ = self._encoding(counts)
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
                self.config,
                self.n_items_,
                options.seed,
                options.device,
                half=half,
                columns=self.encoding_.columns,
                kind=self.network_kind,
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
            left = time_left(started, done, len(sample))
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
        return self._predict_covered(profiles, rows, items, training, times)[0]

    def _predict_covered(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        training: bool,
        times: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        outputs, fallback, is_known = self._pairs(profiles, rows, items)
        return np.where(is_known, self._stars(outputs, fallback), fallback), is_known

    def class_probabilities(
        self,
        profiles: csr_array | None,
        rows: NDArray[np.integer],
        items: NDArray[np.integer],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(K) the stars of each class, and (n, K) its probability for the pairs of ``predict``.

        Rows add up to 1, and their mean of the stars is the predicted rating. For an empty profile
        and an item without training ratings, whose predicted rating is the damped bias, they are a
        normal distribution around it. Raises ConfigurationError if the outputs are not classes.
        """
        classes = self.encoding_.classes
        if classes is None:
            raise ConfigurationError(
                f"This {self.name} predicts stars and has no probabilities. Train it with "
                "output=classes, or with preset classes."
            )
        outputs, fallback, is_known = self._pairs(*self._checked(profiles, rows, items))
        around = torch.from_numpy(fallback)
        logits = self.encoding_.logits(
            classes, torch.from_numpy(outputs), around if self.encoding_.residual else 0 * around
        )
        logits[torch.from_numpy(~is_known)] = classes.around(around[torch.from_numpy(~is_known)])
        return classes.values - self.offset_, logits.softmax(1).numpy()

    def _pairs(
        self, profiles: csr_array, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """(n, C) outputs times the shares of their items, and (n) the damped biases, of pairs.

        The last array (n) is false for an empty profile or an item without training ratings, where
        the outputs mean nothing.
        """
        asked, inverse = np.unique(rows, return_inverse=True)
        chosen = profiles[asked]
        fallback = self.bias_.predict(chosen, inverse, items)
        output = np.empty((len(rows), self.encoding_.columns))
        order = np.argsort(inverse, kind="stable")
        ends = np.searchsorted(inverse[order], np.arange(0, len(asked), PROFILES_AT_ONCE))
        for block, pairs in enumerate(np.split(order, ends[1:])):
            start = block * PROFILES_AT_ONCE
            read = self._read(chosen[start : start + PROFILES_AT_ONCE])
            for at in range(0, len(pairs), PAIRS_AT_ONCE):
                part = pairs[at : at + PAIRS_AT_ONCE]
                output[part] = self._outputs(read, inverse[part] - start, items[part])
        output *= self.encoding_.shares[items][:, None]
        is_known = (np.diff(chosen.indptr)[inverse] > 0) & (self.encoding_.counts[items] > 0)
        return output, fallback, is_known

    def _stars(
        self, outputs: NDArray[np.float64], fallback: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(..., C) outputs times their shares, and (...) damped biases -> (...) stars."""
        baselines = fallback if self.encoding_.residual else np.zeros(1)
        found: NDArray[np.float64] = self.encoding_.stars(
            torch.from_numpy(outputs), torch.from_numpy(baselines)
        ).numpy()
        return found

    @torch.no_grad()
    def _outputs(
        self, read: torch.Tensor, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> NDArray[np.floating]:
        """(n, C) The network's outputs for each pair of a row of ``read`` and an item."""
        chosen = read[torch.from_numpy(rows).to(self.device_)]
        outputs = self.network_.outputs(chosen, torch.from_numpy(items).to(self.device_))
        found: NDArray[np.floating] = outputs.cpu().numpy()
        return found

    @torch.no_grad()
    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        fallback, read = self.bias_.grid(profiles), self._read(profiles)
        scores = np.empty(profiles.shape)
        # As many outputs at once as other systems have scores.
        size = max(1, self.block_cells // (max(1, self.n_items_) * self.encoding_.columns))
        for start in range(0, len(read), size):
            part = slice(start, start + size)
            output = self.network_.all_outputs(read[part]).cpu().numpy().astype(np.float64)
            output *= self.encoding_.shares[:, None]
            scores[part] = self._stars(output, fallback[part])
        is_known = (np.diff(profiles.indptr) > 0)[:, None] & (self.encoding_.counts > 0)
        return np.where(is_known, scores, fallback), self.counts_.astype(np.float64)

    @torch.no_grad()
    def _read(self, profiles: csr_array) -> torch.Tensor:
        """(m, W) What the network computes once for each profile."""
        inputs = self.encoding_.inputs(profiles)
        scale = self.encoding_.scale(np.diff(inputs.indptr))[:, None]
        first = self.network_.first
        dtype = first.weight.dtype
        blocks = [self.network_.read(first.weight.new_empty(0, self.config.hidden[0]))]
        for start in range(0, inputs.shape[0], PROFILES_AT_ONCE):
            stop = start + PROFILES_AT_ONCE
            rows = SparseMatrix.from_scipy(inputs[start:stop], self.device_, dtype)
            factor = torch.from_numpy(scale[start:stop]).to(self.device_, dtype)
            sums = rows.times(first.weight) * factor + first.bias
            blocks.append(self.network_.read(sums))
        return torch.cat(blocks)

    def _encoding(self, counts: NDArray[np.int64]) -> Encoding:
        classes = None
        if self.config.output == "classes":
            classes = RatingClasses.of(self.scale_, self.config.classes)
        return Encoding(self.bias_, counts, self.config, classes)

    def _arrays(self) -> dict[str, NDArray]:
        own = {
            f"network.{name}": tensor.detach().cpu().numpy()
            for name, tensor in self.network_.stored_parameters().items()
        }
        return {**own, **self.bias_.to_arrays(), "learned.counts": self.encoding_.counts}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_, self.device_ = BiasTerms.from_arrays(arrays), "cpu"
        self.encoding_ = self._encoding(arrays.get("learned.counts", self.counts_))
        parameters = {
            name.removeprefix("network."): torch.from_numpy(np.array(array))
            for name, array in arrays.items()
            if name.startswith("network.")
        }
        self.network_ = load_network(
            self.config, parameters, columns=self.encoding_.columns, kind=self.network_kind
        )
