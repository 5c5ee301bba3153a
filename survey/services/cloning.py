"""A copy of a study, as a new draft."""

from __future__ import annotations

from survey.models import Study
from survey.services.preparing import prepare_study


def clone_study(*, study: Study, slug: str, seed: int | None = None, by: str = "") -> Study:
    """A draft with the same settings, texts and arms; nobody's answers come along. StudyError.

    Its pool is drawn by ``seed``. Without one by the study's own, which gives the same profiles
    in the same order, as long as the data set is the same.
    """
    arms = [arm.trained_model for arm in study.arms.select_related("trained_model")]
    return prepare_study(
        slug=slug,
        dataset=study.dataset,
        arms=arms,
        profiles=study.n_profiles,
        questions=study.questions_per_appraiser,
        appraisers=study.quota,
        seed=study.seed if seed is None else seed,
        minimum_profile=study.minimum_profile,
        title=study.title,
        consent_text=study.consent_text,
        instructions=study.instructions,
        by=by,
        note=f"copied from {study.slug}",
    )
