"""The same job gives the same model, through the whole hallway, stopped on the way or not."""

from dataclasses import replace

import pytest

from recommender import store
from recommender.core.systems import SYSTEMS, system
from recommender.models import TrainedModel
from tests.recommender.fake import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]

MOMENT = 1e-9  # minutes: over with the first step
NARROW = {"hidden": (12, 8, 12), "epochs": 4, "batch_users": 2}
CHANGES = {
    "paper": NARROW,
    "compact": NARROW,
    "tuned": {"hidden": 8, "epochs": 4},
    "early": {**NARROW, "epochs": 9, "patience": 2, "validation_share": 0.2},
}
every_preset = pytest.mark.parametrize("preset", CHANGES)


@pytest.fixture
def train(start, monkeypatch):
    """Train one of the presets, made small; its model."""
    early = {"early": system("autoencoder").presets["compact"]}
    for name, more in (("autoencoder", early), ("dual-autoencoder", {})):
        presets = {**system(name).presets, **more}
        small = {key: replace(presets[key], **CHANGES[key]) for key in presets if key in CHANGES}
        monkeypatch.setitem(SYSTEMS, name, replace(system(name), presets=presets | small))

    def model(**params) -> TrainedModel:
        job = run(start(system="autoencoder", **params))
        assert job.status == "done", job.error
        return job.trained_model

    return model


def kept(model: TrainedModel) -> tuple:
    """All that is stored of what was learned and measured, to the last bit."""
    arrays = store.read_artefact(model.artefact, model.artefact_checksum)[0]
    errors = model.evaluations.values_list("n_test", "rmse", "mse", "mae", "train_rmse")
    stored = {name: (array.dtype.str, array.tobytes()) for name, array in arrays.items()}
    return stored, list(errors), model.loss_curve


@every_preset
def test_the_same_job_gives_the_same_model(train, preset):
    first, second = train(preset=preset), train(preset=preset)
    assert first.artefact != second.artefact
    assert kept(first) == kept(second)
    assert kept(first)[0] != kept(train(preset=preset, seed=1))[0]


@every_preset
def test_a_training_stopped_many_times_gives_the_same_model(train, preset):
    whole = train(preset=preset)
    stopped = [train(preset=preset, max_minutes=MOMENT) for _ in range(3)]
    assert [model.status for model in stopped] == ["partial"] * 3
    last = train(preset=preset)
    assert last.status == "done"
    assert kept(last) == kept(whole)
    seen = [model.loss_curve[-1][0] for model in stopped]
    assert seen == sorted(set(seen))  # each went on from the one before
