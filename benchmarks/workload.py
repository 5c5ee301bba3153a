"""Seeded synthetic ratings with the shape of a MovieLens edition, streamed to disk.

    python benchmarks/workload.py paper var/workload/paper          # 26 million ratings: 20 s
    python benchmarks/workload.py paper var/workload/paper --csv    # and ratings.csv, 700 MB

Writes ``indptr``, ``indices``, ``levels`` (stars x 2) and ``timestamps`` as .npy, sorted by user,
then movie. The same seed gives the same bytes, whatever the threads or the size of the chunks.

Movie counts follow ``head * (1 + rank/b)^-a * exp(-rank/d)``, fitted to the number of ratings,
the sum of squares (which is the work of comparing users) and the median; profile sizes follow a
table of quantiles. A user of n ratings draws n distinct movies with the weights of his group (4
eras x 4 tastes), calibrated so that movies get their counts although nobody rates one twice.
Every movie has at least one rating. Needs numpy, scipy and numba.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, least_squares

ERAS, TASTES = 4, 4
GROUPS = ERAS * TASTES
FIRST, LAST = 789_652_009, 1_501_829_870  # seconds: 1995 to August 2017, as in ml-latest
EXPONENTIAL_FROM = 1_500  # profiles from this size on are drawn by sorting exponential clocks
CHUNK = 20_000  # users drawn at once
LONGEST_LINE = 40  # bytes of CSV


@dataclass(frozen=True)
class Shape:
    """What an edition looks like."""

    users: int
    movies: int
    ratings: int
    top_movie: int
    median_movie: float
    sum_squares: float  #: of the movie counts
    sizes: tuple[tuple[float, float], ...]  #: (quantile, profile size)
    whole_stars: float  #: share of users who give whole stars only


SHAPES = {
    "paper": Shape(
        270_896, 45_115, 26_024_289, 92_000, 10, 4.3e11,
        ((0, 1), (0.05, 3), (0.25, 15), (0.5, 30), (0.75, 93), (0.9, 240), (0.95, 400),
         (0.99, 1_000), (0.999, 2_400), (0.9999, 5_000), (1, 18_276)),
        0.4,
    ),
    "ml-1m": Shape(
        6_040, 3_706, 1_000_209, 3_428, 123, 8.2e8,
        ((0, 20), (0.25, 44), (0.5, 96), (0.75, 208), (0.9, 400), (0.99, 906), (1, 2_314)),
        1.0,
    ),
    "small": Shape(
        3_000, 900, 120_000, 1_050, 60, 3.6e7,
        ((0, 1), (0.25, 12), (0.5, 25), (0.75, 50), (0.99, 250), (1, 500)),
        0.4,
    ),
}  # fmt: skip


def movie_counts(shape: Shape) -> NDArray[np.float64]:
    """The expected number of ratings of each movie, most popular first."""
    rank = np.arange(shape.movies)

    def counts(logs: NDArray) -> NDArray[np.float64]:
        a, b, d = np.exp(logs)
        return np.maximum(1.0, shape.top_movie * (1 + rank / b) ** -a * np.exp(-rank / d))

    def misfit(logs: NDArray) -> list[float]:
        n = counts(logs)
        return [
            n.sum() / shape.ratings - 1,
            (n**2).sum() / shape.sum_squares - 1,
            np.log(n[shape.movies // 2] / shape.median_movie) / 5,
        ]

    start = np.log([1, shape.movies / 200, shape.movies / 6])
    n = counts(least_squares(misfit, start).x)
    return n * (shape.ratings / n.sum())


def profile_sizes(shape: Shape, rng: np.random.Generator) -> NDArray[np.int64]:
    """Profile sizes that add up to the number of ratings, in random order."""
    q = (np.arange(shape.users) + 0.5) / shape.users
    known = np.asarray(shape.sizes, np.float64)
    base = np.interp(q, known[:, 0], np.log(known[:, 1]))
    bump = np.where(q > 0.5, np.sin(np.pi * (q - 0.5) / 0.5), 0.0)

    def sizes(height: float) -> NDArray[np.float64]:
        return np.clip(np.exp(base + height * bump), known[0, 1], known[-1, 1])

    height = brentq(lambda height: sizes(height).sum() - shape.ratings, -2, 2)
    whole = np.round(sizes(height)).astype(np.int64)
    whole[-1] = int(known[-1, 1])
    left = shape.ratings - whole.sum()
    middle = rng.permutation(np.flatnonzero((q > 0.55) & (q < 0.95)))
    np.add.at(whole, middle[np.arange(abs(left)) % len(middle)], np.sign(left))
    return rng.permutation(whole)


def tastes(shape: Shape, rng: np.random.Generator) -> NDArray[np.float64]:
    """How much each group likes each movie (groups x movies): less if unreleased or not theirs."""
    liking, era = rng.normal(size=(TASTES, shape.movies)), rng.integers(0, ERAS, shape.movies)
    logs = np.empty((GROUPS, shape.movies))
    for group in range(GROUPS):
        e, taste = divmod(group, TASTES)
        logs[group] = 0.7 * liking[taste] - 1.5 * (era > e) - 0.15 * np.maximum(0, e - era)
    return np.exp(logs)


def calibrated(
    counts: NDArray, sizes: NDArray, groups: NDArray, factor: NDArray, rounds: int = 20
) -> NDArray[np.float64]:
    """Weights (groups x movies) whose draws without repetition have the expected counts.

    Drawing n distinct movies is like waiting until n of many exponential clocks have rung; the
    waiting time ``tau`` is found for bins of profile sizes, and the weights follow from it.
    """
    weights = counts / counts.sum()
    edges = np.unique(np.quantile(sizes, np.linspace(0, 1, 33) ** 0.5))
    edges = np.unique(np.append(edges, sizes.max() * np.array([0.1, 0.3, 1.0])))
    bins = np.clip(np.searchsorted(edges, sizes), 0, len(edges) - 1)
    number, total = np.zeros((GROUPS, len(edges))), np.zeros((GROUPS, len(edges)))
    np.add.at(number, (groups, bins), 1)
    np.add.at(total, (groups, bins), sizes)
    mean = total / np.maximum(number, 1)
    tau = mean.copy()
    for _ in range(rounds):
        expected = np.zeros_like(weights)
        for g in range(GROUPS):
            rate = weights * factor[g]
            rate = rate / rate.sum()
            for b in np.flatnonzero(number[g]):
                silent = np.exp(-rate * tau[g, b])
                short = mean[g, b] - (1 - silent).sum()
                tau[g, b] = max(tau[g, b] + short / (rate * silent).sum(), mean[g, b])
                expected += number[g, b] * (1 - silent)
        weights = weights * (counts / np.maximum(expected, 1e-9)) ** 1.2
        weights /= weights.sum()
    both = weights * factor
    return both / both.sum(axis=1, keepdims=True)


@nb.njit(inline="always")
def _random(state):
    """splitmix64: the next state, and 53 random bits as a float in [0, 1)."""
    state = np.uint64(state + np.uint64(0x9E3779B97F4A7C15))
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return state, np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(cache=True)
def _alias(weights):
    """Walker's alias table: draw a place, keep it with this probability, or take the other."""
    n = len(weights)
    keep, other = np.ones(n), np.arange(n)
    scaled = weights * n
    small, large = list(np.flatnonzero(scaled < 1)), list(np.flatnonzero(scaled >= 1))
    while len(small) and len(large):
        a, b = small.pop(), large[-1]
        keep[a], other[a] = scaled[a], b
        scaled[b] -= 1 - scaled[a]
        if scaled[b] < 1:
            small.append(large.pop())
    return keep, other


