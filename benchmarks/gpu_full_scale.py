"""The paper's autoencoder at the paper's full scale on one CUDA device.

Measures the card's matrix rate, then trains: examples per second, their share of that rate, time
for the paper's 30 passes, memory, the loss curve; and where the time goes, by torch's profiler.

    python benchmarks/gpu_full_scale.py                        # one pass, then a profile
    python benchmarks/gpu_full_scale.py --passes 0.2           # a quick look
    python benchmarks/gpu_full_scale.py --ratings var/workload/paper    # of workload.py
    python benchmarks/gpu_full_scale.py --users 2000 --movies 1000 --ratings-of 100000 --device cpu

Without ``--ratings`` it draws a stand-in: users, movies and ratings as in the paper, skewed alike.
Needs torch 2.11 or newer, numpy, scipy and safetensors; not Django, not numba.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions, system

# After recommender.core, which sets what torch reads when it is loaded.
import torch  # isort: skip

from recommender.core.algorithms.network import Network
from recommender.core.algorithms.withheld_ratings import WithheldRatings
from recommender.core.training import LossCurve, half_precision, resolve_device
from recommender.core.training.ahead import ahead

PASSES = 30
PROFILED_STEPS = 5


def stand_in(users: int, movies: int, n_ratings: int, seed: int = 1) -> csr_array:
    """Half stars from eight hidden tastes; sizes and popularity are skewed as in MovieLens."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(0, 1.5, users)
    popularity = np.cumsum((np.arange(movies) + 150.0) ** -1.6)
    # A pair may be drawn twice and counts once: half as many again, then as many as are wanted.
    rows = np.repeat(np.arange(users), np.ceil(1.5 * n_ratings * sizes / sizes.sum()).astype(int))
    columns = np.searchsorted(popularity, rng.random(len(rows)) * popularity[-1])
    pairs = np.unique(rows * movies + columns)
    if len(pairs) < n_ratings:
        raise SystemExit("So many ratings do not fit. Give more --users or --movies.")
    chosen = np.zeros(len(pairs), bool)
    chosen[rng.permutation(len(pairs))[:n_ratings]] = True
    rows, columns = np.divmod(pairs[chosen], movies)
    tastes = [rng.normal(0, 0.35, (n, 8)).astype(np.float32) for n in (users, movies)]
    likes = 3.5 + rng.normal(0, 0.4, users)[rows] + rng.normal(0, 0.4, movies)[columns]
    likes += np.concatenate(
        [
            (tastes[0][rows[part]] * tastes[1][columns[part]]).sum(1)
            for part in np.array_split(np.arange(n_ratings), max(1, n_ratings // 1_000_000))
        ]
    )
    stars = np.clip(np.round(2 * (likes + rng.normal(0, 0.7, n_ratings))), 1, 10) / 2
    indptr = np.searchsorted(rows, np.arange(users + 1))
    shape = (users, movies)
    return csr_array((stars.astype(np.float32), columns.astype(np.int32), indptr), shape=shape)


def loaded(folder: Path) -> csr_array:
    """Ratings that workload.py wrote."""
    parts = {name: np.load(folder / f"{name}.npy") for name in ("indptr", "indices", "levels")}
    stars = parts["levels"].astype(np.float32) / 2
    return csr_array((stars, parts["indices"], parts["indptr"]))


def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Floating point operations a second of large square products, the best of several."""
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
    """Forward and backward of the layers between, and one row at both ends (no profile's sum)."""
    middle = sum(a * b for a, b in zip(config.hidden[:-1], config.hidden[1:], strict=True))
    return 6.0 * middle + 6.0 * (config.hidden[0] + config.hidden[-1])


def synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def train(task: WithheldRatings, device: str, passes: float) -> dict[str, Any]:
    """So much of a pass or so many passes, as ``core.training.train`` takes them."""
    total, done, curve, plan_seconds = passes * task.n_examples, 0, LossCurve(), 0.0
    generator = torch.Generator(device).manual_seed(0)
    synchronise(device)
    started = told = time.perf_counter()
    for epoch in range(int(np.ceil(passes))):
        drawn_at = time.perf_counter()
        parts = iter(task.batches(np.random.default_rng([0, epoch])))
        plan_seconds += time.perf_counter() - drawn_at
        for batch in ahead(task.prepare, parts, device):
            errors = task.step(batch, done / total, generator)
            done += len(errors)
            curve.add(errors)
            if time.perf_counter() - told > 5:
                told = time.perf_counter()
                rate = done / (told - started)
                print(f"  {done:,} of {total:,.0f} examples, {rate:,.0f} a second", flush=True)
            if done >= total:
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


def profile(task: WithheldRatings, device: str) -> str:
    """Where a few steps spend their time; assembly of the batches is measured apart."""
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
    parser.add_argument("--movies", type=int, default=45_115)
    parser.add_argument("--ratings-of", type=int, default=26_024_289, help="ratings of a stand-in")
    parser.add_argument("--shrink", type=int, default=1, help="divide the paper's layers by this")
    paper = system("autoencoder").preset("paper-large")[1]
    parser.add_argument("--batch-users", type=int, default=paper.batch_users)
    parser.add_argument("--withheld-per-user", type=int, default=paper.withheld_per_user)
    parser.add_argument("--learning-rate", type=float, default=paper.learning_rate)
    parser.add_argument("--passes", type=float, default=1.0)
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
        loaded(wish.ratings) if wish.ratings else stand_in(wish.users, wish.movies, wish.ratings_of)
    )
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    print(
        f"{matrix.shape[0]:,} users, {matrix.shape[1]:,} movies, {matrix.nnz:,} ratings; largest "
        f"profile {np.diff(matrix.indptr).max():,}, top movie {counts.max():,}, sum of squared "
        f"movie counts {float((counts.astype(float) ** 2).sum()):.3g}; made in "
        f"{time.perf_counter() - started:.0f} s",
        flush=True,
    )
    bias = BiasTerms.learn(matrix, BiasConfig())
    network = Network.drawn(config, matrix.shape[1], 0, device, torch.float32, half)
    task = WithheldRatings(network, matrix, Encoding(bias, counts, config), config, options)
    rate = matrix_rate(device, half or torch.float32)
    train(task, device, min(wish.passes, 20 * wish.batch_users * 8 / matrix.nnz))  # warms up
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    found = train(task, device, wish.passes)
    used = found["examples_per_second"] * flop_per_example(config)
    pass_seconds = matrix.nnz / found["examples_per_second"]
    facts = {
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu",
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "precision": str(half or torch.float32),
        "ratings": str(wish.ratings.name if wish.ratings else "stand-in"),
        "n_users": matrix.shape[0],
        "n_movies": matrix.shape[1],
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
        **found,
    }
    for name in (
        *("device", "precision", "matrix_rate_tflops", "used_tflops", "share_of_matrix_rate"),
        *("examples_per_second", "plan_seconds", "minutes_for_30_passes", "peak_memory_gb"),
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
