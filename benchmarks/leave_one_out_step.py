"""One training step of the autoencoder: the exact sparse form against the paper's dense form.

Both take the same examples through forward, backward and optimiser, with the same precision and
threads. The dense side does what the paper describes: whole profiles with the withheld rating at
zero, an output for every item, Adam on all weights (Linear layers, autograd, the fused optimiser).
The bound is the time of the matrix products of the middle layers alone.

    python benchmarks/leave_one_out_step.py                        # the paper's size, 10 GB
    python benchmarks/leave_one_out_step.py --items 10000 --shrink 4
    python benchmarks/leave_one_out_step.py --threads 1 4          # one measurement each

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

import numpy as np
from scipy.sparse import csr_array

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.runs import RunOptions

# After recommender.core, which enables large pages: torch asks for them when it first allocates.
import torch  # isort: skip

from recommender.core.algorithms.autoencoder.batches import BatchPlan, PassPlan
from recommender.core.algorithms.autoencoder.network import Network, draw_network
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask

PAPER = AutoencoderConfig()
EXAMPLES = 1_000
USERS = 50  # at least so many users have examples


def draw_ratings(n_users: int, n_items: int, seed: int) -> csr_array:
    """Half stars; profile sizes and popularity as skewed as in MovieLens (median 60 items)."""
    rng = np.random.default_rng(seed)
    sizes = np.clip(rng.lognormal(np.log(60), 1.2, n_users), 20, n_items // 4).astype(int)
    popularity = 1 / (np.arange(n_items) + 20.0)
    log_weights = np.log(popularity / popularity.sum())
    rows = [
        # Gumbel's trick: the largest keys are drawn without replacement by popularity
        np.sort(np.argpartition(-(log_weights + rng.gumbel(size=n_items)), size)[:size])
        for size in sizes
    ]
    stars = rng.integers(1, 11, int(sizes.sum())) / 2
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    shape = (n_users, n_items)
    return csr_array((stars.astype(np.float32), np.concatenate(rows), indptr), shape=shape)


@dataclass(frozen=True)
class Examples:
    """The examples that both sides learn from."""

    matrix: csr_array
    config: AutoencoderConfig
    encoding: Encoding
    plan: BatchPlan

    @classmethod
    def draw(cls, config: AutoencoderConfig, items: int, users: int) -> Examples:
        matrix = draw_ratings(users, items, seed=0)
        rows = np.repeat(np.arange(users), np.diff(matrix.indptr))
        rng = np.random.default_rng(0)
        plans = PassPlan.draw(rows, np.arange(matrix.nnz), config.withheld_per_user, rng)
        counts = np.bincount(matrix.indices, minlength=items)
        encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
        plan = next(plans.batches(config.batch_users, np.flatnonzero(counts), rng))
        if len(plan.withheld) < EXAMPLES:
            raise SystemExit(f"Only {len(plan.withheld)} examples. Give more --users.")
        profile_of = plan.profile_of[:EXAMPLES]
        plan = replace(
            plan,
            users=plan.users[: profile_of[-1] + 1],
            profile_of=profile_of,
            withheld=plan.withheld[:EXAMPLES],
            drawn=plan.drawn[:EXAMPLES],
            all_examples=EXAMPLES,
        )
        if (found := len(np.unique(plan.users))) < USERS:
            raise SystemExit(f"The examples are of {found} users, not {USERS}. Give more --users.")
        return cls(matrix, config, encoding, plan)

    def network(self) -> Network:
        return draw_network(self.config, self.matrix.shape[1], 0)

    def __len__(self) -> int:
        return len(self.plan.withheld)


class SparseStep:
    """Our step, including the assembly of the batch."""

    def __init__(self, examples: Examples) -> None:
        self.plan = examples.plan
        self.task = WithheldRatingsTask(
            examples.network(), examples.matrix, examples.encoding, examples.config, RunOptions()
        )

    def step(self) -> float:
        batch = self.task.prepare(self.plan)
        return float(np.sqrt(self.task.step(batch, 0.0, torch.Generator()).mean()))


class DenseStep:
    """The paper's step, from the same initial weights."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        start = examples.network()
        layers = []
        for own in (start.first, *start.middle, start.last):
            weight = own.weight.detach()
            weight = weight.T.contiguous() if own is start.first else weight  # (out, in)
            with torch.device("meta"):
                layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
            state = {"weight": weight, "bias": own.bias.detach()}
            layer.load_state_dict(state, assign=True)
            layers += [layer, torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*layers[:-1])
        self.optimiser = torch.optim.Adam(
            self.network.parameters(), lr=examples.config.learning_rate, fused=True
        )

    def step(self) -> float:
        plan, matrix = self.examples.plan, self.examples.matrix
        users, items = plan.users[plan.profile_of], matrix.indices[plan.withheld].astype(np.int64)
        inputs = torch.from_numpy(matrix[users].toarray())  # (E, n_items)
        everyone, withheld = torch.arange(len(users)), torch.from_numpy(items)
        stars = inputs[everyone, withheld].clone()
        inputs[everyone, withheld] = 0
        predicted = self.network(inputs).gather(1, withheld[:, None])[:, 0]
        loss = ((predicted - stars) ** 2).mean().sqrt()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())


