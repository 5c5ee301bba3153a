"""A stored report of the paper's exhibits, written without a job's work."""

import json

from recommender import store
from recommender.models import Dataset, Job
from tests.factories import NOW, JobFactory

MISSING = "The autoencoder has not been trained on films."


def _exhibit(label, title, drawing, columns=(), rows=(), **more):
    name = label.lower().replace(" ii", " 2").replace(" i", " 1").replace(" ", "-")
    numeric = [not isinstance(cell, str) for cell in rows[0]] if rows else []
    table = {"name": name, "caption": title, "columns": columns, "rows": rows, "numeric": numeric}
    return {
        "name": name,
        "label": label,
        "title": title,
        "about": "What was done.",
        "drawing": drawing,
        "tables": [table] if rows else [],
        "missing": "",
        "command": "",
        **more,
    }


LAYERS = [
    {"label": "Input", "width": 90},
    {"label": "Hidden 1", "width": 5},
    {"label": "Output", "width": 90},
]
BARS = [["1", 30], ["2", 12345]]
ERRORS = [
    {"label": "Damped bias, default", "value": 0.9, "interval": [0.8, 1.0]},
    {"label": "User-user KNN, paper", "value": 1.0, "interval": None},
]
CARDS = [{"title": "Film 2", "facts": "1990 · Drama"}, {"title": "Film 3", "facts": "1991"}]
EXHIBITS = [
    _exhibit("Figure 2", "Network", {"kind": "network", "layers": LAYERS}, ["Layer"], [["Input"]]),
    _exhibit("Figure 3", "Ratings", {"kind": "bars", "bars": BARS}, ["Rating", "Ratings"], BARS),
    _exhibit(
        "Figure 4",
        "Loss",
        {"kind": "curve", "points": [[1000, 1.5], [3000, 1.0]]},
        ["Examples", "RMSE"],
        [[1000 * n, 1.5] for n in range(20)],
    ),
    _exhibit(
        "Figure 5",
        "Errors",
        {"kind": "intervals", "panels": [{"label": "RMSE", "rows": ERRORS}]},
        ["System", "RMSE"],
        [["Damped bias", 0.9], ["User-user KNN", 1.0]],
    ),
    _exhibit(
        "Figure 6",
        "Question",
        {"kind": "question", "profile": [["Film 1", 4.5]], "cards": CARDS},
        ["Item", "Rating"],
        [["Film 1", 4.5]],
    ),
    _exhibit(
        "Table I",
        "Neurons",
        None,
        missing=MISSING,
        command="manage.py train_models --dataset films",
    ),
    _exhibit("Table II", "Two systems", None, ["Error", "KNN"], [["RMSE", 1.0]]),
]


def stored_report(dataset: Dataset) -> Job:
    facts = {
        "split": "time-90-10",
        "findings": ["The order of Table II is reproduced."],
        "exhibits": EXHIBITS,
        "files": ["figure-3.svg", "paper.pdf"],
    }
    files = {"report.json": json.dumps(facts).encode(), "figure-3.svg": b"<svg/>"}
    files["paper.pdf"] = b"%PDF"
    job = JobFactory(
        kind=Job.Kind.REPORT,
        status=Job.Status.DONE,
        params={"dataset": dataset.pk},
        finished_at=NOW,
    )
    folder = f"reports/{job.pk}-1"
    job.result = {"folder": folder, "checksum": store.write_files(folder, files)}
    job.save()
    return job
