"""Stores the results of a job, always in the transaction that ends it."""

from collections.abc import Iterable, Mapping
from typing import Any

from recommender import store
from recommender.models import (
    Dataset,
    Evaluation,
    Item,
    Job,
    Recommendation,
    SearchedPreset,
    TrainedModel,
)
from recommender.services.claims import Claim, finish_job

BATCH = 1000


def keep_trained_model(
    *, claim: Claim, model: Mapping[str, Any], errors: Mapping[str, Any]
) -> TrainedModel:
    """Store a trained model with its errors; LostClaim if another worker has the job."""
    with finish_job(claim, result={"status": str(model["status"])}):
        trained = TrainedModel.objects.create(job_id=claim.job_id, artefact=claim.artefact, **model)
        Evaluation.objects.create(trained_model=trained, **errors)
    return trained


def keep_evaluation(
    *, claim: Claim, trained_model: TrainedModel, errors: Mapping[str, Any]
) -> None:
    with finish_job(claim, result={"policy": errors["policy"]}):
        Evaluation.objects.update_or_create(
            trained_model=trained_model, policy=errors["policy"], defaults=dict(errors)
        )


def keep_search(
    *,
    claim: Claim,
    dataset: Dataset,
    params: Mapping[str, Any],
    config: Mapping[str, Any],
    result: dict[str, Any],
) -> None:
    """Store the best settings of a search as the preset ``searched`` of its split."""
    place = {name: params[name] for name in ("system", "split", "split_seed")}
    with finish_job(claim, result=result):
        SearchedPreset.objects.update_or_create(
            dataset=dataset, **place, defaults={"config": config, "job_id": claim.job_id}
        )


def keep_recommendations(
    *,
    claim: Claim,
    trained_model: TrainedModel,
    rows: Iterable[tuple[int, int, float, int]],
) -> None:
    """Store ``(user, item position, score, tied)`` as each user's first recommendation."""
    items = dict(
        Item.objects.filter(dataset=trained_model.dataset, position__isnull=False).values_list(
            "position", "pk"
        )
    )
    with finish_job(claim):
        Recommendation.objects.bulk_create(
            (
                Recommendation(
                    trained_model=trained_model,
                    user=user,
                    rank=1,
                    item_id=items[position],
                    score=score,
                    tied=tied,
                )
                for user, position, score, tied in rows
            ),
            batch_size=BATCH,
            # Another job may have published for the same user; the first row stays.
            ignore_conflicts=True,
        )


def keep_report(*, claim: Claim, dataset: Dataset, checksum: str) -> None:
    """End the job with the folder of its report, and remove those of earlier jobs.

    The report of a later job stays, even if that job ended first: it is the one that is shown.
    """
    with finish_job(claim, result={"folder": claim.report, "checksum": checksum}):
        pass
    earlier = Job.objects.filter(kind=Job.Kind.REPORT, status=Job.Status.DONE)
    own = Job.objects.get(pk=claim.job_id)
    for job in earlier.filter(created_at__lt=own.created_at):
        if job.params["dataset"] == dataset.pk:
            store.remove(job.result["folder"])
