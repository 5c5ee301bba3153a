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

from recommender.core.algorithms.base import Recommender, check_fields
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.profiles import SparseRows
from recommender.core.algorithms.withheld_ratings import WithheldRatings
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.splitting import newest_slice
from recommender.core.systems import (
    AutoencoderConfig,
    BiasConfig,
    Progress,
    RunOptions,
    config_to_dict,
)
from recommender.core.training import (
    EarlyStopping,
    guarded,
    half_precision,
    resolve_device,
    train,
)

TRAIN_ERROR_SAMPLE = 200_000  # training ratings behind train_rmse_ at most
PARTIAL_SAMPLE = 10_000  # of a model whose time was up: what it was not given is not spent here
MEASURED_PER_USER = 32  # at a time: a profile is read for every so many
PAIRS_AT_ONCE = 8_192
PROFILES_AT_ONCE = 1_024


class Autoencoder(Recommender):
    """A deep network from a profile to the stars of every movie.

    An empty profile gives the damped bias of an unknown user (mean + movie offset), since the
    network has nothing to go by; a movie without training rating gets the damped bias too.
    Ties, which real numbers hardly have: number of ratings of the movie, then hash.
    ``train_rmse_`` is the error on training ratings, each withheld in its turn, dropout off and
    predictions on the scale; on a seeded sample of 200,000 where there are more, of 10,000 where
    training was ended before its last pass.

    With ``patience`` the newest slice of the ratings is not learned from: after every pass it is
    predicted from the rest, and the weights of the pass that did it best are kept. Once trained,
    the profiles hold it again; a movie rated in it alone gets the damped bias.
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
        with guarded(options):
            self.network_ = Network.drawn(
                self.config,
                self.n_items_,
                options.seed,
                options.device,
                torch.float32,
                half_precision(options),
            )
            task = WithheldRatings(self.network_, matrix, self.encoding_, self.config, options)
            stopping = None
            if held is not None:
                stopping = EarlyStopping(
                    self.config.patience,
                    self._validation(ratings, held, matrix, options.seed),
                    self.network_.parameters,
                )
            identity = {
                "config": config_to_dict(self.config),
                "shape": [*self.profiles_.shape, ratings.n_ratings],
                "ratings": [
                    crc32(np.ascontiguousarray(part).data)
                    for part in (ratings.indptr, ratings.indices, ratings.values)
                ],
                "half": str(self.network_.half),
            }
            outcome = train(
                task,
                epochs=self.config.epochs,
                options=options,
                identity=identity,
                stopping=stopping,
            )
            self.loss_curve_, self.finished_ = outcome.loss_curve, outcome.finished
            self.network_.half = None  # all that is measured is of the model as it is stored
            self.train_rmse_ = self._train_error(task, options, int(np.ceil(outcome.passes)))

    def _validation(
        self, ratings: Ratings, held: NDArray[np.bool_], matrix: csr_array, seed: int
    ) -> Callable[[], float]:
        """The error on held ratings, a seeded sample of many, from the profiles of the others."""
        places = np.random.default_rng(seed).permutation(np.flatnonzero(held))
        places = np.sort(places[:TRAIN_ERROR_SAMPLE])
        rows, items = ratings.rows()[places], ratings.indices[places].astype(np.int64)
        values = ratings.values[places]

        def measure() -> float:
            found = self.scale_.clip(self._predict(matrix, rows, items, training=True))
            return rmse(values, found)

        return measure

    def _train_error(self, task: WithheldRatings, options: RunOptions, passes: int) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        most = TRAIN_ERROR_SAMPLE if self.finished_ else PARTIAL_SAMPLE
        chosen = rng.permutation(task.n_examples)[:most]
        clip = (self.scale_.minimum, self.scale_.maximum)
        total, done, started = 0.0, 0, time.monotonic()
        for part in task.batches(rng, np.sort(chosen), MEASURED_PER_USER):
            squared = task.squared_errors(part, clip)
            total += float(squared.sum(dtype=np.float64))
            done += len(squared)
            left = (time.monotonic() - started) / done * (len(chosen) - done)
            options.progress(Progress("measuring", done, len(chosen), passes, seconds_left=left))
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
        known = (np.diff(chosen.indptr)[inverse] > 0) & (self.encoding_.counts[items] > 0)
        return np.where(known, output, fallback)

    @torch.no_grad()
    def _outputs(
        self, hidden: torch.Tensor, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> NDArray[np.floating]:
        """What the last layer says of each pair of a row of ``hidden`` and a movie."""
        who = torch.from_numpy(rows).to(self.device_)
        what = torch.from_numpy(items).to(self.device_)
        parameters = self.network_.parameters
        found = (hidden[who] * parameters["last"][what]).sum(1) + parameters["last.bias"][what]
        said: NDArray[np.floating] = found.cpu().numpy()
        return said

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        fallback = self.bias_.grid(profiles)
        last, bias = self.network_.parameters["last"], self.network_.parameters["last.bias"]
        with torch.no_grad():
            output = linear(self._hidden(profiles), last, bias).cpu().numpy().astype(np.float64)
        output *= self.encoding_.shares
        if self.encoding_.residual:
            output += fallback
        known = (np.diff(profiles.indptr) > 0)[:, None] & (self.encoding_.counts > 0)
        return np.where(known, output, fallback), self.counts_.astype(np.float64)

    @torch.no_grad()
    def _hidden(self, profiles: csr_array) -> torch.Tensor:
        """(m, H7): the last hidden layer of every profile."""
        inputs = self.encoding_.inputs(profiles)
        scale = self.encoding_.scale(np.diff(inputs.indptr))[:, None]
        parameters = self.network_.parameters
        dtype = parameters["first"].dtype
        blocks = []
        for start in range(0, inputs.shape[0], PROFILES_AT_ONCE):
            stop = start + PROFILES_AT_ONCE
            rows = SparseRows.of(inputs[start:stop], self.device_, dtype)
            factor = torch.from_numpy(scale[start:stop]).to(self.device_, dtype)
            sums = rows.times(parameters["first"]) * factor
            blocks.append(self.network_.activations(sums))
        return torch.cat(blocks) if blocks else parameters["last"].new_empty(0, 1)

    def _arrays(self) -> dict[str, NDArray]:
        tensors = self.network_.parameters.items()
        own = {f"network.{name}": tensor.cpu().numpy() for name, tensor in tensors}
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
        self.network_ = Network(parameters, self.config)


def check_config(config: AutoencoderConfig) -> None:
    """Raise ConfigurationError for values that cannot be trained."""
    known = {"loss": ("rmse", "mse"), "target": ("stars", "residual")}
    known["schedule"] = ("constant", "linear")
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
            **{
                name: (getattr(config, name) in choices, " or ".join(choices))
                for name, choices in known.items()
            },
        },
    )
