"""The items that excite one bottleneck neuron of an autoencoder (the paper's Table I)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.multiple_testing import holm
from recommender.core.runs import Progress, ignore_progress

READINGS = ("ascent", "gradient", "decoder")
LIST_LENGTH = 10  # items of a cluster, as in the paper's Table I
FEWEST_CANDIDATES = 50
POPULAR = 50  # ratings of an item, for the lists without rarely rated items
ASCENT_STEPS = 40
ASCENT_RATE = 0.2  # share of the way to the optimum of a linear neuron in one step
PROFILES = 2_000  # profiles of which activations are measured, at most
RANDOM_LISTS = 100_000
CELLS_AT_ONCE = 20_000_000  # inputs optimised together


@dataclass(frozen=True, eq=False)
class Clusters:
    """For each of K neurons the items that excite it most, by one reading of the paper.

    ``items`` (K, LIST_LENGTH) are positions, best first. ``genre`` (K) is the position of the genre
    that stands out most in the list, ``lift`` (K) its share in the list over its share among all
    candidates, ``p`` (K) the probability that some genre stands out as much in a random list, and
    ``p_holm`` (K) the same after Holm's correction over the neurons. ``p_all`` (K) is corrected
    over all neurons in all readings, for statements that choose among the readings.
    """

    reading: str
    minimum_ratings: int
    items: NDArray[np.int64]
    genre: NDArray[np.int64]
    lift: NDArray[np.float64]
    p: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    p_all: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Neurons:
    """``activations`` (K) are the means over profiles; ``dead`` (K): no profile activates it."""

    clusters: list[Clusters]
    activations: NDArray[np.float64]
    dead: NDArray[np.bool_]
    n_profiles: int


def examine_neurons(
    model: Autoencoder,
    genres: NDArray[np.bool_],
    *,
    seed: int = 0,
    progress: Callable[[Progress], None] = ignore_progress,
) -> Neurons:
    """Read the bottleneck of a trained autoencoder in three ways (paper, section III-A.4).

    ``ascent``: a profile is optimised to excite the neuron, by gradient ascent from the mean
    profile with an L2 penalty on its distance; its items are ordered by how far they rose. The
    penalty is such that a linear neuron would move by the mean length of a profile. Inputs stay
    between those of the lowest and the highest rating. ``gradient``: the first step of it, the
    derivative at the mean profile. ``decoder``: only this neuron is set, to its mean activation,
    and items are ordered by how far their outputs rise above those of an empty bottleneck.

    ``genres`` (n_items, n_genres) says which items have which genre. Each reading is done for all
    items with a training rating, and for those with at least 50. With fewer than 50 such items
    there is no list of them.
    """
    sample = np.flatnonzero(np.diff(model.profiles_.indptr))
    if len(sample) > PROFILES:
        sample = np.sort(np.random.default_rng(seed).permutation(sample)[:PROFILES])
    codes, mean, length = _codes(model, sample)
    excited = _excitements(model, mean, length, codes.mean(0), progress)
    found = []
    for minimum in (1, POPULAR):
        candidates = np.flatnonzero(model.counts_ >= minimum)
        if len(candidates) < FEWEST_CANDIDATES:
            continue
        test = GenreTest(genres[candidates], seed)
        for reading in READINGS:
            order = np.argsort(-excited[reading][:, candidates], axis=1, kind="stable")
            best = order[:, :LIST_LENGTH]
            genre, lift, p = test.judge(best)
            found.append((reading, minimum, candidates[best], genre, lift, p))
    corrected = np.array(holm([p for parts in found for p in parts[-1]]))
    clusters = [
        Clusters(*parts, np.array(holm(parts[-1].tolist())), p_all)
        for parts, p_all in zip(found, corrected.reshape(-1, codes.shape[1]), strict=True)
    ]
    return Neurons(clusters, codes.mean(0), np.all(codes <= 0, axis=0), len(sample))


class GenreTest:
    """Whether a genre stands out in a list more than in lists drawn at random.

    The statistic of a list is the smallest of the genres' hypergeometric tail probabilities; its
    distribution is that of 100,000 random lists, so no genre is chosen after the fact. p-values
    are at least 1e-5, small enough for Holm's correction over a few thousand lists.
    """

    def __init__(self, genres: NDArray[np.bool_], seed: int) -> None:
        n = len(genres)
        self._known = np.flatnonzero(genres.any(0))  # genres that some candidate has
        self._genres = genres[:, self._known]
        counts = np.arange(LIST_LENGTH + 1)
        #: (known genres, LIST_LENGTH + 1): P(at least this many of the list have the genre)
        self._tails = hypergeom.sf(counts - 1, n, self._genres.sum(0)[:, None], LIST_LENGTH)
        rng, drawn = np.random.default_rng(seed), np.empty(0)
        while len(self._known) and len(drawn) < RANDOM_LISTS:
            lists = np.sort(rng.integers(n, size=(RANDOM_LISTS // 5, LIST_LENGTH)), axis=1)
            distinct = lists[(np.diff(lists, axis=1) > 0).all(1)]
            drawn = np.append(drawn, self._statistics(distinct)[1])
        self._random = np.sort(drawn[:RANDOM_LISTS])

    def judge(
        self, lists: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Genre, lift and p (K) of lists (K, LIST_LENGTH) of candidates.

        If no candidate has a genre, the genre is -1, the lift 0 and p 1.
        """
        n = len(lists)
        if not len(self._known):
            return np.full(n, -1), np.zeros(n), np.ones(n)
        place, smallest = self._statistics(lists)
        share = self._genres[lists, place[:, None]].mean(1)
        # Equal statistics may differ by rounding.
        as_extreme = np.searchsorted(self._random, smallest * (1 + 1e-9), side="right")
        lift = share / self._genres.mean(0)[place]
        return self._known[place], lift, (1 + as_extreme) / (1 + RANDOM_LISTS)

    def _statistics(
        self, lists: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The known genre with the smallest tail probability, and the probability (n)."""
        columns = zip(self._tails, self._genres.T, strict=True)
        tails = np.stack([tail[column[lists].sum(1)] for tail, column in columns], axis=1)
        place = tails.argmin(1)
        return place, tails[np.arange(len(lists)), place]


@torch.no_grad()
def _codes(
    model: Autoencoder, sample: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(n, K) activations of sampled profiles, their mean input (n_items) and mean length."""
    inputs = model.encoding_.inputs(model.profiles_[sample])
    scale = model.encoding_.scale(np.diff(inputs.indptr))
    first = model.network_.first
    rows = SparseMatrix.from_scipy(inputs, model.device_, first.weight.dtype)
    factor = torch.from_numpy(scale).to(first.weight)[:, None]
    codes = _encode(model, rows.times(first.weight) * factor + first.bias).relu()
    mean = (inputs.T @ scale) / len(sample)
    lengths = np.sqrt(inputs.multiply(inputs).sum(1)) * scale
    return codes.cpu().numpy().astype(np.float64), np.asarray(mean), float(lengths.mean())


def _encode(model: Autoencoder, sums: torch.Tensor) -> torch.Tensor:
    """(n, H1) pre-activations of the first layer -> (n, K) those of the bottleneck.

    Before the ReLU, because a neuron that is off at the mean profile has no gradient after it.
    """
    network = model.network_
    for layer in network.middle[: network.bottleneck]:
        sums = layer(sums.relu())
    return sums


def _excitements(
    model: Autoencoder,
    mean: NDArray[np.float64],
    length: float,
    activations: NDArray[np.float64],
    progress: Callable[[Progress], None],
) -> dict[str, NDArray[np.float32]]:
    """For each reading (K, n_items): how much each item excites each neuron."""
    first = model.network_.first.weight
    shares = torch.from_numpy(model.encoding_.shares).to(first)
    start = torch.from_numpy(mean).to(first)
    low, high = (bound.to(first) for bound in _bounds(model, mean))
    n_neurons, n_items = len(activations), len(mean)
    found = {name: np.empty((n_neurons, n_items), np.float32) for name in READINGS}
    found["decoder"][:] = _decoded(model, activations, shares).cpu().numpy()
    block = max(1, CELLS_AT_ONCE // n_items)
    for at in range(0, n_neurons, block):
        progress(Progress("exciting neurons", at, n_neurons))
        neurons = torch.arange(at, min(at + block, n_neurons), device=first.device)
        inputs = start.expand(len(neurons), -1).clone()
        slope = _slopes(model, inputs, neurons)
        found["gradient"][at : at + block] = (slope * shares).cpu().numpy()
        steepness = slope.norm(dim=1, keepdim=True)
        penalty = (steepness / length).clamp(min=torch.finfo(first.dtype).tiny)
        for step in range(ASCENT_STEPS):
            if step:
                progress(Progress("exciting neurons", at, n_neurons))
                slope = _slopes(model, inputs, neurons)
            inputs += ASCENT_RATE * (slope / penalty - (inputs - start))
            inputs = torch.minimum(torch.maximum(inputs, low), high)
        found["ascent"][at : at + block] = (inputs - start).cpu().numpy()
    return found


def _bounds(model: Autoencoder, mean: NDArray[np.float64]) -> tuple[torch.Tensor, torch.Tensor]:
    """(n_items) The inputs of the lowest and the highest rating, and of none; around the mean."""
    encoding, scale = model.encoding_, model.scale_
    centre = encoding.bias.item_means() if encoding.residual else np.zeros(len(mean))
    lowest = np.minimum(0, (scale.minimum - centre) * encoding.shares)
    highest = np.maximum(0, (scale.maximum - centre) * encoding.shares)
    return (
        torch.from_numpy(np.minimum(lowest, mean)),
        torch.from_numpy(np.maximum(highest, mean)),
    )


def _slopes(model: Autoencoder, inputs: torch.Tensor, neurons: torch.Tensor) -> torch.Tensor:
    """(k, n_items) The derivative of neuron ``neurons[i]`` by the inputs of row i."""
    first = model.network_.first
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        values = _encode(model, inputs @ first.weight.detach() + first.bias.detach())
        chosen = values.gather(1, neurons[:, None]).sum()
        return torch.autograd.grad(chosen, inputs)[0]


@torch.no_grad()
def _decoded(
    model: Autoencoder, activations: NDArray[np.float64], shares: torch.Tensor
) -> torch.Tensor:
    """(K, n_items) Outputs with one neuron set to its mean activation, less those with none.

    A neuron that is never active is set to 1.
    """
    network = model.network_
    strength = torch.from_numpy(np.where(activations > 0, activations, 1)).to(shares)
    values = torch.cat([torch.diag(strength), shares.new_zeros(1, len(strength))])
    for layer in network.middle[network.bottleneck :]:
        values = layer(values).relu()
    outputs = network.all_outputs(values) * shares[:, None]
    means = torch.from_numpy(model.encoding_.bias.item_means()).to(outputs)
    stars = model.encoding_.stars(outputs, means)
    return stars[:-1] - stars[-1]
