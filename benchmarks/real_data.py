"""Errors on public data, everybody on the same splits: ours, Surprise's and LensKit's best.

    STUDYSITE_DATA=folder python benchmarks/real_data.py              # whatever is missing yet
    STUDYSITE_DATA=folder python benchmarks/real_data.py --rows tuned bias --splits official

STUDYSITE_DATA holds the unpacked folders ml-100k and ml-latest-small. Every cell of the table is
kept as soon as it is known and not run again, unless the preset has changed; so the table can be
made in pieces. Peers run in the environment of ``make peers`` and are left out without it; their
settings are chosen among a few on a tenth of the training ratings of the first split of each data
set, and ours on that of ml-100k's (search_tuned.py). Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recommender.core.algorithms.base import implementation
from recommender.core.metrics import mae, rmse
from recommender.core.readers import read_source
from recommender.core.splitting import Split, split
from recommender.core.systems import RunOptions, config_to_dict, override, system

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "real_data.json"
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"
PUBLISHED_U1 = 0.8889  # GLocal-K (Han et al., CIKM 2021), the best published from ratings alone

SPLITS = [
    *(("ml-100k", f"official-u{fold}", 0) for fold in range(1, 6)),
    *(("ml-100k", "random-90-10", seed) for seed in range(3)),
    ("ml-100k", "time-90-10", 0),
    *(("ml-latest-small", "random-90-10", seed) for seed in range(3)),
    ("ml-latest-small", "time-90-10", 0),
]

#: The settings tried for each peer, its own defaults first.
CANDIDATES: dict[str, list[dict[str, Any]]] = {
    "surprise-svd": [
        {},
        {"n_factors": 100, "n_epochs": 60, "reg_all": 0.1},
        {"n_factors": 200, "n_epochs": 60, "reg_all": 0.1},
        {"n_factors": 400, "n_epochs": 80, "reg_all": 0.1},
        {"n_factors": 200, "n_epochs": 80, "reg_all": 0.15},
    ],
    "surprise-svdpp": [
        {"cache_ratings": True},
        {"cache_ratings": True, "n_epochs": 40, "lr_all": 0.005, "reg_all": 0.05},
        {"cache_ratings": True, "n_epochs": 60, "lr_all": 0.005, "reg_all": 0.1},
        {"cache_ratings": True, "n_factors": 50, "n_epochs": 60, "lr_all": 0.005, "reg_all": 0.1},
    ],
    "surprise-knn-baseline": [
        {},
        *(
            {"k": k, "sim_options": {"name": "pearson_baseline", "user_based": user_based}}
            for user_based in (True, False)
            for k in (20, 40, 80)
        ),
    ],
    "lenskit-als": [
        {},
        *(
            {"embedding_size": size, "regularization": weight, "epochs": 20}
            for size in (25, 50)
            for weight in (0.05, 0.1, 0.2)
        ),
    ],
    "lenskit-item-knn": [
        {},
        *({"max_nbrs": size, "min_nbrs": least} for size in (10, 20, 40) for least in (2, 3)),
    ],
    "lenskit-user-knn": [
        {},
        *({"max_nbrs": size, "min_nbrs": least} for size in (30, 40, 60) for least in (2, 3)),
    ],
}


@dataclass(frozen=True)
class Row:
    """One system of the table; a peer has no preset."""

    system: str
    preset: str = ""

    @property
    def label(self) -> str:
        return f"{self.system} {self.preset}".strip()


def all_rows() -> Iterator[Row]:
    for name in ("bias", "user-knn", "autoencoder"):
        yield from (Row(name, preset) for preset in system(name).presets)
    yield from (Row(name) for name in CANDIDATES)


class Table:
    """The cells known so far, in a file that is replaced after each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = {"cells": {}, "settings": {}}
        self.read()

    def read(self) -> None:
        if self.path.exists():
            self.content = json.loads(self.path.read_text(encoding="utf-8"))

    def keep(self, part: str, key: str, value: dict[str, Any]) -> None:
        self.read()  # another run may fill other cells of the same file
        self.content[part][key] = json.loads(json.dumps(value))
        self.content["environment"] = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        }
        self.path.parent.mkdir(exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.path)

    def known(self, key: str, setting: dict[str, Any]) -> bool:
        cell = self.content["cells"].get(key)
        return cell is not None and cell["setting"] == json.loads(json.dumps(setting))


def run_ours(row: Row, config: Any, parts: Split, threads: int) -> dict[str, Any]:
    model = implementation(row.system, config)(config)
    model.fit(parts.train, options=RunOptions(threads=threads))
    found = model.predict(None, parts.test_rows, parts.test_items)
    return {**errors(parts, found), "train_rmse": model.train_rmse_}


