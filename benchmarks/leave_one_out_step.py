"""One training step of the autoencoder: the exact sparse form against the paper's dense one.

Both take the same examples through forward, backward and optimiser, with the same precision and
threads. The dense side does what the paper describes: whole profiles with the withheld rating at
zero, an output for every movie, Adam on all weights. The bound is what the middle layers' matrix
products alone would take.

    python benchmarks/leave_one_out_step.py            # a moderate size, under two minutes
    python benchmarks/leave_one_out_step.py --paper    # 45,115 movies; needs about 16 GB

Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array

from recommender.core.algorithms.autoencoder import WithheldRatings
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.withheld import Plan
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions

PAPER = AutoencoderConfig()


def synthetic(n_users: int, n_movies: int, seed: int) -> csr_array:
    """Half stars; profile sizes and popularity are skewed as in MovieLens (median 60 movies)."""
    rng = np.random.default_rng(seed)
    sizes = np.clip(rng.lognormal(np.log(60), 1.2, n_users), 20, n_movies // 4).astype(int)
    popularity = 1 / (np.arange(n_movies) + 20.0)
    log_weights = np.log(popularity / popularity.sum())
    rows = [
        # Gumbel's trick: the largest keys are a draw without replacement by popularity
        np.sort(np.argpartition(-(log_weights + rng.gumbel(size=n_movies)), size)[:size])
        for size in sizes
    ]
    stars = rng.integers(1, 11, int(sizes.sum())) / 2
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    shape = (n_users, n_movies)
    return csr_array((stars.astype(np.float32), np.concatenate(rows), indptr), shape=shape)


class Dense:
    """The paper's step, from the same starting weights."""

    def __init__(self, network: Network, config: AutoencoderConfig) -> None:
        start = network.parameters
        layers: list[torch.nn.Module] = []
        for name in ("first", *(f"middle.{i}" for i in range(network.n_middle)), "last"):
            weights = start[name].T if name == "first" else start[name]  # (out, in)
            layer = torch.nn.Linear(weights.shape[1], weights.shape[0])
            layer.weight.data.copy_(weights)
            layer.bias.data.copy_(start[f"{name}.bias"])
            layers += [layer, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)

    def step(self, matrix: csr_array, users: np.ndarray, movies: np.ndarray) -> float:
        profiles = torch.from_numpy(matrix[users].toarray())  # (E, n_movies)
        everyone, withheld = torch.arange(len(users)), torch.from_numpy(movies)
        stars = profiles[everyone, withheld].clone()
        profiles[everyone, withheld] = 0
        predicted = self.model(profiles).gather(1, withheld[:, None])[:, 0]
        loss = ((predicted - stars) ** 2).mean().sqrt()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())


def middle_products(config: AutoencoderConfig, examples: int) -> Callable[[], None]:
    """Forward, and both backward products, of the layers between the large ones."""
    shapes = list(zip(config.hidden[:-1], config.hidden[1:], strict=True))
    work = [
        (torch.randn(examples, a), torch.randn(b, a), torch.randn(examples, b)) for a, b in shapes
    ]

    def run() -> None:
        for values, weights, gradient in work:
            values @ weights.T
            gradient @ weights
            gradient.T @ values

    return run


def seconds(work: Callable[[], object], repeat: int) -> float:
    """The median of ``repeat`` runs after one to warm up."""
    taken = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def measure(config: AutoencoderConfig, movies: int, users: int, repeat: int) -> dict[str, float]:
    matrix = synthetic(users, movies, seed=0)
    network = Network.drawn(config, movies, 0, "cpu", torch.float32)
    dense = Dense(network, config)
    bias = BiasTerms.learn(matrix, BiasConfig())
    encoding = Encoding(bias, np.bincount(matrix.indices, minlength=movies), config)
    task = WithheldRatings(network, matrix, encoding, config, RunOptions())
    plan = Plan.draw(
        task.rows, np.arange(matrix.nnz), config.withheld_per_user, np.random.default_rng(0)
    )
    part = next(plan.batches(config.batch_users))
    rows, columns = task.rows[part[2]], matrix.indices[part[2]].astype(np.int64)
    generator = torch.Generator()

    def ours() -> float:
        errors = task.step(task.batch(*part), 0.0, generator)
        return float(np.sqrt(errors.mean()))

    first, wanted = ours(), dense.step(matrix, rows, columns)
    if abs(first - wanted) > 1e-3 * wanted:
        raise SystemExit(f"The two forms disagree: loss {first} against {wanted}.")
    n = len(rows)
    middle = seconds(middle_products(config, n), repeat)
    sparse_seconds = seconds(ours, repeat)
    dense_seconds = seconds(lambda: dense.step(matrix, rows, columns), max(2, repeat // 3))
    return {
        "examples": n,
        "users": len(np.unique(rows)),
        "loss": first,
        "ours_ms_per_example": 1e3 * sparse_seconds / n,
        "dense_ms_per_example": 1e3 * dense_seconds / n,
        "bound_ms_per_example": 1e3 * middle / n,
        "ratio": dense_seconds / sparse_seconds,
        "share_of_bound": middle / sparse_seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paper", action="store_true", help="the paper's movies and layers")
    parser.add_argument("--movies", type=int, default=10_000)
    parser.add_argument("--shrink", type=int, default=4, help="divide the paper's layers by this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/<this script>.json")
    options = parser.parse_args()
    movies, shrink = (45_115, 1) if options.paper else (options.movies, options.shrink)
    torch.set_num_threads(options.threads)
    config = AutoencoderConfig(
        hidden=tuple(width // shrink for width in PAPER.hidden),
        batch_users=64,
        withheld_per_user=16,
    )
    found = measure(config, movies, users=400, repeat=options.repeat)
    facts = {
        "movies": movies,
        "hidden": list(config.hidden),
        "threads": options.threads,
        "precision": "float32",
        "torch": torch.__version__,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
    print(f"{movies} movies, layers {list(config.hidden)}, {found['examples']} examples")
    print(f"{'':34}{'ms per example':>15}")
    for label, key in (
        ("dense, as the paper describes it", "dense"),
        ("exact sparse form (ours)", "ours"),
        ("bound: middle layers' products", "bound"),
    ):
        print(f"{label:34}{found[f'{key}_ms_per_example']:15.3f}")
    print(f"ours is {found['ratio']:.1f} times faster, {found['share_of_bound']:.0%} of the bound")
    default = Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
    target = options.out or default
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({**facts, **found}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
