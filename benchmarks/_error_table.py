"""The table of real_data.py: its rows and columns, its file, and how it is printed."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recommender.core.systems import SYSTEMS, system

PUBLISHED_U1 = (
    0.8889  # GLocal-K (Han et al., CIKM 2021), the best published result from ratings alone
)

SPLITS = [
    *(("ml-100k", f"official-u{fold}", 0) for fold in range(1, 6)),
    *(("ml-100k", "random-90-10", seed) for seed in range(3)),
    ("ml-100k", "time-90-10", 0),
    *(("ml-latest-small", "random-90-10", seed) for seed in range(3)),
    ("ml-latest-small", "time-90-10", 0),
]

PEERS = {
    "surprise-svd": "Surprise SVD",
    "surprise-svdpp": "Surprise SVD++",
    "surprise-knn-baseline": "Surprise KNNBaseline",
    "lenskit-als": "LensKit biased ALS",
    "lenskit-item-knn": "LensKit item-KNN",
    "lenskit-user-knn": "LensKit user-KNN",
    "myfm": "myFM, rank 10",
    "myfm-days": "myFM, rank 10, days",
}


@dataclass(frozen=True)
class Row:
    """One system of the table; a peer has no preset."""

    system: str
    preset: str = ""

    @property
    def label(self) -> str:
        return f"{self.system} {self.preset}".strip()

    @property
    def title(self) -> str:
        if not self.preset:
            return PEERS[self.system]
        kind = system(self.system)
        return kind.label if len(kind.presets) == 1 else f"{kind.label} `{self.preset}`"


#: ``paper-large`` is ``paper`` for millions of ratings and has no row of its own.
ROWS = [
    *(
        Row(name, preset)
        for name in SYSTEMS
        for preset in system(name).presets
        if preset != "paper-large"
    ),
    *(Row(name) for name in PEERS),
]
PAPER, TUNED = Row("autoencoder", "paper"), Row("dual-autoencoder", "tuned")


def column(data: str, name: str, seed: int) -> str:
    return f"{data} {name}" + (f" seed {seed}" if name.startswith("random") else "")


class Table:
    """The known cells, in a file that is replaced after each new one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = {"cells": {}, "settings": {}}
        self.read()

    def read(self) -> None:
        if self.path.exists():
            self.content = json.loads(self.path.read_text(encoding="utf-8"))

    def keep(self, part: str, key: str, value: dict[str, Any]) -> None:
        self.path.parent.mkdir(exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(
                folder, fcntl.LOCK_EX
            )  # another process may be filling other cells of the file
            self.read()
            self._write(part, key, value)
        finally:
            os.close(folder)

    def _write(self, part: str, key: str, value: dict[str, Any]) -> None:
        self.content.setdefault(part, {})[key] = json.loads(json.dumps(value))
        self.content["environment"] = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        }
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.path)

    def known(self, key: str, setting: dict[str, Any]) -> bool:
        cell = self.content["cells"].get(key)
        return cell is not None and cell["setting"] == json.loads(json.dumps(setting))

    def rmse(self, row: Row, place: str) -> float | None:
        value: float | None = self.content["cells"].get(f"{row.label} on {place}", {}).get("rmse")
        return value

    def passes(self, row: Row, data: str) -> int | None:
        """The number of passes of the paper's network on this data set; None for other rows."""
        found = self.content["settings"].get(f"{row.label} on {data}", {}) if row == PAPER else {}
        passes: int | None = found.get("chosen", {}).get("epochs")
        return passes


def show(table: Table) -> None:
    """Print the RMSE of every cell, the mean of the official folds, and the comparisons."""
    places = [column(*entry) for entry in SPLITS]
    heads = [
        place.split(" ", 1)[1].replace("-90-10", "").replace(" seed ", "-") for place in places
    ]
    heads = [head.removeprefix("official-") for head in heads]
    border = next(n for n, place in enumerate(places) if "latest" in place)
    print(f"\n{'RMSE':28}{'ml-100k':{9 * (border + 1)}}ml-latest-small")
    print(f"{'':28}" + "".join(f"{head:>9}" for head in ["mean u", *heads]))
    for row in ROWS:
        values = [table.rmse(row, place) for place in places]
        if not any(values):
            continue
        shown = "".join(_cell(value, 9) for value in [_mean(values[:5]), *values])
        made = [table.passes(row, data) for data in ("ml-100k", "ml-latest-small")]
        print(f"{row.label:28}{shown}" + (f"  ({made[0]}, {made[1]} passes)" if any(made) else ""))
    _aims(table, places)


def _aims(table: Table, places: list[str]) -> None:
    folds = [table.rmse(TUNED, place) for place in places[:5]]
    mean, first = _mean(folds), folds[0]
    if mean is not None and first is not None:
        print(f"\nmean of u1 to u5 under 0.905: {mean:.4f}, {mean < 0.905}")
        print(
            f"u1 against the best published: {first:.4f} < {PUBLISHED_U1}, {first < PUBLISHED_U1}"
        )
    seeds = table.content.get("seeds", {})
    errors = [seeds[key]["rmse"] for key in sorted(seeds)]
    if len(seeds) > 1:
        print(
            f"u1 with {len(seeds)} seeds of the model: "
            + ", ".join(f"{error:.4f}" for error in errors)
            + f"; from least to most {max(errors) - min(errors):.4f}"
        )
    compared = [
        (f"{row.title} on {place}", ours < theirs)
        for row in ROWS
        for place in places
        if "time" not in place and ("knn" in row.system or row.system == "bias")
        if (ours := table.rmse(TUNED, place)) and (theirs := table.rmse(row, place))
    ]
    lost = [what for what, won in compared if not won]
    print(
        f"damped bias and every KNN on every random split: the dual autoencoder is better in "
        f"{len(compared) - len(lost)} of {len(compared)} comparisons"
        + "".join(f"; not on {what}" for what in lost)
    )


def markdown(table: Table) -> Iterator[str]:
    """The tables of docs/algorithms.md: one for each data set, with its best figures in bold."""
    for data in dict.fromkeys(data for data, _, _ in SPLITS):
        entries = [entry for entry in SPLITS if entry[0] == data]
        folds = [n for n, entry in enumerate(entries) if entry[1].startswith("official")]
        heads = ["u1 to u5"] * bool(folds) + [_head(*entry) for entry in entries]
        lines = []
        for row in ROWS:
            values = [table.rmse(row, column(*entry)) for entry in entries]
            if not any(values):
                continue
            passes = table.passes(row, data)
            title = row.title + (f", {passes} passes" if passes else "")
            mean = [_mean([values[n] for n in folds])] if folds else []
            lines.append((title, mean + values))
        yield f"| {data} | {' | '.join(heads)} |"
        yield "|---" * (len(heads) + 1) + "|"
        columns = zip(*(values for _, values in lines), strict=True)
        known = [[value for value in found if value] for found in columns]
        for title, values in lines:
            cells = [
                f"**{value:.4f}**" if value == min(rivals) else _cell(value, 0)
                for value, rivals in zip(values, known, strict=True)
            ]
            yield f"| {title} | {' | '.join(cells)} |"
        yield ""


def _head(_data: str, name: str, seed: int) -> str:
    if name.startswith("official-"):
        return name.removeprefix("official-")
    return f"random {seed}" if name.startswith("random") else "time"


def _cell(value: float | None, width: int) -> str:
    return f"{'':>{width}}" if value is None else f"{value:{width or ''}.4f}"


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
