"""Errors on public data, on the same splits for our systems and the best of Surprise and LensKit.

    STUDYSITE_DATA=folder python benchmarks/real_data.py              # all missing cells
    STUDYSITE_DATA=folder python benchmarks/real_data.py --rows dual bias --splits official
    python benchmarks/real_data.py --markdown        # the tables of docs/algorithms.md

STUDYSITE_DATA holds the unpacked folders ml-100k and ml-latest-small. Each cell of the table is
stored when it is done and run again only if the preset has changed or with --again, so the table
can be filled in pieces. Peers run in the environment of ``make peers`` and are skipped without it.
Their settings are chosen from a few candidates on a tenth of the training ratings of each data
set's first split; ours were chosen on that of ml-100k (search_tuned.py). The paper's network
overfits long before its 30 passes are over, so its number of passes is chosen too: the one after
which the newest tenth of those training ratings is predicted best. Needs torch, numpy and scipy,
not Django.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _error_table import PAPER, ROWS, SPLITS, TUNED, Row, Table, column, markdown, show

from recommender.core.algorithms.base import implementation
from recommender.core.metrics import mae, rmse
from recommender.core.readers.source import read_source
from recommender.core.runs import RunOptions
from recommender.core.splitting import Split, newest_slice, split
from recommender.core.systems import config_to_dict, override, system

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "real_data.json"
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"
PATIENCE = 2  # passes without a better error before the paper's network stops

#: The candidate settings of each peer, its defaults first.
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
    "myfm": [{"rank": 10}],
    "myfm-days": [{"rank": 10}],
}


def run_ours(row: Row, config: Any, parts: Split, threads: int, seed: int = 0) -> dict[str, Any]:
    model = implementation(row.system, config)(config)
    model.fit(parts.train, options=RunOptions(threads=threads, seed=seed))
    found = model.predict(None, parts.test_rows, parts.test_items, parts.test_times)
    return {**errors(parts, found), "train_rmse": model.train_rmse_}


def chosen_passes(table: Table, row: Row, data: str, first: Split, threads: int) -> int:
    """The number of passes after which the newest tenth of the ratings is predicted best."""
    key = f"{row.label} on {data}"
    if key not in table.content["settings"]:
        config = override(system(row.system).preset(row.preset)[1], patience=PATIENCE)
        model = implementation(row.system, config)(config)
        model.fit(first.train, options=RunOptions(threads=threads))
        learned = ~newest_slice(first.train, config.validation_share, 0)
        passes = round(model.loss_curve_[-1][0] / int(np.count_nonzero(learned)))
        best = passes - PATIENCE if passes < config.epochs else passes
        table.keep("settings", key, {"chosen": {"epochs": best}, "passes": passes})
    return int(table.content["settings"][key]["chosen"]["epochs"])


def run_peer(name: str, settings: dict[str, Any], parts: Split, threads: int) -> np.ndarray:
    train = parts.train
    environment = {
        **os.environ,
        **{f"{kind}_NUM_THREADS": str(threads) for kind in ("OMP", "MKL", "OPENBLAS", "RAYON")},
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        days = [
            np.full(n, np.nan) if times is None else times // 86_400
            for n, times in (
                (train.n_ratings, train.timestamps),
                (len(parts.test_rows), parts.test_times),
            )
        ]
        np.save(place / "train.npy", np.stack([train.rows(), train.indices, train.values, days[0]]))
        np.save(place / "test.npy", np.stack([parts.test_rows, parts.test_items, days[1]]))
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
        if len(CANDIDATES[name]) == 1:
            return CANDIDATES[name][0]
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


def fill(table: Table, options: argparse.Namespace, folder: Path) -> None:
    wanted = [row for row in ROWS if matches(row.label, options.rows)]
    ratings: dict[str, Any] = {}
    for data, name, seed in SPLITS:
        place = column(data, name, seed)
        if not matches(place, options.splits):
            continue
        if data not in ratings:
            ratings[data] = read_source(folder / data).ratings
        parts = split(ratings[data], name, seed)
        start = next(entry for entry in SPLITS if entry[0] == data)
        whole = split(ratings[data], start[1], start[2])
        for row in wanted:
            if row.preset:
                config = system(row.system).preset(row.preset)[1]
                if row == PAPER:
                    passes = chosen_passes(table, row, data, whole, options.threads)
                    config = override(config, epochs=passes)
                if parts.train.lacks(config.needs):
                    continue
                setting = config_to_dict(config)
            elif not PEERS.exists():
                continue
            else:
                setting = chosen_settings(table, row.system, data, whole, options.threads)
            key = f"{row.label} on {place}"
            if table.known(key, setting) and not options.again:
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


def with_seeds(table: Table, options: argparse.Namespace, folder: Path) -> None:
    """The dual autoencoder on the first split, with several seeds of the model."""
    parts = split(read_source(folder / SPLITS[0][0]).ratings, *SPLITS[0][1:])
    config = system(TUNED.system).preset(TUNED.preset)[1]
    for seed in range(options.seeds):
        found = run_ours(TUNED, config, parts, options.threads, seed)
        table.keep("seeds", f"{TUNED.label} on {column(*SPLITS[0])}, model seed {seed}", found)


def matches(label: str, patterns: list[str]) -> bool:
    return not patterns or any(re.search(pattern, label) for pattern in patterns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", nargs="+", default=[], help="only rows that match one of these patterns"
    )
    parser.add_argument("--splits", nargs="+", default=[], help="the same for the columns")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="run known cells again")
    parser.add_argument(
        "--seeds", type=int, help="only the dual autoencoder on u1, with this many seeds"
    )
    parser.add_argument("--show", action="store_true", help="print the known cells and run nothing")
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables of the documentation"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    table = Table(options.out)
    folder = os.environ.get("STUDYSITE_DATA")
    if options.markdown:
        print("\n".join(markdown(table)))
        return
    if folder and not options.show:
        (with_seeds if options.seeds else fill)(table, options, Path(folder))
    elif not folder:
        print("STUDYSITE_DATA is not set: showing the known cells.")
    show(table)


if __name__ == "__main__":
    main()
