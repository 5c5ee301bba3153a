"""The tables of selection.py, and what they say of the paper's choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATA = (("ml-100k", "official-u1"), ("ml-latest-small", "random-90-10"))
COUNTS = (1, 2, 5, 10, 20, 40, 80)  #: numbers of neighbours
#: the settings ``similarity`` and ``over``; a dot product is the same over common ratings
SIMILARITIES = {
    "cosine": ("cosine", "full"),
    "dot": ("dot", "full"),
    "correlation": ("correlation", "common"),
    "cosine, common": ("cosine", "common"),
    "correlation, full": ("correlation", "full"),
}


def key(data: str, name: str, group: str, label: str) -> str:
    return f"{data} {name} {group}: {label}"


@dataclass(frozen=True)
class Grid:
    """A row of the table of neighbours; ``neighbours`` is raters, overall or all."""

    system: str
    similarity: str
    neighbours: str

    @staticmethod
    def all() -> Iterator[Grid]:
        for similarity in SIMILARITIES:
            for neighbours in ("raters", "overall", "all"):
                for system in ("user-knn", "item-knn"):
                    yield Grid(system, similarity, neighbours)

    def label(self, k: int) -> str:
        size = "" if self.neighbours == "all" else f", k = {k}"
        return f"{self.system}, {self.similarity}, {self.neighbours}{size}"


Cells = Mapping[str, Mapping[str, Any]]
NETWORKS = {
    "bottleneck": "Width of the bottleneck",
    "layers": "Hidden layers",
    "regularisation": "Regularisation",
    "query": "Query network",
    "seeds": "The network of the others, with three seeds",
}
COSINE = "user-knn, cosine, "
NEAREST = f"{COSINE}raters, k = "
QUERY_LOSS = 1.2  #: the paper's query network did not get below it
NOT_RUN = "not run yet"
LEAST_COVERAGE = 0.9  #: share of the test pairs that a setting predicts itself, to be chosen


class Results:
    """The known cells of one data set, by group and label."""

    def __init__(self, cells: Cells, wanted: Sequence[str], data: str, name: str) -> None:
        self.title = f"{data}, `{name}`"
        start = f"{data} {name} "
        self.labels: dict[str, list[str]] = {}
        self.cells: dict[tuple[str, str], Mapping[str, Any]] = {}
        for place in wanted:
            if place.startswith(start):
                group, label = place.removeprefix(start).split(": ", 1)
                self.labels.setdefault(group, []).append(label)
                if place in cells:
                    self.cells[group, label] = cells[place]

    def best(
        self, group: str, fits: Callable[[str], bool] = lambda label: True
    ) -> tuple[str, str] | None:
        """The label with the lowest validation error, and how many of them are missing.

        Settings that leave most pairs to the fallback are left out: they would be judged by it.
        """
        labels = [label for label in self.labels[group] if fits(label)]
        found = [label for label in labels if (group, label) in self.cells]
        known = [label for label in found if self.of(group, label, "coverage") >= LEAST_COVERAGE]
        if not known:
            return None
        lacking = len(labels) - len(found)
        note = f" ({lacking} of {len(labels)} cells {NOT_RUN})" if lacking else ""
        return min(known, key=lambda label: self.of(group, label, "validation_rmse")), note

    def of(self, group: str, label: str, figure: str) -> float:
        return float(self.cells[group, label][figure])

    def errors(self, group: str, label: str) -> str:
        """The validation and the test error in words."""
        if (group, label) not in self.cells:
            return NOT_RUN
        found = [self.of(group, label, name) for name in ("validation_rmse", "rmse")]
        return f"{found[0]:.4f} / {found[1]:.4f}"


def markdown(cells: Cells, wanted: Sequence[str]) -> str:
    """Every table; a cell that was not run is a dash."""
    lines: list[str] = []
    for data, name in DATA:
        results = Results(cells, wanted, data, name)
        total = sum(map(len, results.labels.values()))
        lines += [
            f"## {results.title}",
            "",
            f"{len(results.cells)} of {total} cells are known.",
            "",
        ]
        if results.cells:
            lines += [*_claims(results), *_grid(results), *_chosen(results)]
            for group, title in NETWORKS.items():
                lines += _networks(results, group, title)
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)] + [""]


def _claims(results: Results) -> list[str]:
    rows = [
        _between(results, "user-user is better than item-item", "item-knn"),
        *(
            _against(results, f"user-user is better than matrix factorisation (`{name}`)", name)
            for name in ("svd", "biased-als")
        ),
        _setting(
            results, "k = 5 (user-user, cosine, nearest raters)", "knn", f"{NEAREST}5", NEAREST
        ),
        _setting(results, "cosine (user-user, all settings)", "knn", ", cosine, ", "user-knn"),
        _setting(results, "some neighbours, not all users (cosine)", "knn", ", k = ", COSINE),
        _setting(results, "a bottleneck of 512", "bottleneck", "512", ""),
        _setting(results, "seven hidden layers", "layers", "7", ""),
        _setting(results, "regularisation is worth applying", "regularisation", " ", ""),
        *_query(results),
    ]
    heads = ["Claim of the paper", "Best here by validation error", "As the paper says", "Holds"]
    return [
        "**What the paper chose** (RMSE of the validation part / of the test part)", "",
        *_table(heads, rows),
    ]  # fmt: skip


def _setting(results: Results, claim: str, group: str, said: str, among: str) -> list[str]:
    """Whether the best of the labels with ``among`` in them is one with ``said`` in it."""

    def is_said(label: str) -> bool:
        exact = group in ("bottleneck", "layers") or said.endswith("5")
        return among in label and (label == said if exact else said in label)

    best = results.best(group, lambda label: among in label)
    paper = results.best(group, is_said)
    if best is None or paper is None:
        return [claim, NOT_RUN, NOT_RUN, NOT_RUN]
    found = f"{best[0]}: {results.errors(group, best[0])}{best[1]}"
    theirs = f"{paper[0]}: {results.errors(group, paper[0])}"
    if is_said(best[0]):
        verdict = "yes"
    else:
        lead = results.of(group, paper[0], "validation_rmse") - results.of(
            group, best[0], "validation_rmse"
        )
        spread = _spread(results) if group != "knn" else 0.0
        verdict = "no" if lead > spread else f"cannot be told: seeds differ by {spread:.4f}"
    return [claim, found, theirs, verdict + (", so far" if best[1] else "")]


def _spread(results: Results) -> float:
    """The range of the validation error over the seeds of one network."""
    found = [
        results.of("seeds", label, "validation_rmse")
        for label in results.labels["seeds"]
        if ("seeds", label) in results.cells
    ]
    return max(found) - min(found) if found else 0.0


def _between(results: Results, claim: str, rival: str) -> list[str]:
    mine = results.best("knn", lambda label: label.startswith("user-knn"))
    other = results.best("knn", lambda label: label.startswith(rival))
    if mine is None or other is None:
        return [claim, NOT_RUN, NOT_RUN, NOT_RUN]
    holds = results.of("knn", mine[0], "rmse") < results.of("knn", other[0], "rmse")
    lacking = mine[1] or other[1]
    return [
        claim,
        f"{other[0]}: {results.errors('knn', other[0])}{other[1]}",
        f"{mine[0]}: {results.errors('knn', mine[0])}{mine[1]}",
        ("yes" if holds else "no") + (", so far" if lacking else ""),
    ]


def _against(results: Results, claim: str, rival: str) -> list[str]:
    mine = results.best("knn", lambda label: label.startswith("user-knn"))
    if mine is None or ("reference", rival) not in results.cells:
        return [claim, NOT_RUN, NOT_RUN, NOT_RUN]
    holds = results.of("knn", mine[0], "rmse") < results.of("reference", rival, "rmse")
    return [
        claim,
        f"{rival}, default settings: {results.errors('reference', rival)}",
        f"{mine[0]}: {results.errors('knn', mine[0])}{mine[1]}",
        ("yes" if holds else "no") + (", so far" if mine[1] else ""),
    ]


def _query(results: Results) -> Iterator[list[str]]:
    for label in results.labels["query"]:
        claim = f"the query network ({label}) stays above a training loss of {QUERY_LOSS}"
        if ("query", label) not in results.cells:
            yield [claim, NOT_RUN, NOT_RUN, NOT_RUN]
            continue
        loss = results.of("query", label, "train_rmse")
        found = f"training RMSE {loss:.4f}, MSE {loss**2:.4f}"
        yield [claim, found, f"above {QUERY_LOSS}", "yes" if loss > QUERY_LOSS else "no"]


def _grid(results: Results) -> list[str]:
    rows = []
    for grid in Grid.all():
        whole = grid.neighbours == "all"
        sizes = COUNTS[:1] if whole else COUNTS
        found = [
            results.errors("knn", grid.label(k)).replace(NOT_RUN, "–").replace(" / ", "<br>")
            for k in sizes
        ]
        cells = found + [""] * (len(COUNTS) - len(found))
        rows.append([grid.system, grid.similarity, grid.neighbours, *cells])
    heads = ["System", "Similarity", "Neighbours", *(f"k = {k}" for k in COUNTS)]
    about = (
        "**Neighbours**: RMSE of the validation part, below it that of the test part. “raters” are "
        "the nearest of those who rated the item (for `item-knn`: of the items that the user "
        "rated); “all” has no k."
    )
    return [about, "", *_table(heads, rows)]


def _chosen(results: Results) -> list[str]:
    rows = [
        [f"{name}, default settings", *_figures(results.cells["reference", name])]
        for name in results.labels["reference"]
        if ("reference", name) in results.cells
    ]
    for grid in Grid.all():
        labels = {grid.label(k) for k in COUNTS}
        best = results.best("knn", labels.__contains__)
        if best is not None:
            rows.append([best[0] + best[1], *_figures(results.cells["knn", best[0]])])
    about = (
        "**The best k of each row** by validation error, of those that predict at least "
        f"{LEAST_COVERAGE:.0%} of the pairs themselves, and systems to compare with"
    )
    return [about, "", *_table(["Setting", *FIGURES.values()], rows)]


FIGURES = {
    "validation_rmse": "Validation RMSE",
    "train_rmse": "Train RMSE",
    "train_mae": "Train MAE",
    "rmse": "Test RMSE",
    "mae": "Test MAE",
    "ndcg_10": "NDCG@10",
    "coverage": "Coverage",
}


def _figures(cell: Mapping[str, Any]) -> list[str]:
    return ["–" if cell[name] is None else f"{cell[name]:.4f}" for name in FIGURES]


def _networks(results: Results, group: str, title: str) -> list[str]:
    rows = []
    for label in results.labels[group]:
        cell = results.cells.get((group, label))
        if cell is None:
            rows.append([label, *["–"] * len(FIGURES), NOT_RUN, "–", "–"])
            continue
        neurons = ["–"] * 3
        if "lift" in cell:
            neurons = [
                f"{cell['lift']:.1f} ({cell['genre']}, p = {cell['p_holm']:.2g})",
                f"{cell['significant']} of {cell['neurons']}",
                str(cell["dead"]),
            ]
        rows.append([label, *_figures(cell), *neurons])
    heads = [
        "Setting",
        *FIGURES.values(),
        "Lift of the best neuron",
        "Neurons with a genre",
        "Dead",
    ]
    return [f"**{title}**", "", *_table(heads, rows)]
