"""Prepares a study as a draft: draws its profiles and submits its publish jobs; deletes drafts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from django.db import IntegrityError, transaction
from numpy.typing import NDArray

from recommender.models import Dataset, Job
from recommender.selectors import eligible_users
from recommender.services.submitting import cancel_job, submit_publish
from recommender.store import StoreError
from survey import pairing
from survey.errors import DataDamaged, StudyError
from survey.models import Arm, Study, is_past_last_day
from survey.protocol.fields import LONGEST_TITLE, Protocol, StudyPlan
from survey.protocol.summary import count_noun, describe_profiles
from survey.selectors.arm_labels import Source, label_arms
from survey.selectors.checklist import arm_problems
from survey.selectors.drawing import all_published
from survey.services.uploading import keep_upload
from survey.uploads import UploadedList
from survey.wording.of_study import StudyTexts, write_texts

#: Profiles drawn for each one wanted: where both arms recommend the same movie, the next is tried.
POOL_FACTOR = 4
POOL_AT_LEAST = 200
#: /research/data/ leads to the pages of data sets
RESERVED_SLUGS = {"data"}


def prepare_study(
    *,
    slug: str,
    dataset: Dataset,
    arms: Sequence[Source],
    plan: StudyPlan,
    texts: StudyTexts | None = None,
    protocol: Protocol | None = None,
    by: str = "",
    note: str = "",
) -> Study:
    """A draft with its pool of profiles, and a publish job for each trained arm. StudyError."""
    texts, protocol = texts or StudyTexts(), protocol or Protocol()
    protocol.check()
    if not re.fullmatch("[A-Za-z0-9_-]{1,60}", slug):
        raise StudyError(
            "The name of a study is part of its address. Use letters, digits, - and _, at most 60."
        )
    if slug in RESERVED_SLUGS:
        raise StudyError(
            f"The name {slug!r} is part of other addresses. Choose another name for the study."
        )
    if len(texts.title) > LONGEST_TITLE:
        raise StudyError(f"The title is longer than {LONGEST_TITLE} characters. Shorten it.")
    _check_protocol_fits(protocol, plan)
    _check_arms(dataset, arms)
    eligible = _eligible_users(dataset, arms, plan, protocol)
    texts = write_texts(
        texts,
        questions=plan.questions,
        protocol=protocol,
        about_movies=dataset.holds_movies,
    )
    size = max(POOL_FACTOR * plan.profiles, POOL_AT_LEAST)
    pool = pairing.draw_pool(eligible, size, pairing.generator(plan.seed, pairing.Stream.POOL))
    try:
        with transaction.atomic():
            study = Study.objects.create(
                slug=slug,
                dataset=dataset,
                seed=plan.seed,
                n_profiles=plan.profiles,
                questions_per_appraiser=plan.questions,
                quota=plan.appraisers,
                minimum_profile=plan.minimum_profile,
                profile_pool=pool,
                **dict(protocol) | vars(texts),
            )
            study.events.create(at=study.created_at, to_status=study.status, by=by, note=note)
            for position, (source, label) in enumerate(zip(arms, label_arms(arms), strict=True)):
                _create_arm(study, position, label, source)
    except IntegrityError as error:
        # The constraint decides: another request may have taken the name a moment ago.
        if Study.objects.filter(slug=slug).exists():
            raise StudyError(f"There is a study {slug!r} already. Choose another name.") from error
        raise
    return study


def _create_arm(study: Study, position: int, label: str, source: Source) -> None:
    arm = Arm(study=study, position=position, label=label)
    if isinstance(source, UploadedList):
        arm.upload_name, arm.upload_checksum = source.system, source.checksum
        arm.save()
        keep_upload(arm=arm, upload=source)
        return
    arm.trained_model = source
    arm.publish_job = submit_publish(trained_model=source, users=study.profile_pool)
    arm.save()


def _eligible_users(
    dataset: Dataset, arms: Sequence[Source], plan: StudyPlan, protocol: Protocol
) -> NDArray[np.int64]:
    """The users whose profiles can be drawn. StudyError where they are too few."""
    try:
        found = eligible_users(
            dataset=dataset,
            minimum=plan.minimum_profile,
            maximum=protocol.maximum_profile,
            era=(protocol.era_from, protocol.era_to),
        )
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    uploads = [source for source in arms if isinstance(source, UploadedList)]
    for upload in uploads:
        found = np.intersect1d(found, upload.covered(), assume_unique=True)
    if len(found) >= plan.profiles:
        return found
    profiles = f"{count_noun(len(found), 'profile')} {describe_profiles(protocol, plan)}"
    remedy = "Ask for fewer profiles, or relax the limits on size and years."
    if uploads:
        profiles += f" in the uploaded list of {' and of '.join(each.system for each in uploads)}"
        remedy = "Ask for fewer profiles, or upload recommendations for more of them."
    raise StudyError(
        f"profiles = {plan.profiles} is not possible: {dataset.name} has only {profiles}. {remedy}"
    )


def publish_again(*, study: Study) -> list[Job]:
    """Submit failed and cancelled publish jobs again; the jobs to wait for."""
    waiting = []
    for arm in study.arms.exclude(trained_model=None).select_related(
        "trained_model", "publish_job"
    ):
        job = arm.publish_job
        if all_published(study, arm):
            continue
        if job is None or job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
            with transaction.atomic():
                job = submit_publish(trained_model=arm.model, users=study.profile_pool)
                Arm.objects.filter(pk=arm.pk).update(publish_job=job)
        if job.status != Job.Status.DONE:
            waiting.append(job)
    return waiting


@transaction.atomic
def delete_draft(*, study: Study) -> None:
    """Delete a draft, so that its name is free again. StudyError once the study has opened."""
    # Another request may be opening it: the lock decides which comes first.
    draft = Study.objects.select_for_update().filter(pk=study.pk, status=Study.Status.DRAFT).first()
    if draft is None:
        raise StudyError(f"Only a draft can be deleted, and {study.slug!r} is not a draft.")
    for job_id in draft.arms.exclude(publish_job=None).values_list("publish_job", flat=True):
        cancel_job(job_id)
    draft.delete()


def _check_protocol_fits(protocol: Protocol, plan: StudyPlan) -> None:
    """StudyError unless the protocol is possible in a study of this size, now."""
    needed = plan.questions + protocol.n_practice + protocol.n_checks
    if plan.profiles < needed:
        raise StudyError(
            f"profiles = {plan.profiles} is not possible: the questions of one appraiser, with "
            f"practice and checks, need {needed} different profiles. Ask for more profiles, or "
            "fewer questions."
        )
    if protocol.n_repeats > plan.questions:
        raise StudyError(
            f"n_repeats = {protocol.n_repeats} is not possible: an appraiser has "
            f"{plan.questions} questions. Repeat fewer."
        )
    if is_past_last_day(protocol.withdraw_until):
        raise StudyError(
            f"withdraw_until = {protocol.withdraw_until} has passed, so the study could never "
            "open. Give a later day, or none."
        )
    if is_past_last_day(protocol.retain_until):
        raise StudyError(
            f"retain_until = {protocol.retain_until} has passed. Give a later day, or none."
        )
    maximum = protocol.maximum_profile
    if maximum is not None and maximum < plan.minimum_profile:
        raise StudyError(
            f"maximum_profile = {maximum} is not possible: it is less than minimum_profile = "
            f"{plan.minimum_profile}. Swap the two, or choose other limits."
        )


def _check_arms(dataset: Dataset, arms: Sequence[Source]) -> None:
    uploads = [(arm.system, arm.checksum) for arm in arms if isinstance(arm, UploadedList)]
    models = [None if isinstance(arm, UploadedList) else arm for arm in arms]
    for problem in arm_problems(dataset, models):
        raise StudyError(problem)
    if len(set(uploads)) < len(uploads):
        raise StudyError("Two arms are the same uploaded list. Name two different systems.")