def middle_products(config: AutoencoderConfig, examples: int) -> Callable[[], float]:
    """Measures the forward and both backward products of the layers between the large ones."""
    products = []
    for wide, narrow in zip(config.hidden[:-1], config.hidden[1:], strict=True):
        values, gradient = torch.randn(examples, wide), torch.randn(examples, narrow)
        weights = torch.randn(narrow, wide)
        products += [(values, weights.T), (gradient, weights), (gradient.T, values)]
    best = [np.inf] * len(products)

    def run() -> float:
        """Seconds: the sum of each product's shortest time so far."""
        for number, (left, right) in enumerate(products):
            start = time.perf_counter()
            left @ right
            best[number] = min(best[number], time.perf_counter() - start)
        return sum(best)

    return run


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(examples: Examples, repeat: int) -> dict[str, float]:
    """The shortest of ``repeat`` steps of each side, one side after the other to save memory.

    Other programs on the machine can only make a step longer. The bound is measured in turns with
    our steps.
    """
    n, losses, shortest = len(examples), {}, {}
    sides: dict[str, Callable[[], SparseStep | DenseStep]] = {
        "dense": lambda: DenseStep(examples),
        "ours": lambda: SparseStep(examples),
    }
    middle = middle_products(examples.config, n)
    middle()
    for name, make in sides.items():
        side = make()
        losses[name] = side.step()  # also warms up
        times = []
        for _ in range(repeat):
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
        "users": len(np.unique(examples.plan.users)),
        "loss": losses["ours"],
        **{f"{name}_ms_per_example": 1e3 * value / n for name, value in shortest.items()},
        "ratio": shortest["dense"] / shortest["ours"],
        "share_of_bound": shortest["bound"] / shortest["ours"],
        "load_average": os.getloadavg()[0],
    }


def table(threads: int, found: dict[str, float]) -> None:
    print(f"\n{threads} threads{'':23}{'ms per example':>15}")
    for label, key in (
        ("dense form", "dense"),
        ("exact sparse form (ours)", "ours"),
        ("bound: middle layers' products", "bound"),
    ):
        print(f"{label:32}{found[f'{key}_ms_per_example']:15.3f}")
    print(
        f"ours is {found['ratio']:.1f} times faster than dense, "
        f"{found['share_of_bound']:.0%} of the bound's speed"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=45_115)
    parser.add_argument("--shrink", type=int, default=1, help="divide the paper's layers by this")
    parser.add_argument(
        "--users", type=int, default=80, help="in the batch, of which 1,000 examples are taken"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/<this script>.json")
    options = parser.parse_args()
    config = AutoencoderConfig(
        hidden=tuple(width // options.shrink for width in PAPER.hidden),
        batch_users=options.users,
        withheld_per_user=16,
    )
    examples = Examples.draw(config, options.items, users=8 * options.users)
    print(f"{options.items} items, layers {list(config.hidden)}, {len(examples)} examples")
    runs = {}
    for threads in dict.fromkeys(options.threads):
        torch.set_num_threads(threads)
        runs[f"threads_{threads}"] = measure(examples, options.repeat)
        table(threads, runs[f"threads_{threads}"])
    facts = {
        "items": options.items,
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
