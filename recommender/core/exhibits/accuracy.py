"""Table II and Figure 5: the errors of the systems, and what they say of the paper's claims."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import Any

from recommender.core.exhibits.exhibit import Cell, Exhibit, Table
from recommender.core.exhibits.paper import Result

SIGNIFICANT = 0.01  # the paper's level
#: the paper's Table II: training and test error
PAPER_AUTOENCODER = (0.4209, 0.3544)
PAPER_KNN_TEST = 11.6715
#: what the error may be: a name, and the factor and power of the RMSE
DEFINITIONS = (("RMSE", 1, 1.0), ("MSE", 2, 1.0), ("half MSE", 2, 0.5))
NEAR = 0.05  # relative difference at which a value counts as reproduced
#: the paper's query network never got below this training loss (section III-A.2)
PAPER_QUERY_LOSS = 1.2


def compare_two(
    knn: Result | None, autoencoder: Result | None, lacking: str, command: str
) -> Exhibit:
    """Table II in three definitions of the error, next to the paper's values."""
    names = ("table-2", "Table II", "Training and test error of the two systems")
    if knn is None or autoencoder is None or knn.rmse is None or autoencoder.rmse is None:
        return Exhibit(*names, missing=lacking, command=command)
    rows: list[list[Cell]] = [
        [part, name, *(rmse and factor * rmse**power for rmse in rmses), *paper]
        for part, rmses, paper in (
            ("Training", (None, autoencoder.train_rmse), (None, PAPER_AUTOENCODER[0])),
            ("Test", (knn.rmse, autoencoder.rmse), (PAPER_KNN_TEST, PAPER_AUTOENCODER[1])),
        )
        for name, power, factor in DEFINITIONS
    ]
    columns = ("Ratings", "Error", knn.label, autoencoder.label, "Paper: KNN", "Paper: autoencoder")
    about = (
        f"Presets {knn.preset} and {autoencoder.preset}. The paper calls its error RMSE, but its "
        "Equation 1 is the mean squared error and its Equation 2 has a factor of one half, so each "
        "error is given in the three definitions. A KNN system has no training error."
    )
    return Exhibit(*names, about, [Table(names[0], names[2], columns, rows)])


def compare_all(results: Sequence[Result], lacking: str, command: str) -> Exhibit:
    """Figure 5: RMSE and MAE of every system, lowest RMSE first; rankers have neither."""
    names = ("figure-5", "Figure 5", "RMSE and MAE of every system")
    measured = sorted(
        (one for one in results if one.rmse is not None and one.mae is not None),
        key=lambda one: one.rmse or 0.0,
    )
    if not measured:
        return Exhibit(*names, missing=lacking, command=command)
    rows = [
        [
            one.label,
            one.preset,
            one.rmse,
            *(one.rmse_interval or (None, None)),
            one.mae,
            *(one.mae_interval or (None, None)),
            one.seeds,
            one.rmse_spread,
            one.mae_spread,
            one.p,
            one.p_holm,
        ]
        for one in measured
    ]
    columns = (
        "System", "Preset", "RMSE", "from", "to", "MAE", "from", "to", "Seeds", "SD of RMSE",
        "SD of MAE", "p", "p after Holm",
    )  # fmt: skip
    about = (
        "Errors on the test ratings, with 95 % intervals over users where they are stored. Where "
        "models of several seeds are stored, errors are means over them, with their standard "
        "deviation; each user’s errors are averaged before they are compared. "
        "p is that of a randomisation test over users of the RMSE against the autoencoder’s. "
        "Systems that only order items have no error and are left out."
    )
    panels = [_panel(label, measured) for label in ("RMSE", "MAE")]
    table = Table(names[0], names[2], columns, rows)
    return Exhibit(*names, about, [table], {"kind": "intervals", "panels": panels})


def _panel(label: str, results: Sequence[Result]) -> dict[str, Any]:
    found = [
        (one.rmse, one.rmse_interval) if label == "RMSE" else (one.mae, one.mae_interval)
        for one in results
    ]
    rows = [
        {"label": f"{one.label}, {one.preset}", "value": value, "interval": interval}
        for one, (value, interval) in zip(results, found, strict=True)
    ]
    return {"label": label, "rows": rows}


