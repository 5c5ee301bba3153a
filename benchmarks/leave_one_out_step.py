"""One training step of the autoencoder: the exact sparse form against the paper's dense one.

Both take the same examples through forward, backward and optimiser, with the same precision and
threads. The dense side does what the paper describes: whole profiles with the withheld rating at
zero, an output for every movie, Adam on all weights, as torch has it (Linear layers, autograd, the
fused optimiser); a second time with the matrix kernels that ours uses, so that what they gain is
not counted for us. The bound is what the middle layers' matrix products alone take, with the
faster kernels for each product.

    python benchmarks/leave_one_out_step.py                        # the paper's size, 10 GB
    python benchmarks/leave_one_out_step.py --movies 10000 --shrink 4
    python benchmarks/leave_one_out_step.py --threads 1 4          # one measurement for each

Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions

# After recommender.core, which chooses large pages: torch asks for them when it first allocates.
import torch  # isort: skip

from recommender.core.algorithms.network import Network
from recommender.core.algorithms.plan import Part, Plan
from recommender.core.algorithms.products import product
from recommender.core.algorithms.withheld_ratings import WithheldRatings

PAPER = AutoencoderConfig()
EXAMPLES = 1_000
USERS = 50  # that they are of at least


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


@dataclass(frozen=True)
class Examples:
    """What both sides learn from."""

    matrix: csr_array
    config: AutoencoderConfig
    encoding: Encoding
    part: Part

    @classmethod
    def drawn(cls, config: AutoencoderConfig, movies: int, users: int) -> Examples:
        matrix = synthetic(users, movies, seed=0)
        rows = np.repeat(np.arange(users), np.diff(matrix.indptr))
        rng = np.random.default_rng(0)
        plan = Plan.draw(rows, np.arange(matrix.nnz), config.withheld_per_user, rng)
        counts = np.bincount(matrix.indices, minlength=movies)
        encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
        part = next(plan.parts(config.batch_users, np.flatnonzero(counts), rng))
        if len(part.entries) < EXAMPLES:
            raise SystemExit(f"{len(part.entries)} examples only. Give more --users.")
        task_of = part.task_of[:EXAMPLES]
        part = replace(
            part,
            users=part.users[: task_of[-1] + 1],
            task_of=task_of,
            entries=part.entries[:EXAMPLES],
            drawn=part.drawn[:EXAMPLES],
            all_examples=EXAMPLES,
        )
        if (found := len(np.unique(part.users))) < USERS:
            raise SystemExit(f"The examples are of {found} users, not {USERS}. Give more --users.")
        return cls(matrix, config, encoding, part)

    def network(self) -> Network:
        return Network.drawn(self.config, self.matrix.shape[1], 0, "cpu", torch.float32)

    def __len__(self) -> int:
        return len(self.part.entries)


class Sparse:
    """Ours, assembly of the batch included."""

    def __init__(self, examples: Examples) -> None:
        self.part = examples.part
        self.task = WithheldRatings(
            examples.network(), examples.matrix, examples.encoding, examples.config, RunOptions()
        )

    def step(self) -> float:
        batch = self.task.prepare(self.part)
        return float(np.sqrt(self.task.step(batch, 0.0, torch.Generator()).mean()))


class OurKernels(torch.autograd.Function):
    """A linear layer by the products that ours uses."""

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(values, weights)
        return product(values, weights.T).add_(bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        values, weights = ctx.saved_tensors
        (gradient,) = gradients
        back = product(gradient, weights) if ctx.needs_input_grad[0] else None
        return back, product(gradient.T, values), gradient.sum(0)


class Dense:
    """The paper's step, from the same starting weights."""

    def __init__(self, examples: Examples, *, our_kernels: bool) -> None:
        self.examples, self.our_kernels = examples, our_kernels
        start = examples.network().parameters
        names = ["first", *(f"middle.{i}" for i in range(len(examples.config.hidden) - 1)), "last"]
        self.layers = []
        for name in names:
            weights = start.pop(name)  # not kept twice
            weights = weights.T.contiguous() if name == "first" else weights  # (out, in)
            self.layers.append(
                (weights.requires_grad_(), start.pop(f"{name}.bias").requires_grad_())
            )
        parameters = [tensor for layer in self.layers for tensor in layer]
        rate = examples.config.learning_rate
        self.optimiser = torch.optim.Adam(parameters, lr=rate, fused=True)

    def step(self) -> float:
        part, matrix = self.examples.part, self.examples.matrix
        users, movies = part.users[part.task_of], matrix.indices[part.entries].astype(np.int64)
        values = torch.from_numpy(matrix[users].toarray())  # (E, n_movies)
        everyone, withheld = torch.arange(len(users)), torch.from_numpy(movies)
        stars = values[everyone, withheld].clone()
        values[everyone, withheld] = 0
        for number, (weights, bias) in enumerate(self.layers):
            values = torch.relu(values) if number else values
            if self.our_kernels:
                values = OurKernels.apply(values, weights, bias)
            else:
                values = torch.nn.functional.linear(values, weights, bias)
        predicted = values.gather(1, withheld[:, None])[:, 0]
        loss = ((predicted - stars) ** 2).mean().sqrt()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())


