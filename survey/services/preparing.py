"""A draft: checked, its profiles drawn, its recommendations ordered; or deleted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from numpy.typing import NDArray

from recommender.models import Dataset, Job
from recommender.selectors import eligible_users
from recommender.services.submitting import cancel_job, submit_publish
from recommender.store import StoreError
from survey import pairing
from survey.errors import DataDamaged, StudyError
from survey.models import Arm, Study, is_past_last_day
from survey.protocol import questionnaires
from survey.protocol.fields import LONGEST_TITLE, Protocol
from survey.selectors.arm_labels import Source, label_arms
from survey.selectors.checklist import arm_problems
from survey.selectors.drawing import all_published
from survey.services.status import record_event
from survey.services.uploading import keep_upload
from survey.uploads import UploadedList
from survey.wording.new_study import wording

#: Profiles drawn for one that is wanted: where both arms name the same movie, the next is tried.
POOL_FACTOR = 4
POOL_AT_LEAST = 200
LARGEST_SEED = 2**63 - 1


def prepare_study(
    *,
    slug: str,
    dataset: Dataset,
    arms: Sequence[Source],
    profiles: int,
    questions: int,
    appraisers: int,
    seed: int,
    minimum_profile: int = 5,
    title: str = "",
    consent_text: str = "",
    instructions: str = "",
    protocol: Protocol | None = None,
    by: str = "",
    note: str = "",
) -> Study:
    """A draft with its pool of profiles, and a publish job for each trained arm. StudyError."""
    protocol = protocol or Protocol()
    protocol.check()
    # Built-in questionnaires are written out, so that they are frozen with the rest.
    before, after = map(questionnaires.expand, (protocol.before, protocol.after))
    protocol = replace(protocol, before=before, after=after)
    _check_numbers(
        slug=slug,
        profiles=profiles,
        questions=questions,
        appraisers=appraisers,
        seed=seed,
        minimum_profile=minimum_profile,
    )
    if len(title) > LONGEST_TITLE:
        raise StudyError(f"The title is longer than {LONGEST_TITLE} characters. Shorten it.")
    _check_course(protocol, profiles=profiles, questions=questions, minimum_profile=minimum_profile)
    _check_arms(dataset, arms)
    eligible = _eligible(dataset, arms, profiles, minimum_profile, protocol)
    words = wording(
        questions=questions,
        protocol=protocol,
        title=title,
        consent_text=consent_text,
        instructions=instructions,
    )
    size = max(POOL_FACTOR * profiles, POOL_AT_LEAST)
    pool = pairing.draw_pool(eligible, size, pairing.generator(seed, pairing.Stream.POOL))
    try:
        with transaction.atomic():
            study = Study.objects.create(
                slug=slug,
                title=words.title,
                dataset=dataset,
                consent_text=words.consent_text,
                instructions=words.instructions,
                seed=seed,
                n_profiles=profiles,
                questions_per_appraiser=questions,
                quota=appraisers,
                minimum_profile=minimum_profile,
                profile_pool=pool,
                **asdict(replace(protocol, translations=words.translations)),
            )
            record_event(
                study=study, start="", end=study.status, at=study.created_at, by=by, note=note
            )
            for position, (source, label) in enumerate(zip(arms, label_arms(arms), strict=True)):
                _make_arm(study, position, label, source)
    except IntegrityError as error:
        # The constraint decides: somebody may have taken the name a moment ago.
        if Study.objects.filter(slug=slug).exists():
            raise StudyError(f"There is a study {slug!r} already. Choose another name.") from error
        raise
    return study


def _make_arm(study: Study, position: int, label: str, source: Source) -> None:
    if isinstance(source, UploadedList):
        arm = Arm.objects.create(
            study=study,
            position=position,
            label=label,
            upload_name=source.system,
            upload_checksum=source.checksum,
        )
        keep_upload(arm=arm, upload=source)
        return
    Arm.objects.create(
        study=study,
        position=position,
        label=label,
        trained_model=source,
        publish_job=submit_publish(trained_model=source, users=study.profile_pool),
    )


def _eligible(
    dataset: Dataset,
    arms: Sequence[Source],
    profiles: int,
    minimum: int,
    protocol: Protocol,
) -> NDArray[np.int64]:
    """The users whose profiles may be drawn. StudyError where they are too few."""
    maximum, era = protocol.maximum_profile, (protocol.era_from, protocol.era_to)
    try:
        found = eligible_users(dataset=dataset, minimum=minimum, maximum=maximum, era=era)
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    uploads = [source for source in arms if isinstance(source, UploadedList)]
    for upload in uploads:
        found = np.intersect1d(found, upload.covered(), assume_unique=True)
    if len(found) >= profiles:
        return found
    size = f"{minimum} movies or more" if maximum is None else f"{minimum} to {maximum} movies"
    users = "1 user" if len(found) == 1 else f"{len(found)} users"
    words = [f"only {users} of {dataset.name} rated {size}"]
    remedy = "Ask for fewer profiles, or shorter ones."
    if era != (None, None):
        words.append(f"with a median year {_years(*era)}")
        remedy = "Ask for fewer profiles, or for other ones."
    if uploads:
        are = "is" if len(found) == 1 else "are"
        words.append(f"and {are} in the uploaded list of {' and of '.join(map(_system, uploads))}")
        remedy = "Ask for fewer profiles, or upload recommendations for more of them."
    wanted = "1 profile is" if profiles == 1 else f"{profiles} profiles are"
    raise StudyError(f"{wanted} wanted, but {' '.join(words)}. {remedy}")


def _years(first: int | None, last: int | None) -> str:
    if first is None:
        return f"up to {last}"
    return f"from {first} on" if last is None else f"from {first} to {last}"


def _system(upload: UploadedList) -> str:
    return upload.system


def publish_again(*, study: Study) -> list[Job]:
    """Order anew what a failed or cancelled job left undone; the jobs to wait for."""
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
    """Remove a draft for good, so that its name is free again. StudyError once it has opened."""
    # Somebody may be opening it: the lock decides who comes first.
    draft = Study.objects.select_for_update().filter(pk=study.pk, status=Study.Status.DRAFT).first()
    if draft is None:
        raise StudyError(f"Only a draft can be deleted; {study.slug!r} is none.")
    for job_id in draft.arms.exclude(publish_job=None).values_list("publish_job", flat=True):
        cancel_job(job_id)
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
            f"{questions} questions an appraiser need {questions} different profiles, more "
            f"than the {profiles} asked for. Ask for more profiles, or fewer questions."
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise StudyError(f"A seed of {seed} is not possible. Choose 0 to {LARGEST_SEED}.")


def _check_course(
    protocol: Protocol, *, profiles: int, questions: int, minimum_profile: int
) -> None:
    beside = protocol.n_practice + protocol.n_checks
    if profiles < questions + beside:
        raise StudyError(
            f"{questions} questions an appraiser and {beside} for practice and checks need "
            f"{questions + beside} different profiles, more than the {profiles} asked for. Ask for "
            "more profiles, or fewer questions."
        )
    if protocol.n_repeats > questions:
        raise StudyError(
            f"{protocol.n_repeats} of {questions} questions cannot be repeated. Repeat fewer."
        )
    if is_past_last_day(protocol.withdraw_until):
        raise StudyError(
            f"Answers can be erased until {protocol.withdraw_until}, which has passed: the study "
            "could never open. Give a later day, or none."
        )
    maximum = protocol.maximum_profile
    if maximum is not None and maximum < minimum_profile:
        raise StudyError(
            f"A profile of {minimum_profile} to {maximum} movies is not possible. Swap the two, or "
            "choose other limits."
        )


def _check_arms(dataset: Dataset, arms: Sequence[Source]) -> None:
    uploads = [(arm.system, arm.checksum) for arm in arms if isinstance(arm, UploadedList)]
    models = [None if isinstance(arm, UploadedList) else arm for arm in arms]
    for problem in arm_problems(dataset, models):
        raise StudyError(problem)
    if len(set(uploads)) < len(uploads):
        raise StudyError("Two arms are the same uploaded list. Name two different systems.")