@nb.njit(parallel=True, cache=True)
def _draw(seed, first, indptr, groups, weights, keep, other, sure_ptr, sure, names, quality,
          liking, starts, whole, indices, levels, stamps):  # fmt: skip
    """Fill the rows of the users from ``first`` on; indptr counts from their first rating."""
    n_users, n_movies = len(indptr) - 1, weights.shape[1]
    for part in nb.prange(64):
        seen, clock = np.zeros(n_movies, np.uint8), np.empty(n_movies)
        for u in range(part * n_users // 64, (part + 1) * n_users // 64):
            size, g, user = indptr[u + 1] - indptr[u], groups[u], first + u
            state = np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
            state ^= np.uint64(user) << np.uint64(20)
            row = np.empty(size, np.int64)
            got = 0
            for f in range(sure_ptr[user], sure_ptr[user + 1]):
                row[got] = sure[f]
                seen[sure[f]] = 1
                got += 1
            if size < EXPONENTIAL_FROM:
                while got < size:
                    state, a = _random(state)
                    state, b = _random(state)
                    i = int(a * n_movies)
                    if b >= keep[g, i]:
                        i = other[g, i]
                    if not seen[i]:
                        seen[i] = 1
                        row[got] = i
                        got += 1
            else:
                for i in range(n_movies):
                    state, a = _random(state)
                    clock[i] = np.inf if seen[i] else -np.log(1 - a) / weights[g, i]
                row[got:] = np.argsort(clock)[: size - got]
            for i in row:
                seen[i] = 0
            state, a = _random(state)
            state, b = _random(state)
            generous = (a + b - 1) * 1.1
            state, a = _random(state)
            returns = a < 0.25 and size > 30  # comes back on later days
            now = np.int64(starts[u])
            for i in row:
                state, a = _random(state)
                now += np.int64(3 + 25 * a * a)
                state, a = _random(state)
                if returns and a < 0.04:
                    state, a = _random(state)
                    now += np.int64(86_400 * 60 * a)
                clock[i] = min(now, LAST)
            order = np.argsort(names[row])
            for t in range(size):
                i = row[order[t]]
                noise = 0.0
                for _ in range(4):
                    state, a = _random(state)
                    noise += a - 0.5
                star = 3.45 + quality[i] + generous + liking[g % TASTES, i] + noise * 1.5
                level = round(star) * 2 if whole[u] else round(star * 2)
                at = indptr[u] + t
                indices[at] = names[i]
                levels[at] = max(2 if whole[u] else 1, min(10, level))
                stamps[at] = np.int64(clock[i])


@nb.njit(cache=True)
def _csv(first, indptr, indices, levels, stamps, out):
    """``user,movie,stars,timestamp`` lines into ``out`` (bytes); how many bytes."""
    at, digits = 0, np.empty(20, np.uint8)
    for u in range(len(indptr) - 1):
        for t in range(indptr[u], indptr[u + 1]):
            for field in range(4):
                if field == 2:
                    out[at] = 48 + levels[t] // 2
                    out[at + 1] = 46
                    out[at + 2] = 53 if levels[t] % 2 else 48
                    at += 3
                else:
                    value = first + u + 1
                    if field:
                        value = indices[t] + 1 if field == 1 else stamps[t]
                    n = 0
                    while value > 0:
                        digits[n] = 48 + value % 10
                        value //= 10
                        n += 1
                    while n > 0:
                        n -= 1
                        out[at] = digits[n]
                        at += 1
                out[at] = 10 if field == 3 else 44
                at += 1
    return at


def generate(shape: Shape, folder: Path, *, seed: int = 1, csv: bool = False) -> dict[str, float]:
    """Write the workload; the figures of its shape."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    counts, sizes = movie_counts(shape), profile_sizes(shape, rng)
    era = rng.integers(0, ERAS, shape.users)
    groups = era * TASTES + rng.integers(0, TASTES, shape.users)
    weights = calibrated(counts, sizes, groups, tastes(shape, rng))
    keep, other = (np.stack(part) for part in zip(*map(_alias, weights), strict=True))
    # one sure rating for every movie
    able = np.flatnonzero(sizes >= min(20, np.median(sizes)))
    owner = rng.choice(able, shape.movies, p=sizes[able] / sizes[able].sum())
    sure = np.argsort(owner, kind="stable")
    sure_ptr = np.searchsorted(owner[sure], np.arange(shape.users + 1))
    if np.any(np.diff(sure_ptr) > sizes):
        raise SystemExit("There are too many movies for these profiles. Try another seed.")
    names = rng.permutation(shape.movies)  # rank -> movie position
    quality = rng.normal(0, 0.45, shape.movies) + 0.08 * np.log10(np.maximum(counts, 1))
    liking = rng.normal(0, 0.3, (TASTES, shape.movies))
    whole = rng.random(shape.users) < shape.whole_stars
    starts = FIRST + (era + rng.random(shape.users)) / ERAS * (LAST - FIRST)
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    np.save(folder / "indptr.npy", indptr)
    kinds = {"indices": np.int32, "levels": np.uint8, "timestamps": np.int64}
    files = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=kind, shape=(shape.ratings,)
        )
        for name, kind in kinds.items()
    }
    found = np.zeros(shape.movies, np.int64)
    with (folder / "ratings.csv" if csv else Path(os.devnull)).open("wb") as text:
        text.write(b"userId,movieId,rating,timestamp\n")
        for first in range(0, shape.users, CHUNK):
            some = slice(first, min(first + CHUNK, shape.users))
            edges = indptr[some.start : some.stop + 1] - indptr[some.start]
            part = {name: np.empty(edges[-1], kind) for name, kind in kinds.items()}
            _draw(seed, first, edges, groups[some], weights, keep, other, sure_ptr, sure, names,
                  quality, liking, starts[some], whole[some], *part.values())  # fmt: skip
            for name, values in part.items():
                files[name][indptr[some.start] : indptr[some.stop]] = values
            found += np.bincount(part["indices"], minlength=shape.movies)
            if csv:
                out = np.empty(LONGEST_LINE * edges[-1], np.uint8)
                text.write(out[: _csv(first, edges, *part.values(), out)].data)
    figures = {
        "users": shape.users,
        "movies": int((found > 0).sum()),
        "ratings": int(found.sum()),
        "top_movie": int(found.max()),
        "median_movie": float(np.median(found)),
        "median_user": float(np.median(sizes)),
        "largest_user": int(sizes.max()),
        "sum_squared_movie_counts": float((found.astype(float) ** 2).sum()),
        "sum_squared_user_counts": float((sizes.astype(float) ** 2).sum()),
        "seed": seed,
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def load(shape: str, folder: Path, *, mmap: bool = False) -> dict[str, NDArray]:
    """The arrays of a workload, which is written first where it is not there yet."""
    if not (folder / "figures.json").exists():
        print(f"Writing {folder} ...", flush=True)
        generate(SHAPES[shape], folder)
    names = ("indptr", "indices", "levels", "timestamps")
    return {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if mmap else None) for name in names
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", action="store_true", help="write ratings.csv too")
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    figures = generate(shape, options.folder, seed=options.seed, csv=options.csv)
    for name, value in figures.items():
        print(f"{name:26}{value:>20,.0f}")
    off = figures["sum_squared_movie_counts"] / shape.sum_squares - 1
    print(
        f"the sum of squared movie counts is {off:+.1%} off the edition's {shape.sum_squares:.3g}"
    )


if __name__ == "__main__":
    main()