def middle_products(config: AutoencoderConfig, examples: int) -> Callable[[], float]:
    """Seconds for the forward and both backward products of the layers between the large ones."""
    layers = [
        (torch.randn(examples, wide), torch.randn(narrow, wide), torch.randn(examples, narrow))
        for wide, narrow in zip(config.hidden[:-1], config.hidden[1:], strict=True)
    ]
    best: dict[tuple[int, int, Any], float] = {}

    def run() -> float:
        """The sum over the products of the shortest so far, by the faster kernel for each."""
        for layer, (values, weights, gradient) in enumerate(layers):
            pairs = ((values, weights.T), (gradient, weights), (gradient.T, values))
            for number, (left, right) in enumerate(pairs):
                for kernel in (torch.matmul, product):
                    start = time.perf_counter()
                    kernel(left, right)
                    key = (layer, number, kernel)
                    best[key] = min(best.get(key, np.inf), time.perf_counter() - start)
        return sum(
            min(best[layer, number, kernel] for kernel in (torch.matmul, product))
            for layer in range(len(layers))
            for number in range(3)
        )

    return run


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(examples: Examples, repeat: int) -> dict[str, float]:
    """The shortest of ``repeat`` steps of each side, one side after the other to save memory.

    The shortest, since other programs on the machine can only make a step longer; the bound is
    measured in turns with ours.
    """
    n, losses, shortest = len(examples), {}, {}
    sides: dict[str, Callable[[], Sparse | Dense]] = {
        "dense": lambda: Dense(examples, our_kernels=False),
        "dense_our_kernels": lambda: Dense(examples, our_kernels=True),
        "ours": lambda: Sparse(examples),
    }
    middle = middle_products(examples.config, n)
    middle()
    for name, make in sides.items():
        side = make()
        losses[name] = side.step()  # which warms up, too
        times = []
        for _ in range(repeat):  # as often each: the shortest of many is shorter than that of few
            times.append(timed(side.step))
            if name == "ours":
                shortest["bound"] = middle()
        shortest[name] = min(times)
        del side
        gc.collect()
    wanted = losses["dense"]
    if max(abs(loss - wanted) for loss in losses.values()) > 1e-3 * wanted:
        raise SystemExit(f"The two forms disagree on the loss: {losses}.")
    return {
        "examples": n,
        "users": len(np.unique(examples.part.users)),
        "loss": losses["ours"],
        **{f"{name}_ms_per_example": 1e3 * value / n for name, value in shortest.items()},
        "ratio": shortest["dense"] / shortest["ours"],
        "ratio_same_kernels": shortest["dense_our_kernels"] / shortest["ours"],
        "share_of_bound": shortest["bound"] / shortest["ours"],
        "load_average": os.getloadavg()[0],
    }


def table(threads: int, found: dict[str, float]) -> None:
    print(f"\n{threads} threads{'':23}{'ms per example':>15}")
    for label, key in (
        ("dense, as torch has it", "dense"),
        ("dense, by our kernels", "dense_our_kernels"),
        ("exact sparse form (ours)", "ours"),
        ("bound: middle layers' products", "bound"),
    ):
        print(f"{label:32}{found[f'{key}_ms_per_example']:15.3f}")
    print(
        f"ours is {found['ratio']:.1f} times faster than dense, "
        f"{found['ratio_same_kernels']:.1f} by the same kernels, "
        f"{found['share_of_bound']:.0%} of the bound's speed"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=45_115)
    parser.add_argument("--shrink", type=int, default=1, help="divide the paper's layers by this")
    parser.add_argument("--users", type=int, default=80, help="of the batch that is cut")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/<this script>.json")
    options = parser.parse_args()
    config = AutoencoderConfig(
        hidden=tuple(width // options.shrink for width in PAPER.hidden),
        batch_users=options.users,
        withheld_per_user=16,
    )
    examples = Examples.drawn(config, options.movies, users=8 * options.users)
    print(f"{options.movies} movies, layers {list(config.hidden)}, {len(examples)} examples")
    runs = {}
    for threads in dict.fromkeys(options.threads):
        torch.set_num_threads(threads)
        runs[f"threads_{threads}"] = measure(examples, options.repeat)
        table(threads, runs[f"threads_{threads}"])
    facts = {
        "movies": options.movies,
        "hidden": list(config.hidden),
        "precision": "float32",
        "torch": torch.__version__,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
    default = Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
    target = options.out or default
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({**facts, **runs}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
