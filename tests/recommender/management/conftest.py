"""What the tests of commands share: quick polling, and a call that returns what was printed."""

import pytest
from django.core.management import call_command

from recommender.management import following


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(following, "NO_WORKER_SECONDS", 0.3)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.02)


@pytest.fixture
def command(dataset, capsys):
    """Run train_models on the data set; what it printed on standard output."""

    def run(*options: str, systems: str = "bias") -> str:
        capsys.readouterr()
        try:
            call_command("train_models", "--dataset", dataset.name, "--systems", systems, *options)
        finally:
            run.printed, run.told = capsys.readouterr()
        return run.printed

    return run
