"""The same seed gives the same weights, whatever is trained and however often it is interrupted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.errors import Cancelled
from recommender.core.runs import RunOptions
from recommender.core.systems import system
from tests.recommender.core.matrices import random_ratings

NARROW = {"hidden": (12, 8, 6, 4, 6, 8, 12), "epochs": 3, "batch_users": 4}
RATINGS = random_ratings(2, n_users=19, n_items=15)  # 19 users make uneven batches

EVERY_TERM = {
    "weight_decay": 0.01,
    "l1": 1e-4,
    "l2": 1e-3,
    "sparsity": 0.01,
    "unrelated_weight": 0.3,
    "unrelated_per_example": 2,
    "patience": 2,
}


def preset(name, **values):
    kind = "dual-autoencoder" if name == "tuned" else "autoencoder"
    return replace(system(kind).presets[name], **values)


def of_query(name, **values):
    return replace(system("query-mlp").preset(name)[1], **values)


CONFIGS = {
    "paper": preset("paper", **NARROW),
    "paper-large": preset("paper-large", **NARROW),
    "compact": preset("compact", **NARROW),
    "tuned": preset("tuned", hidden=16, epochs=3),
    "tuned, several": preset("tuned", hidden=16, epochs=3, dual_members=2, item_members=2),
    # as wide as the layers of the presets for large data
    "wide": preset("compact", hidden=(520, 512, 520), epochs=2, batch_users=4),
    "one layer": preset("compact", **NARROW | {"hidden": (12,)}),
    "half precision": preset("compact", **NARROW),
    "everything": preset(
        "compact",
        **NARROW | EVERY_TERM | {"epochs": 12},
    ),
    "classes": preset("classes", **NARROW),
    "residual": preset("residual", **NARROW),
    "query": of_query("compact", **NARROW | {"hidden": (12, 6)}),
    "query, everything": of_query(
        "classes", residual_blocks=True, **NARROW | EVERY_TERM | {"hidden": (12, 8, 8)}
    ),
}
every_form = pytest.mark.parametrize("name", CONFIGS)


def fit(name, **options) -> Recommender:
    config = CONFIGS[name]
    precision = "bfloat16" if name == "half precision" else "auto"
    return implementation("autoencoder", config)(config).fit(
        RATINGS,
        options=RunOptions(threads=1, precision=precision, checkpoint_seconds=0, **options),
    )


def arrays(model) -> dict[str, bytes]:
    """All that is stored of a model: its weights, loss curve and training error."""
    return {name: np.ascontiguousarray(a).tobytes() for name, a in model.to_arrays().items()}


def stopped_in_pass(passes, checkpoint: Path, name) -> None:
    """Interrupt a run when it has seen that many passes; what it saw last is not written."""

    def progress(now):
        if now.phase == "training" and now.done > passes * RATINGS.n_ratings:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fit(name, checkpoint=checkpoint, progress=progress)


@every_form
def test_the_same_seed_gives_the_same_weights(name):
    assert arrays(fit(name, seed=3)) == arrays(fit(name, seed=3))


@every_form
def test_another_seed_gives_other_weights(name):
    one, other = arrays(fit(name, seed=3)), arrays(fit(name, seed=4))
    learned = [key for key in one if key.startswith(("network.", "member."))]
    assert len(learned) >= 4
    assert all(one[key] != other[key] for key in learned)


@every_form
def test_a_run_interrupted_three_times_is_the_uninterrupted_run(name, tmp_path):
    """Twice in a pass, and in a later one; each time it goes on from where it was."""
    whole, seen = arrays(fit(name)), []
    for passes in (0.2, 0.7, 1.5):
        stopped_in_pass(passes, tmp_path / "c", name)
    resumed = fit(name, checkpoint=tmp_path / "c", progress=seen.append)
    first = next(now.done for now in seen if now.phase == "training" and now.done)
    assert first > 1.2 * RATINGS.n_ratings
    assert arrays(resumed) == whole
