"""The paper's autoencoder at the paper's full scale on one CUDA device.

Measures the card's matrix rate and a training: examples per second, the share of that rate, the
time for the paper's 30 passes, memory, the loss curve, and a profile of some steps. Then it
recommends the best item for 1,000 profiles. ``gpu_check.sh`` runs it with the tests for a GPU.

    python benchmarks/gpu_full_scale.py                        # one pass, then a profile
    python benchmarks/gpu_full_scale.py --passes 0.2           # a quick look
    python benchmarks/gpu_full_scale.py --limit 200            # at most so many seconds of training
    python benchmarks/gpu_full_scale.py --ratings var/workload/paper    # of workload.py
    python benchmarks/gpu_full_scale.py --users 2000 --items 1000 --ratings-of 100000 --device cpu

Without ``--ratings`` it draws a substitute of the same size and skew as the paper's data.
Needs torch 2.11 or newer, numpy, scipy and safetensors; not Django, not numba.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.runs import RunOptions
from recommender.core.systems import system

# After recommender.core, which sets environment variables that torch reads at import.
import torch  # isort: skip

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.algorithms.autoencoder.network import Network, draw_network
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.training.curve import LossCurve
from recommender.core.training.devices import half_precision, resolve_device
from recommender.core.training.prefetch import prefetch

PASSES = 30
PROFILED_STEPS = 5
TOP_1_PROFILES = 1_000


def draw_substitute(users: int, items: int, n_ratings: int, seed: int = 1) -> csr_array:
    """Half stars from eight hidden tastes; sizes and popularity as skewed as in MovieLens."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(0, 1.5, users)
    popularity = np.cumsum((np.arange(items) + 150.0) ** -1.6)
    # A pair may be drawn twice: draw half as many again, and keep as many pairs as requested.
    rows = np.repeat(np.arange(users), np.ceil(1.5 * n_ratings * sizes / sizes.sum()).astype(int))
    columns = np.searchsorted(popularity, rng.random(len(rows)) * popularity[-1])
    pairs = np.unique(rows * items + columns)
    if len(pairs) < n_ratings:
        raise SystemExit(
            "The matrix is too small for so many ratings. Give more --users or --items."
        )
    chosen = np.zeros(len(pairs), bool)
    chosen[rng.permutation(len(pairs))[:n_ratings]] = True
    rows, columns = np.divmod(pairs[chosen], items)
    tastes = [rng.normal(0, 0.35, (n, 8)).astype(np.float32) for n in (users, items)]
    likes = 3.5 + rng.normal(0, 0.4, users)[rows] + rng.normal(0, 0.4, items)[columns]
    likes += np.concatenate(
        [
            (tastes[0][rows[part]] * tastes[1][columns[part]]).sum(1)
            for part in np.array_split(np.arange(n_ratings), max(1, n_ratings // 1_000_000))
        ]
    )
    stars = np.clip(np.round(2 * (likes + rng.normal(0, 0.7, n_ratings))), 1, 10) / 2
    indptr = np.searchsorted(rows, np.arange(users + 1))
    shape = (users, items)
    return csr_array((stars.astype(np.float32), columns.astype(np.int32), indptr), shape=shape)


def read_workload(folder: Path) -> csr_array:
    """Ratings written by workload.py."""
    parts = {name: np.load(folder / f"{name}.npy") for name in ("indptr", "indices", "levels")}
    stars = parts["levels"].astype(np.float32) / 2
    return csr_array((stars, parts["indices"], parts["indptr"]))


def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Floating point operations per second of large square products, the best of several."""
    n = 8192 if device.startswith("cuda") else 2048
    left, right = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(20):
        synchronise(device)
        start = time.perf_counter()
        left @ right
        synchronise(device)
        best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best


def flop_per_example(config: AutoencoderConfig) -> float:
    """Of the middle layers and one row at both ends, forward and backward, without profile sums."""
    middle = sum(a * b for a, b in zip(config.hidden[:-1], config.hidden[1:], strict=True))
    return 6.0 * middle + 6.0 * (config.hidden[0] + config.hidden[-1])


def synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def train(
    task: WithheldRatingsTask, device: str, passes: float, limit: float = math.inf
) -> dict[str, Any]:
    """Train as ``train_task`` does, for a number of passes, which may be a fraction, or until
    ``limit`` seconds have passed."""
    total, done, curve, plan_seconds = passes * task.n_examples, 0, LossCurve(), 0.0
    generator = torch.Generator(device).manual_seed(0)
    synchronise(device)
    started = told = time.perf_counter()
    for epoch in range(int(np.ceil(passes))):
        drawn_at = time.perf_counter()
        parts = iter(task.batches(np.random.default_rng([0, epoch])))
        plan_seconds += time.perf_counter() - drawn_at
        for batch in prefetch(task.prepare, parts, device):
            errors = task.step(batch, done / total, generator)
            done += len(errors)
            curve.add(errors)
            if time.perf_counter() - told > 5:
                told = time.perf_counter()
                rate = done / (told - started)
                print(f"  {done:,} of {total:,.0f} examples, {rate:,.0f} a second", flush=True)
            if done >= total or time.perf_counter() - started > limit:
                break
        if done >= total or time.perf_counter() - started > limit:
            break
    synchronise(device)
    seconds = time.perf_counter() - started
    return {
        "examples": done,
        "seconds": seconds,
        "plan_seconds": plan_seconds,
        "examples_per_second": done / seconds,
        "loss_curve": curve.thinned(),
    }


def time_top_1(
    matrix: csr_array, network: Network, encoding: Encoding, config: AutoencoderConfig, device: str
) -> float:
    """Seconds to recommend the best item for 1,000 profiles drawn at random."""
    learned = {
        f"network.{name}": tensor.detach().float().cpu().numpy()
        for name, tensor in network.stored_parameters().items()
    }
    nothing = np.empty(0)
    model = Autoencoder.from_arrays(
        config,
        {
            **learned,
            **encoding.bias.to_arrays(),
            "learned.counts": encoding.counts,
            "profiles.indptr": matrix.indptr,
            "profiles.indices": matrix.indices,
            "profiles.values": matrix.data,
            "n_items": np.array([matrix.shape[1]]),
            "scale": np.array([0.5, 5.0, 0.5]),
            "seed": np.array([0]),
            "train_rmse": nothing,
            "loss_curve": nothing.reshape(-1, 2),
        },
    ).to(device)
    chosen = np.sort(np.random.default_rng(0).permutation(matrix.shape[0])[:TOP_1_PROFILES])
    profiles = matrix[chosen]
    model.recommend(profiles[:10], 1)  # warms up
    synchronise(device)
    started = time.perf_counter()
    model.recommend(profiles, 1)
    synchronise(device)
    return time.perf_counter() - started


def profile(task: WithheldRatingsTask, device: str) -> str:
    """A profile of a few steps; the assembly of the batches is measured separately."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.startswith("cuda"):
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    parts = list(islice(task.batches(np.random.default_rng(9)), PROFILED_STEPS))
    started = time.perf_counter()
    batches = [task.prepare(part) for part in parts]
    assembly = (time.perf_counter() - started) / max(1, len(parts))
    generator = torch.Generator(device).manual_seed(0)
    with torch.profiler.profile(activities=activities) as watched:
        for batch in batches:
            task.step(batch, 0.0, generator)
        synchronise(device)
    by = "self_cuda_time_total" if len(activities) > 1 else "self_cpu_time_total"
    table = watched.key_averages().table(sort_by=by, row_limit=25, max_name_column_width=60)
    return f"assembly of a batch: {1e3 * assembly:.1f} ms\n{table}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ratings", type=Path, help="a folder of workload.py")
    parser.add_argument("--users", type=int, default=270_896)
    parser.add_argument("--items", type=int, default=45_115)
    parser.add_argument("--ratings-of", type=int, default=26_024_289, help="of the substitute")
    parser.add_argument("--shrink", type=int, default=1, help="divide the paper's layers by this")
    paper = system("autoencoder").preset("paper-large")[1]
    parser.add_argument("--batch-users", type=int, default=paper.batch_users)
    parser.add_argument("--withheld-per-user", type=int, default=paper.withheld_per_user)
    parser.add_argument("--learning-rate", type=float, default=paper.learning_rate)
    parser.add_argument("--passes", type=float, default=1.0)
    parser.add_argument("--limit", type=float, default=math.inf, help="seconds of training")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/<this script>.json")
    wish = parser.parse_args()

    options = RunOptions(device=resolve_device(wish.device), precision=wish.precision)
    device, half = options.device, half_precision(options)
    config = replace(
        paper,
        hidden=tuple(width // wish.shrink for width in paper.hidden),
        batch_users=wish.batch_users,
        withheld_per_user=wish.withheld_per_user,
        learning_rate=wish.learning_rate,
    )
    started = time.perf_counter()
    matrix = (
        read_workload(wish.ratings)
        if wish.ratings
        else draw_substitute(wish.users, wish.items, wish.ratings_of)
    )
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    print(
        f"{matrix.shape[0]:,} users, {matrix.shape[1]:,} items, {matrix.nnz:,} ratings; largest "
        f"profile {np.diff(matrix.indptr).max():,}, top item {counts.max():,}, sum of squared "
        f"item counts {float((counts.astype(float) ** 2).sum()):.3g}; made in "
        f"{time.perf_counter() - started:.0f} s",
        flush=True,
    )
    bias = BiasTerms.learn(matrix, BiasConfig())
    network = draw_network(config, matrix.shape[1], 0, device, half=half)
    encoding = Encoding(bias, counts, config)
    task = WithheldRatingsTask(network, matrix, encoding, config, options)
    rate = matrix_rate(device, half or torch.float32)
    train(task, device, min(wish.passes, 20 * wish.batch_users * 8 / matrix.nnz))  # warms up
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    found = train(task, device, wish.passes, wish.limit)
    used = found["examples_per_second"] * flop_per_example(config)
    pass_seconds = matrix.nnz / found["examples_per_second"]
    facts = {
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu",
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "precision": str(half or torch.float32),
        "ratings": str(wish.ratings.name if wish.ratings else "substitute"),
        "n_users": matrix.shape[0],
        "n_items": matrix.shape[1],
        "n_ratings": int(matrix.nnz),
        "hidden": list(config.hidden),
        "batch_users": config.batch_users,
        "withheld_per_user": config.withheld_per_user,
        "matrix_rate_tflops": rate / 1e12,
        "used_tflops": used / 1e12,
        "share_of_matrix_rate": used / rate,
        "minutes_for_30_passes": PASSES * pass_seconds / 60,
        "peak_memory_gb": torch.cuda.max_memory_allocated(device) / 1e9
        if device.startswith("cuda")
        else None,
        "top_1_seconds": time_top_1(matrix, network, encoding, config, device),
        **found,
    }
    for name in (
        *("device", "precision", "matrix_rate_tflops", "used_tflops", "share_of_matrix_rate"),
        *("examples_per_second", "plan_seconds", "minutes_for_30_passes", "peak_memory_gb"),
        "top_1_seconds",
    ):
        value = facts[name]
        print(f"{name:24} {value:,.3f}" if isinstance(value, float) else f"{name:24} {value}")
    curve = facts["loss_curve"]
    for seen, loss in curve[:: max(1, len(curve) // 12)]:
        print(f"  after {seen:>12,} examples  RMSE {loss:.4f}")
    facts["profile"] = profile(task, device)
    print(facts["profile"])
    default = Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
    target = wish.out or default
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
