"""Runs a search for better settings of one system, on a validation slice of the training part."""

from dataclasses import asdict, replace
from typing import Any

from django.db import close_old_connections

from recommender.core import systems
from recommender.core.algorithms.base import implementation
from recommender.core.configs.spaces import SPACES
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.evaluation import evaluate
from recommender.core.runs import Progress, RunOptions
from recommender.core.searching import Trial, best_trial, propose_settings
from recommender.core.splitting import BY_TIME, Split, split
from recommender.lease import Lease
from recommender.loaders import load_ratings
from recommender.models import Dataset, Job
from recommender.services.claims import keep_result
from recommender.services.publishing import keep_search


def run_tuning(job: Job, lease: Lease, options: RunOptions) -> None:
    """Try as many settings as the job says; the first trial is the preset itself.

    Each trial is stored when it ends, so that an interrupted job goes on with the next one.
    """
    params, dataset = job.params, Dataset.objects.get(pk=job.params["dataset"])
    lease.phase("loading")
    ratings = load_ratings(dataset)
    lease.phase("splitting")
    parts = validation_parts(split(ratings, params["split"], params["split_seed"]), params)
    preset = systems.config_from_dict(params["system"], params["config"])
    trials = [Trial(**each) for each in job.result.get("trials", [])]
    while len(trials) < params["trials"]:
        number = len(trials)
        settings = (
            propose_settings(SPACES[params["system"]], trials, params["seed"]) if number else {}
        )
        config = replace(preset, **settings)
        loss = _loss(params, config, parts, lease, options, number)
        trials.append(Trial(settings, loss))
        close_old_connections()  # the last query of this thread may be hours ago
        keep_result(lease.claim, {"trials": [asdict(trial) for trial in trials]})
    best = best_trial(trials)
    if best is None:
        raise FitError(
            f"None of {len(trials)} trials could be trained. Train the preset alone to see why."
        )
    config = replace(preset, **trials[best].settings)
    keep_search(
        claim=lease.claim,
        dataset=dataset,
        params=params,
        config=systems.config_to_dict(config),
        result={"trials": [asdict(trial) for trial in trials], "best": best},
    )


def validation_parts(parts: Split, params: dict[str, Any]) -> Split:
    """The training part divided as the whole was: by time if the split is by time, else at random.

    The test ratings of ``parts`` are in neither side.
    """
    name = "time-90-10" if params["split"] in BY_TIME else "random-90-10"
    return split(parts.train, name, params["seed"])


def _loss(
    params: dict[str, Any],
    config: Any,
    parts: Split,
    lease: Lease,
    options: RunOptions,
    number: int,
) -> float | None:
    """The RMSE of validation ratings, or 1 - NDCG@10 of a ranker; None if training failed."""
    total = params["trials"]

    def report(step: Progress) -> None:
        phase = f"trial {number + 1} of {total}: {step.phase}"
        lease.report(replace(step, phase=phase[:40], seconds_left=None, done=number, total=total))

    model = implementation(params["system"], config)(config)
    try:
        model.fit(parts.train, options=replace(options, seed=params["seed"], progress=report))
    except (ConfigurationError, FitError):
        return None  # settings that do not go together, or a loss that diverged
    if model.ranks_by_rating:
        return float(evaluate(model, parts, most_lists=1, progress=report)["rmse"])
    ndcg = evaluate(model, parts, progress=report)["ndcg_10"]
    return None if ndcg is None else 1.0 - float(ndcg)
