"""Errors of the dual autoencoder and of other systems on data sets of different sizes.

    python benchmarks/recipe_scale.py FOLDER             # ratings.dat in the format of MovieLens 1M
    STUDYSITE_DATA=folder python benchmarks/recipe_scale.py     # parts of ml-100k, simulated sets
    python benchmarks/recipe_scale.py --show             # the known cells

FOLDER needs nothing but ratings.dat, with lines ``user::item::stars::seconds``. Without it, ml-100k
is used at 25, 50 and 100 % (skipped without STUDYSITE_DATA) and simulated sets (_simulated.py) of
the --sizes in millions of ratings. Their floor is the error of the expected stars, which no system
can go below; the last column is the share of the way from the floor to the damped bias that is
left. Splits are random, a tenth is for the test. Each cell is kept when it is done and is not run
again unless its settings have changed. Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _runs import forget_peak, measured, peak_gb
from _simulated import SIZES, simulate
from numpy.typing import NDArray

from recommender.core.algorithms.base import implementation
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.source import read_source
from recommender.core.runs import RunOptions
from recommender.core.splitting import split
from recommender.core.systems import SYSTEMS, config_to_dict, system, with_settings

RESULTS = Path(__file__).parent / "results" / "recipe_scale.json"
#: Names in the registry with a preset; a system that is not in it is skipped.
ROWS = {"bias": "", "svd": "", "item-knn": "lenskit", "dual-autoencoder": "default"}
SHARES = (25, 50, 100)  # per cent of ml-100k


@dataclass(frozen=True, eq=False)
class Source:
    """A data set; ``expected`` stars (n_ratings) are known of simulated ratings."""

    name: str
    ratings: Ratings
    expected: NDArray[np.float64] | None = None


def read_folder(folder: Path) -> Ratings:
    """``ratings.dat`` of a folder; SystemExit if it cannot be read."""
    path = folder / "ratings.dat"
    try:
        numbers = path.read_text(encoding="ascii").replace("::", " ").split()
        users, items, stars, times = np.array(numbers, np.float64).reshape(-1, 4).T
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}. Each line is user::item::stars::seconds.") from None
    user_ids, users = np.unique(users.astype(np.int64), return_inverse=True)
    item_ids, items = np.unique(items.astype(np.int64), return_inverse=True)
    ids = {"user_ids": user_ids, "item_ids": item_ids}
    return Ratings.from_triples(
        users, items, stars, scale=Scale(1, 5, 1), timestamps=times.astype(np.int64), **ids
    )


def sources(options: argparse.Namespace) -> Iterator[Source]:
    if options.folder:
        yield Source(options.folder.resolve().name, read_folder(options.folder))
        return
    if data := os.environ.get("STUDYSITE_DATA"):
        ratings = read_source(Path(data) / "ml-100k").ratings
        for share in SHARES:
            chosen = np.random.default_rng(0).permutation(ratings.n_ratings)
            yield Source(f"ml-100k {share} %", ratings.select(chosen < share * 1_000))
    for millions in options.sizes:
        made = simulate(millions)
        yield Source(f"simulated {millions:g} M", made.ratings, made.expected)


def run_cell(source: Source, name: str, config: Any, seed: int, threads: int) -> dict[str, Any]:
    parts = split(source.ratings, "random-90-10", seed)
    cell: dict[str, Any] = {"n_train": parts.train.n_ratings, "threads": threads}
    if source.expected is not None:
        places = source.ratings.rows() * source.ratings.n_items + source.ratings.indices
        tested = np.isin(places, parts.test_rows * source.ratings.n_items + parts.test_items)
        cell["floor"] = rmse(parts.test_values, source.expected[tested])
    forget_peak()
    with measured(cell):
        model = implementation(name, config)(config)
        model.fit(parts.train, options=RunOptions(threads=threads))
        found = model.predict(None, parts.test_rows, parts.test_items)
    return {
        **cell,
        "peak_gb": peak_gb(),
        "train": model.train_rmse_,
        "test": rmse(parts.test_values, found),
    }


def fill(content: dict[str, Any], options: argparse.Namespace) -> None:
    changes = dict(setting.split("=", 1) for setting in options.set)
    for source in sources(options):
        for name, preset in ROWS.items():
            if name not in SYSTEMS or (options.systems and name not in options.systems):
                continue
            config, suffix = system(name).preset(preset)[1], ""
            if name == "dual-autoencoder":
                config = with_settings(name, config, changes)
                suffix = "".join(f" {change}" for change in options.set)
            setting = config_to_dict(config)
            for seed in range(options.splits):
                key = f"{source.name}, split {seed}: {name}{suffix}"
                known = content.get(key)
                if known and known["setting"] == setting and not options.again:
                    continue
                cell = run_cell(source, name, config, seed, options.threads)
                content[key] = {"setting": setting, **cell}
                options.out.parent.mkdir(exist_ok=True)
                options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
                print(f"{key}: {cell['test']:.4f} in {cell['cpu_seconds']:.0f} s", flush=True)


def show(content: dict[str, Any]) -> None:
    print(
        f"{'':58}{'ratings':>9}{'train':>8}{'test':>8}{'floor':>8}{'left':>7}{'GB':>6}{'cpu s':>7}"
    )
    for key, cell in content.items():
        floor, bias = cell.get("floor"), content.get(f"{key.split(':')[0]}: bias")
        left = (cell["test"] - floor) / (bias["test"] - floor) if floor and bias else None
        print(
            f"{key:58}{cell['n_train']:>9}{_number(cell['train'], 8)}{cell['test']:>8.4f}"
            f"{_number(floor, 8)}{'' if left is None else f'{left:.1%}':>7}"
            f"{cell['peak_gb']:>6.1f}{cell['cpu_seconds']:>7.0f}"
        )


def _number(value: float | None, width: int) -> str:
    return " " * (width - 1) + "–" if value is None else f"{value:>{width}.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--splits", type=int, default=1, help="how many random splits")
    parser.add_argument("--sizes", nargs="+", type=float, choices=SIZES, default=[0.1, 1.0])
    parser.add_argument("--systems", nargs="+", choices=ROWS, default=[])
    parser.add_argument(
        "--set", action="append", default=[], help="FIELD=VALUE of the dual autoencoder; repeatable"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="run known cells again")
    parser.add_argument("--show", action="store_true", help="print the known cells, run nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    content = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    if not options.show:
        fill(content, options)
    show(content)


if __name__ == "__main__":
    main()
