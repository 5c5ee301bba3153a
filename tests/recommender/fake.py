"""A system that runs a test's code while it fits, and a function that runs a job in place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from recommender import jobs
from recommender.core.algorithms.base import Recommender
from recommender.core.configs.base import SystemConfig
from recommender.core.runs import Progress
from recommender.core.systems import SYSTEMS, System
from recommender.models import Job
from recommender.services.claims import new_owner


@dataclass(frozen=True)
class FakeConfig(SystemConfig):
    implementation: ClassVar = f"{__name__}:Fake"

    lacked: ClassVar[tuple[str, ...]] = ()

    epochs: int = 2

    @property
    def needs(self) -> tuple[str, ...]:
        return self.lacked


class Fake(Recommender):
    """Always predicts the lowest rating of the scale."""

    name: ClassVar[str] = "fake"
    #: called with the run options in the middle of fitting
    middle: ClassVar[Callable] = staticmethod(lambda options: None)

    def _fit(self, ratings, options):
        options.progress(Progress("training", 1, 2, 1, 0.9, 12.0))
        type(self).middle(options)
        options.progress(Progress("training", 2, 2, 2, 0.8, 0.0))
        self.loss_curve_ = [(1000, 0.9), (2000, 0.8)]

    def _predict(self, profiles, rows, items, *, training, times):
        return np.full(len(rows), self.scale_.minimum)

    def _score(self, profiles, users):
        return (np.full(profiles.shape, self.scale_.minimum),)

    def _arrays(self):
        return {}

    def _restore(self, arrays):
        pass


@pytest.fixture
def fake(monkeypatch):
    """The class, registered for one test; ``fake.middle = f`` says what happens in the middle."""
    presets = {"default": FakeConfig()}
    entry = System(name="fake", label="Fake", summary="", presets=presets)
    monkeypatch.setitem(SYSTEMS, "fake", entry)
    monkeypatch.setattr(Fake, "middle", Fake.middle)
    monkeypatch.setattr(FakeConfig, "lacked", ())
    monkeypatch.setattr(FakeConfig, "is_network", False)
    return Fake


def run(job: Job) -> Job:
    jobs.run_job(job.pk, owner=new_owner())
    job.refresh_from_db()
    return job
