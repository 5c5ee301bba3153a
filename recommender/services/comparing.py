"""Submits what a table of systems still lacks: a training or an evaluation, one job at a time."""

from collections.abc import Sequence
from typing import Any

from recommender.comparison import TableRow, evaluation_of, open_job, trained_for
from recommender.core.errors import ConfigurationError
from recommender.core.profile_policies import POLICIES, TRAIN_ONLY
from recommender.core.splitting import protocols_of
from recommender.loaders import load_ratings
from recommender.models import Dataset, Job
from recommender.selectors import find_preset, lacking_needs
from recommender.services.submitting import submit_job, training_params


def plan_lines(
    *,
    dataset: Dataset,
    systems: Sequence[str],
    profile: str,
    seeds: int,
    preset: str = "",
    split: str = "time-90-10",
    **options: Any,
) -> list[TableRow]:
    """A line for each system; a network is trained with ``seeds`` seeds, others with one.

    ``options`` are those of ``training_params``. ConfigurationError if they cannot work.
    """
    if profile not in POLICIES:
        raise ConfigurationError(
            f"There is no profile policy {profile!r}. Choose from: {', '.join(POLICIES)}."
        )
    if profile == "history" and dataset.first_rated_at is None:
        raise ConfigurationError(
            f"{dataset.name} has no time stamps, so no profile can end before the test rating. "
            "Choose another policy of profiles."
        )
    lines = []
    for name in systems:
        config = find_preset(
            dataset=dataset,
            system=name,
            preset=preset,
            split=split,
            split_seed=options.get("split_seed", 0),
        )[1]
        line = TableRow(dataset=dataset, system=name, split=split, profile=profile)
        line.lacks = lacking_needs(dataset, config)
        if not line.lacks:
            request: dict[str, Any] = {
                "dataset": dataset,
                "system": name,
                "preset": preset,
                "split": split,
            }
            n_trainings = seeds if config.is_network else 1
            line.params = [
                training_params(**request, **options, seed=seed) for seed in range(n_trainings)
            ]
        lines.append(line)
    return lines


def supported_tables(dataset: Dataset) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Every split with a policy of profiles, and why the data set does not support other splits.

    The policies differ most for new users, so all are there for the paper's split by time only.
    """
    reasons = protocols_of(load_ratings(dataset))
    tables = [
        (name, profile)
        for name, reason in reasons.items()
        if not reason
        for profile in (POLICIES if name == "time-90-10" else (TRAIN_ONLY,))
    ]
    return tables, {name: reason for name, reason in reasons.items() if reason}


def next_job(line: TableRow, nth: int, *, announce: bool = True) -> Job | None:
    """The job that the training with this number needs next; None if its figures are there.

    A job that waits or runs already is returned instead of a second one.
    """
    params: dict[str, Any] = {**line.params[nth], "background": True}
    kind = Job.Kind.TRAIN
    if model := trained_for(params):
        if evaluation_of(model, line.profile):
            return None
        kind = Job.Kind.EVALUATE
        params = {
            "trained_model": model.pk,
            "device": params["device"],
            "profile": line.profile,
            "background": True,
        }
    return open_job(kind, params) or submit_job(kind=kind, params=params, announce=announce)
