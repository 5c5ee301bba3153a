"""The choices that the paper made by experiment, made again: neighbours, layers, regularisation.

    STUDYSITE_DATA=folder python benchmarks/selection.py                  # all missing cells
    STUDYSITE_DATA=folder python benchmarks/selection.py --only "u1 knn" "u1 layers"
    python benchmarks/selection.py --markdown            # the tables of docs/selection.md
    python benchmarks/selection.py --into docs/selection.md               # put them there

STUDYSITE_DATA holds the unpacked folders ml-100k and ml-latest-small. Each cell is stored when it
is done and run again only if its settings have changed, so that an interrupted run goes on.

Every setting learns from nine tenths of the training ratings of a split, drawn at random; the last
tenth is the validation part. Choices are made by the validation error. The test ratings only say
what a choice was worth. The training error of a network is that of sampled training ratings, each
predicted while withheld from its profile; that of neighbours is the error of training ratings
which are not among the averaged ratings but count in the similarities. NDCG@10 is over all items
that the user has not rated in training.

Needs torch, numpy, scipy and numba, not Django.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _error_table import Table
from _selection_tables import COUNTS, DATA, SIMILARITIES, Grid, key, markdown

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.evaluation import evaluate
from recommender.core.exhibits.neurons import examine_neurons
from recommender.core.metrics import mae, rmse
from recommender.core.ratings import Ratings
from recommender.core.readers.source import read_source
from recommender.core.runs import RunOptions
from recommender.core.splitting import Split, split
from recommender.core.systems import config_to_dict, override, system

RESULTS = Path(__file__).parent / "results" / "selection.json"
MARKS = "<!-- tables: benchmarks/selection.py --into -->", "<!-- end of tables -->"
SAMPLE = 10_000  #: training ratings from which the training error is measured
SIGNIFICANT = 0.05  #: level at which a neuron's genre counts, after Holm's correction

#: The network that every experiment with networks varies in one respect. Fixed here, so that
#: results remain comparable when the preset ``compact``, which it equals today, changes.
NETWORK = AutoencoderConfig(
    hidden=(256, 128, 64, 32, 64, 128, 256),
    epochs=14,
    learning_rate=2e-3,
    schedule="linear",
    batch_users=32,
    withheld_per_user=32,
    target="residual",
    normalise=True,
    movie_damping=50.0,
    dropout=0.2,
)
#: Widths on the way to a bottleneck of 32; n layers take the last of them.
NARROWING = (512, 256, 128, 64, 32)
BESIDE_BOTTLENECK = 512
REGULARISERS: dict[str, tuple[float, ...]] = {
    "dropout": (0.2, 0.5),
    "l2": (1e-6, 1e-5, 1e-4),
    "l1": (1e-7, 1e-6, 1e-5),
    "sparsity": (1e-4, 1e-3, 1e-2),
    "unrelated_weight": (0.01, 0.1, 1.0),
}


@dataclass(frozen=True)
class Cell:
    """One system with one setting; ``group`` is the experiment it belongs to."""

    group: str
    label: str
    system: str
    config: Any
    seed: int = 0


def cells() -> Iterator[Cell]:
    """Every cell, in the order in which they are run."""
    for name in ("bias", "svd", "biased-als"):
        yield Cell("reference", name, name, system(name).preset()[1])
    yield from _neighbours()
    for seed in range(3):
        yield Cell("seeds", f"seed {seed}", "autoencoder", NETWORK, seed)
    for count in range(1, 10):
        config = replace(NETWORK, hidden=layers(count))
        yield Cell("layers", str(count), "autoencoder", config)
    plain = replace(NETWORK, dropout=0.0)
    yield Cell("regularisation", "none", "autoencoder", plain)
    for name, strengths in REGULARISERS.items():
        for strength in strengths:
            config = replace(plain, **{name: strength})
            yield Cell("regularisation", f"{name} {strength:g}", "autoencoder", config)
    for width in (32, 64, 128, 256, 512, 1024):
        config = replace(NETWORK, hidden=(BESIDE_BOTTLENECK, width, BESIDE_BOTTLENECK))
        yield Cell("bottleneck", str(width), "autoencoder", config)
    chosen = system("query-mlp").preset("compact")[1]
    stars = replace(chosen, target="stars", normalise=False, movie_damping=0.0, dropout=0.0)
    yield Cell("query", "residuals", "query-mlp", chosen)
    yield Cell("query", "stars", "query-mlp", stars)


def layers(count: int) -> tuple[int, ...]:
    """``count`` widths that halve to 32 and double again, the wide end first if it is even."""
    down = NARROWING[-(count // 2 + 1) :]
    return (*down, *reversed(down[1 - count % 2 : -1]))


def _neighbours() -> Iterator[Cell]:
    for grid in Grid.all():
        config = system(grid.system).preset("paper")[1]
        where = {"raters": "raters" if grid.system == "user-knn" else "rated"}
        kind, over = SIMILARITIES[grid.similarity]
        for k in COUNTS if grid.neighbours != "all" else COUNTS[:1]:
            changed = override(
                config,
                k=k,
                similarity=kind,
                over=over,
                neighbours=where.get(grid.neighbours, grid.neighbours),
            )
            yield Cell("knn", grid.label(k), grid.system, changed)


def measure(cell: Cell, ratings: Ratings, outer: Split, threads: int) -> dict[str, Any]:
    """Fit on nine tenths of the training ratings; the errors, and the neurons of an autoencoder."""
    inner = split(outer.train, "random-90-10", 0)
    model = implementation(cell.system, cell.config)(cell.config)
    started = time.perf_counter()
    model.fit(inner.train, options=RunOptions(threads=threads, seed=cell.seed))
    seconds = time.perf_counter() - started
    found = model.predict(None, inner.test_rows, inner.test_items, inner.test_times)
    figures = evaluate(model, replace(outer, train=inner.train))
    return {
        "fit_seconds": seconds,
        "validation_rmse": rmse(inner.test_values, found),
        **training_errors(model, inner.train),
        **{name: figures[name] for name in ("rmse", "mae", "ndcg_10", "coverage")},
        **(neuron_facts(model, ratings) if cell.system == "autoencoder" else {}),
    }


def training_errors(model: Recommender, train: Ratings) -> dict[str, float | None]:
    """RMSE and MAE of sampled training ratings (see above); only the RMSE of factor models."""
    if not isinstance(model, Autoencoder) and "knn" not in model.name:
        return {"train_rmse": model.train_rmse_, "train_mae": None}
    draw = np.random.default_rng(0).permutation(train.n_ratings)[:SAMPLE]
    users, items = train.rows()[draw], np.asarray(train.indices[draw], np.int64)
    if isinstance(model, Autoencoder):
        profiles = train.matrix()[users].tolil()
        profiles[np.arange(len(draw)), items] = 0
        without = profiles.tocsr()
        without.eliminate_zeros()
        found = model.predict(without, np.arange(len(draw)), items)
    else:
        found = model.predict(None, users, items)
    actual = train.values[draw]
    return {"train_rmse": rmse(actual, found), "train_mae": mae(actual, found)}


def neuron_facts(model: Recommender, ratings: Ratings) -> dict[str, Any]:
    """The neuron whose genre stands out most over all readings, and how many are never active."""
    assert isinstance(model, Autoencoder)
    labels = ratings.labels["genres"]
    found = examine_neurons(model, labels.matrix(ratings.n_items).toarray() > 0)
    best = max(
        (float(-part.p_all[place]), float(part.lift[place]), n, int(place))
        for n, part in enumerate(found.clusters)
        for place in range(len(part.lift))
    )
    part, place = found.clusters[best[2]], best[3]
    significant = np.any([part.p_all < SIGNIFICANT for part in found.clusters], axis=0)
    return {
        "neurons": len(found.dead),
        "dead": int(np.count_nonzero(found.dead)),
        "significant": int(np.count_nonzero(significant)),
        "lift": best[1],
        "genre": str(labels.names[part.genre[place]]),
        "reading": f"{part.reading}, {part.minimum_ratings} or more ratings",
        "p_holm": -best[0],
    }


def fill(table: Table, options: argparse.Namespace, folder: Path) -> None:
    for data, name in DATA:
        ratings: Ratings | None = None
        for cell in cells():
            place = key(data, name, cell.group, cell.label)
            setting = {**config_to_dict(cell.config), "seed": cell.seed}
            if options.only and not any(re.search(found, place) for found in options.only):
                continue
            if table.known(place, setting):
                continue
            if ratings is None:
                ratings = read_source(folder / data).ratings
                outer = split(ratings, name, 0)
            started = time.perf_counter()
            found = measure(cell, ratings, outer, options.threads)
            seconds = time.perf_counter() - started
            table.keep("cells", place, {**found, "setting": setting, "seconds": seconds})
            print(f"{place}: {found['validation_rmse']:.4f} in {seconds:.0f} s", flush=True)


def put_into(document: Path, tables: str) -> None:
    """Replace what is between the marks of a document."""
    text = document.read_text(encoding="utf-8")
    if not all(mark in text for mark in MARKS):
        raise SystemExit(f"{document} lacks the lines {' and '.join(MARKS)}. Add them.")
    before, rest = text.split(MARKS[0], 1)
    after = rest.split(MARKS[1], 1)[1]
    whole = f"{before}{MARKS[0]}\n\n{tables}\n{MARKS[1]}{after}"
    document.write_text(whole, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", metavar="PATTERN", help="only cells whose key matches one of these"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print the tables and run nothing")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the tables into a document")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    table, folder = Table(options.out), os.environ.get("STUDYSITE_DATA")
    wanted = [key(*data, cell.group, cell.label) for data in DATA for cell in cells()]
    if options.into:
        put_into(options.into, markdown(table.content["cells"], wanted))
    elif options.markdown:
        print(markdown(table.content["cells"], wanted))
    elif folder:
        torch.set_num_threads(options.threads)
        fill(table, options, Path(folder))
    else:
        print("STUDYSITE_DATA is not set: nothing was run.")
    known = sum(place in table.content["cells"] for place in wanted)
    if not (options.markdown or options.into):
        print(f"{known} of {len(wanted)} cells are known.")


if __name__ == "__main__":
    main()
