"""The search for the settings of the dual autoencoder: one change at a time, on training ratings.

A trial is fitted on nine tenths of a split's training ratings and scored on the other tenth, drawn
at random. The test ratings of the split are dropped first. Each trial is stored as one line, and
known trials are not run again.

    STUDYSITE_DATA=folder python benchmarks/search_tuned.py --grid recipe members
    python benchmarks/search_tuned.py            # the known trials, best first

STUDYSITE_DATA holds the unpacked folder ml-100k (or the one that --data names). One trial takes
about a minute of one core. Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.core.algorithms.dual_autoencoder.model import DualAutoencoder
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.metrics import mae, rmse
from recommender.core.readers.source import read_source
from recommender.core.runs import RunOptions
from recommender.core.splitting import split

RESULTS = Path(__file__).parent / "results" / "search_tuned.jsonl"
RIDGES = (
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    50.0,
)  # one fit serves them all: only the reading of profiles changes

GRIDS: dict[str, list[dict[str, Any]]] = {
    "start": [{}],
    "recipe": [
        {},
        {"learning_rate": 1e-3},
        {"learning_rate": 4e-3},
        {"penalty": 2e-4},
        {"penalty": 5e-4},
        {"dual_dropout": 0.7},
        {"dual_dropout": 0.9},
        {"item_dropout": 0.3},
        {"item_dropout": 0.7},
        {"withheld": (0.05, 0.15)},
        {"withheld": (0.2, 0.4)},
        {"trust": 0.0},
        {"trust": 3.0},
        {"hidden": 256},
        {"hidden": 1024},
    ],
    "passes": [{"epochs": passes} for passes in (20, 30, 50, 60, 80)],
    "members": [
        {"dual_members": 2, "item_members": 0},
        {"dual_members": 0, "item_members": 2},
        {"dual_members": 2, "item_members": 2},
    ],
}


def trial(
    ratings: Any, name: str, slice_seed: int, change: dict[str, Any], threads: int
) -> dict[str, Any]:
    """Validation errors of the settings with one change, also by member and by ridge."""
    train = split(ratings, name, 0).train
    parts = split(train, "random-90-10", slice_seed)
    config = replace(DualAutoencoderConfig(), **change)
    started, cpu = time.perf_counter(), time.process_time()
    model = DualAutoencoder(config).fit(parts.train, options=RunOptions(threads=threads))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    readout = model.readout_

    def score(**changed: Any) -> dict[str, float]:
        model.readout_ = replace(readout, **changed)
        found = model.predict(None, parts.test_rows, parts.test_items)
        return {"rmse": rmse(parts.test_values, found), "mae": mae(parts.test_values, found)}

    return {
        **score(),
        "train_rmse": model.train_rmse_,
        "members": [score(members=[member])["rmse"] for member in readout.members],
        "ridges": {ridge: score(config=replace(config, ridge=ridge))["rmse"] for ridge in RIDGES},
        "seconds": seconds,
        "cpu_seconds": cpu,
        "n_train": parts.train.n_ratings,
        "n_validation": len(parts.test_values),
    }


def report(rows: list[dict[str, Any]]) -> None:
    """Print means over the slices, by the difference from the unchanged settings; best first."""

    def place(row: dict[str, Any]) -> tuple[str, str, int]:
        return row["data"], row["split"], row["trial"]["slice"]

    recipe = {place(row): row["rmse"] for row in rows if not row["change"]}
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if place(row) in recipe:
            row["more"] = row["rmse"] - recipe[place(row)]
            groups.setdefault(f"{row['data']} {row['split']} {row['change']}", []).append(row)
    print(f"{'more':>7} {'rmse':>7} {'train':>7} {'slices':>7} {'cpu s':>6}  by ridge; change")
    for name, group in sorted(groups.items(), key=lambda item: mean(item[1], "more")):
        ridges = " ".join(
            f"{float(np.mean([row['ridges'][ridge] for row in group])):.4f}"
            for ridge in group[0]["ridges"]
        )
        print(
            f"{mean(group, 'more'):+7.4f} {mean(group, 'rmse'):7.4f} "
            f"{mean(group, 'train_rmse'):7.4f} {len(group):7} {mean(group, 'cpu_seconds'):6.0f}  "
            f"{ridges}; {name}"
        )


def mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", nargs="+", choices=GRIDS, default=[])
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--split", default="official-u1")
    parser.add_argument("--slices", type=int, nargs="+", default=[0], help="seeds of the slices")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = (
        [json.loads(line) for line in options.out.read_text(encoding="utf-8").splitlines()]
        if options.out.exists()
        else []
    )
    done = {json.dumps(row["trial"], sort_keys=True) for row in rows}
    folder = os.environ.get("STUDYSITE_DATA")
    if options.grid and not folder:
        raise SystemExit("Set STUDYSITE_DATA to the folder that holds ml-100k.")
    ratings = read_source(Path(str(folder)) / options.data).ratings if options.grid else None
    options.out.parent.mkdir(exist_ok=True)
    for change in [change for grid in options.grid for change in GRIDS[grid]]:
        for slice_seed in options.slices:
            what = {
                "data": options.data,
                "split": options.split,
                "slice": slice_seed,
                # The whole configuration, so that trials of older defaults count as other trials.
                "config": vars(replace(DualAutoencoderConfig(), **change)),
            }
            key = json.dumps(what, sort_keys=True)
            if key in done:
                continue
            done.add(key)
            found = trial(ratings, options.split, slice_seed, change, options.threads)
            row = {"data": options.data, "split": options.split, "change": change, **found}
            rows.append(json.loads(json.dumps({**row, "trial": what})))
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(f"slice {slice_seed}: {found['rmse']:.4f} {change}", flush=True)
    report(rows)


if __name__ == "__main__":
    main()
