"""A draft: checked, its profiles drawn, its recommendations ordered; or deleted again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from recommender.core.systems import SYSTEMS
from recommender.models import Dataset, Job, TrainedModel
from recommender.selectors import eligible_users, recommendations_for
from recommender.services import cancel, submit_publish
from recommender.store import StoreError
from survey import pairing, texts
from survey.errors import DataDamaged, StudyError
from survey.models import Arm, Study
from survey.selectors.checklist import arm_problems
from survey.services.life import record

#: Profiles drawn for one that is wanted: where both arms name the same movie, the next is tried.
POOL_FACTOR = 4
POOL_AT_LEAST = 200
LARGEST_SEED = 2**63 - 1


def prepare_study(
    *,
    slug: str,
    dataset: Dataset,
    arms: Sequence[TrainedModel],
    profiles: int,
    questions: int,
    appraisers: int,
    seed: int,
    minimum_profile: int = 5,
    title: str = "",
    consent_text: str = "",
    instructions: str = "",
    by: str = "",
    note: str = "",
) -> Study:
    """A draft with its pool of profiles, and one publish job for each arm. StudyError."""
    _check_numbers(
        slug=slug,
        profiles=profiles,
        questions=questions,
        appraisers=appraisers,
        seed=seed,
        minimum_profile=minimum_profile,
    )
    _check_arms(dataset, arms)
    try:
        eligible = eligible_users(dataset=dataset, minimum=minimum_profile)
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    if len(eligible) < profiles:
        raise StudyError(
            f"{profiles} profiles are wanted, but only {len(eligible)} users of {dataset.name} "
            f"rated {minimum_profile} movies or more. Ask for fewer profiles, or shorter ones."
        )
    size = max(POOL_FACTOR * profiles, POOL_AT_LEAST)
    pool = pairing.draw_pool(eligible, size, pairing.generator(seed, pairing.Stream.POOL))
    try:
        with transaction.atomic():
            study = Study.objects.create(
                slug=slug,
                title=title or texts.TITLE,
                dataset=dataset,
                consent_text=consent_text or texts.consent(questions),
                instructions=instructions or texts.INSTRUCTIONS,
                seed=seed,
                n_profiles=profiles,
                questions_per_appraiser=questions,
                quota=appraisers,
                minimum_profile=minimum_profile,
                profile_pool=pool,
            )
            record(study=study, start="", end=study.status, at=study.created_at, by=by, note=note)
            for position, (model, label) in enumerate(zip(arms, _labels(arms), strict=True)):
                Arm.objects.create(
                    study=study,
                    position=position,
                    label=label,
                    trained_model=model,
                    publish_job=submit_publish(trained_model=model, users=pool),
                )
    except IntegrityError as error:
        # The constraint decides: somebody may have taken the name a moment ago.
        if Study.objects.filter(slug=slug).exists():
            raise StudyError(f"There is a study {slug!r} already. Choose another name.") from error
        raise
    return study


def publish_again(*, study: Study) -> list[Job]:
    """Order anew what a failed or cancelled job left undone; the jobs to wait for."""
    waiting = []
    for arm in study.arms.select_related("trained_model", "publish_job"):
        job = arm.publish_job
        if job is None or job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
            done = recommendations_for(trained_model=arm.trained_model, users=study.profile_pool)
            if job is None and len(done) == len(study.profile_pool):
                continue
            with transaction.atomic():
                job = submit_publish(trained_model=arm.trained_model, users=study.profile_pool)
                Arm.objects.filter(pk=arm.pk).update(publish_job=job)
        if job.status != Job.Status.DONE:
            waiting.append(job)
    return waiting


@transaction.atomic
def delete_draft(*, study: Study) -> None:
    """Remove a draft for good, so that its name is free again. StudyError once it has opened."""
    # Somebody may be opening it: the lock decides who comes first.
    draft = Study.objects.select_for_update().filter(pk=study.pk, status=Study.Status.DRAFT).first()
    if draft is None:
        raise StudyError(f"Only a draft can be deleted; {study.slug!r} is none.")
    for job_id in draft.arms.exclude(publish_job=None).values_list("publish_job", flat=True):
        cancel(job_id)
    draft.delete()


def _check_numbers(*, slug: str, seed: int, profiles: int, questions: int, **counts: int) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        slug = ""
    if not slug or len(slug) > 60:
        raise StudyError(
            "The name of a study is its address: letters, digits, - and _, at most 60 of them."
        )
    for name, number in {"profiles": profiles, "questions": questions, **counts}.items():
        if not 1 <= number <= 2**15 - 1:
            words = name.replace("_", " ")
            raise StudyError(f"{words} = {number} is not possible. Choose 1 to {2**15 - 1}.")
    if profiles < questions:
        raise StudyError(
            f"{questions} questions an appraiser need {questions} different profiles, but only "
            f"{profiles} are asked for. Ask for more profiles, or fewer questions."
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise StudyError(f"A seed of {seed} is not possible. Choose 0 to {LARGEST_SEED}.")


def _check_arms(dataset: Dataset, arms: Sequence[TrainedModel]) -> None:
    for problem in arm_problems(dataset, arms):
        raise StudyError(problem)


def _labels(models: Sequence[TrainedModel]) -> list[str]:
    """Names that tell the arms apart and say no more than that."""
    systems = [
        SYSTEMS[model.system].label if model.system in SYSTEMS else model.system for model in models
    ]
    with_presets = [
        f"{label} ({model.preset})" for label, model in zip(systems, models, strict=True)
    ]
    with_ids = [
        f"{label} ({model.preset}, model {model.pk})"
        for label, model in zip(systems, models, strict=True)
    ]
    seen, seen_presets = Counter(systems), Counter(with_presets)
    return [
        label if seen[label] == 1 else longer if seen_presets[longer] == 1 else longest
        for label, longer, longest in zip(systems, with_presets, with_ids, strict=True)
    ]