def run_peer(name: str, settings: dict[str, Any], parts: Split, threads: int) -> np.ndarray:
    train = parts.train
    environment = {
        **os.environ,
        **{f"{kind}_NUM_THREADS": str(threads) for kind in ("OMP", "MKL", "OPENBLAS", "RAYON")},
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.save(place / "train.npy", np.stack([train.rows(), train.indices, train.values]))
        np.save(place / "test.npy", np.stack([parts.test_rows, parts.test_items]))
        scale = [train.scale.minimum, train.scale.maximum]
        (place / "scale.json").write_text(json.dumps(scale), encoding="utf-8")
        command = [PEERS, HERE / "_peers.py", place, name, json.dumps(settings)]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
        return np.asarray(np.load(place / "predictions.npy"), np.float64)


def chosen_settings(table: Table, name: str, data: str, first: Split, threads: int) -> Any:
    """The candidate with the lowest error on a tenth of the first split's training ratings."""
    key = f"{name} on {data}"
    known = table.content["settings"].get(key, {})
    tried = [row["setting"] for row in known.get("tried", [])]
    if tried != json.loads(json.dumps(CANDIDATES[name])):
        parts = split(first.train, "random-90-10", 0)
        rows = [
            {
                "setting": candidate,
                "rmse": rmse(parts.test_values, run_peer(name, candidate, parts, threads)),
            }
            for candidate in CANDIDATES[name]
        ]
        best = min(rows, key=lambda row: float(str(row["rmse"])))
        table.keep("settings", key, {"chosen": best["setting"], "tried": rows})
    return table.content["settings"][key]["chosen"]


def errors(parts: Split, found: np.ndarray) -> dict[str, float]:
    return {"rmse": rmse(parts.test_values, found), "mae": mae(parts.test_values, found)}


def column(data: str, name: str, seed: int) -> str:
    return f"{data} {name}" + (f" seed {seed}" if name.startswith("random") else "")


def fill(table: Table, options: argparse.Namespace, folder: Path) -> None:
    wanted = [row for row in all_rows() if matches(row.label, options.rows)]
    ratings: dict[str, Any] = {}
    for data, name, seed in SPLITS:
        place = column(data, name, seed)
        if not matches(place, options.splits):
            continue
        if data not in ratings:
            ratings[data] = read_source(folder / data).ratings
        parts = split(ratings[data], name, seed)
        for row in wanted:
            if row.preset:
                config = system(row.system).preset(row.preset)[1]
                if row.preset == "paper" and row.system == "autoencoder" and options.paper_epochs:
                    config = override(config, epochs=options.paper_epochs)
                setting = config_to_dict(config)
            elif not PEERS.exists():
                continue
            else:
                first = next(entry for entry in SPLITS if entry[0] == data)
                whole = split(ratings[data], first[1], first[2])
                setting = chosen_settings(table, row.system, data, whole, options.threads)
            key = f"{row.label} on {place}"
            if table.known(key, setting):
                continue
            started = time.perf_counter()
            if row.preset:
                found = run_ours(row, config, parts, options.threads)
            else:
                found = errors(parts, run_peer(row.system, setting, parts, options.threads))
            seconds = time.perf_counter() - started
            facts = {"setting": setting, "seconds": seconds, "threads": options.threads}
            table.keep("cells", key, {**found, **facts})
            print(f"{key}: {found['rmse']:.4f} in {seconds:.0f} s", flush=True)


def show(table: Table) -> None:
    """RMSE of every cell, the mean of the official folds, and whether the aims are met."""
    cells = table.content["cells"]
    places = [column(*entry) for entry in SPLITS]
    heads = [
        place.split(" ", 1)[1].replace("-90-10", "").replace(" seed ", "-") for place in places
    ]
    heads = [head.removeprefix("official-") for head in heads]
    border = next(n for n, place in enumerate(places) if "latest" in place)
    print(f"\n{'RMSE':28}{'ml-100k':{9 * (border + 1)}}ml-latest-small")
    print(f"{'':28}" + "".join(f"{head:>9}" for head in ["mean u", *heads]))
    means: dict[str, float] = {}
    for row in all_rows():
        values = [cells.get(f"{row.label} on {place}", {}).get("rmse") for place in places]
        if not any(values):
            continue
        if all(values[:5]):
            means[row.label] = float(np.mean(values[:5]))
        figures = [means.get(row.label), *values]
        shown = "".join(f"{'':>9}" if value is None else f"{value:9.4f}" for value in figures)
        cell = next(cells[key] for key in cells if key.startswith(f"{row.label} on "))
        passes = cell["setting"].get("epochs") if row.preset == "paper" else None
        print(f"{row.label:28}{shown}" + (f"  ({passes} passes)" if passes else ""))
    tuned = "autoencoder tuned"
    if tuned in means:
        first = cells[f"{tuned} on {places[0]}"]["rmse"]
        print(f"\nmean of u1 to u5 under 0.905: {means[tuned]:.4f}, {means[tuned] < 0.905}")
        print(
            f"u1 against the best published: {first:.4f} < {PUBLISHED_U1}, {first < PUBLISHED_U1}"
        )
    compared = [
        (key, cells[key]["rmse"] > cells[f"{tuned} on {place}"]["rmse"])
        for key in cells
        for place in places
        if "time" not in place and key.endswith(f" on {place}") and f"{tuned} on {place}" in cells
        if "knn" in key or key.startswith("bias")
    ]
    lost = [key for key, won in compared if not won]
    print(
        f"damped bias and every KNN on every random split: tuned is better in "
        f"{len(compared) - len(lost)} of {len(compared)} comparisons" + "".join(map(str, lost))
    )


def matches(label: str, patterns: list[str]) -> bool:
    return not patterns or any(re.search(pattern, label) for pattern in patterns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", default=[], help="only rows that match one of these")
    parser.add_argument("--splits", nargs="+", default=[], help="the same of the columns")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--paper-epochs", type=int, help="passes of the paper's wide network, to spare time"
    )
    parser.add_argument("--show", action="store_true", help="run nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    table = Table(options.out)
    folder = os.environ.get("STUDYSITE_DATA")
    if folder and not options.show:
        fill(table, options, Path(folder))
    elif not folder:
        print("STUDYSITE_DATA is not set: showing what is known.")
    show(table)


if __name__ == "__main__":
    main()