def state_findings(
    results: Sequence[Result], autoencoder: Result | None, knn: Result | None, clusters: str
) -> list[str]:
    """What of the paper is reproduced, what is not and why: one sentence for each claim.

    ``clusters`` is the sentence on Table I.
    """
    found = []
    if autoencoder and knn and autoencoder.rmse is not None and knn.rmse is not None:
        found += _table_two(autoencoder, knn, autoencoder.rmse, knn.rmse)
    if autoencoder and len(autoencoder.loss_curve) > 1:
        seen, losses = autoencoder.loss_curve[-1][0], [loss for _, loss in autoencoder.loss_curve]
        tenth = -(-len(losses) // 10)
        first, last = (sum(part) / tenth for part in (losses[:tenth], losses[-tenth:]))
        falls = "falls, as in Figure 4," if last < first else "does not fall as in Figure 4:"
        found.append(
            f"The training loss {falls} from a mean of {first:.3f} in the first tenth of "
            f"{seen:,} examples to {last:.3f} in the last."
        )
    found += _against_all(results, autoencoder)
    if clusters:
        found.append(clusters)
    query = next((one for one in results if one.system == "query-mlp" and one.train_rmse), None)
    if query and query.train_rmse:
        below = query.train_rmse < PAPER_QUERY_LOSS
        found.append(
            "The paper gave up its query network because its training loss stayed above "
            f"{PAPER_QUERY_LOSS}; here it ends at an RMSE of {query.train_rmse:.3f}, so this is "
            f"{'not ' if below else ''}reproduced."
        )
    found.append(
        "Not run here: the Netflix contest’s systems, of which only the scores are published. "
        "The paper’s preference of 71.67 % comes from people; a study of this site "
        "measures its own and shows it on its results page."
    )
    return found


def _table_two(autoencoder: Result, knn: Result, error: float, knn_error: float) -> list[str]:
    lower = error < knn_error
    fitting = [
        definition
        for definition, power, factor in DEFINITIONS
        if isclose(factor * error**power, PAPER_AUTOENCODER[1], rel_tol=NEAR)
        and isclose(factor * knn_error**power, PAPER_KNN_TEST, rel_tol=NEAR)
    ]
    values = f"{PAPER_AUTOENCODER[1]} and {PAPER_KNN_TEST}"
    found = [
        (
            f"The autoencoder’s test RMSE is {error:.3f} and that of {knn.label} {knn_error:.3f}, "
            f"so the order of Table II is {'' if lower else 'not '}reproduced."
        ),
        f"Its values, {values}, are reproduced as {' and '.join(fitting)}."
        if fitting
        else f"Its values, {values}, are not: no definition of the error gives both, neither the "
        "RMSE that the paper names nor the forms that its equations print.",
    ]
    if autoencoder.train_rmse is not None:
        above = autoencoder.train_rmse > error
        found.append(
            f"The training error is {'above' if above else 'below'} the test error "
            f"({autoencoder.train_rmse:.3f} and {error:.3f}); in the paper it is above."
        )
    return found


def _against_all(results: Sequence[Result], autoencoder: Result | None) -> list[str]:
    if autoencoder is None or autoencoder.rmse is None:
        return []
    others = [one for one in results if one is not autoencoder and one.rmse is not None]
    better = [one for one in others if (one.rmse or 0.0) < autoencoder.rmse]
    if not others:
        return []
    if better:
        listed = ", ".join(f"{one.label} ({one.preset})" for one in better)
        found = [
            (
                f"{len(better)} of {len(others)} other trained models have a lower test RMSE than "
                f"the autoencoder, so Figure 5, in which it is lowest, is not reproduced: {listed}."
            )
        ]
    else:
        found = [
            (
                f"The autoencoder has the lowest test RMSE of {len(others) + 1} trained models, as "
                "in Figure 5."
            )
        ]
    tested = [one for one in others if one.p is not None and one.p_holm is not None]
    if not tested:
        return [*found, "Whether these differences are significant is not stored."]
    before = sum((one.p or 0.0) < SIGNIFICANT for one in tested)
    after = sum((one.p_holm or 0.0) < SIGNIFICANT for one in tested)
    return [
        *found,
        (
            f"{before} of {len(tested)} differences are significant at p < {SIGNIFICANT}, {after} "
            "after Holm’s correction; the paper reports all of them as significant."
        ),
    ]
