"""What a study needs before it opens, and what of that is missing, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.models import Dataset, TrainedModel
from survey.models import Arm, Study
from survey.selectors.drawing import Drawing, draw, published
from survey.selectors.protocol_checks import Check, course_checks

#: Every pair of arms is asked about: eight arms make 28 pairs.
MOST_ARMS = 8


@dataclass(frozen=True)
class Checklist:
    """``drawing`` holds the questions to store; None while they cannot be drawn."""

    checks: list[Check]
    drawing: Drawing | None

    @property
    def missing(self) -> list[str]:
        return [words for check in self.checks for words in check.missing]

    @property
    def met(self) -> bool:
        return all(check.met for check in self.checks)


def checklist(study: Study) -> Checklist:
    """Everything a draft needs to open, with what is missing and how to mend it."""
    arms = list(study.arms.select_related("trained_model__dataset", "publish_job"))
    fair = arm_problems(study.dataset, [arm.trained_model for arm in arms])
    sources = [published(study, arm) for arm in arms]
    waiting = [source.problem for source in sources if source.problem]
    pending = any(source.pending for source in sources)
    drawing = draw(study, sources) if len(arms) > 1 and not waiting else None
    checks = [
        Check(_fair_words(arms), fair),
        Check("Every profile has its recommendations", waiting, not pending),
        Check("There are enough different questions", too_few(study, drawing), bool(drawing)),
        Check("The title, the consent text and the instructions are written", no_words(study)),
        Check("There is a place for somebody to take part", no_place(study)),
        *course_checks(study),
    ]
    return Checklist(checks, drawing)


def arm_problems(dataset: Dataset, sources: Sequence[TrainedModel | None]) -> list[str]:
    """Why these arms make no fair comparison on this data; empty if they do.

    None stands for a list that was uploaded: what its system learned from is not known here.
    """
    if not 2 <= len(sources) <= MOST_ARMS:
        return [f"A study compares two arms, or up to {MOST_ARMS}, not {len(sources)}."]
    models = [model for model in sources if model is not None]
    both = "Both" if len(sources) == 2 else "All"
    doubled = {model.pk for model in models if models.count(model) > 1}
    if doubled:
        twice = "Both arms" if len(sources) == 2 else "Two arms"
        return [f"{twice} are model {min(doubled)}. Name two different ones."]
    elsewhere = [
        f"Model {model.pk} ({model}) was not trained on {dataset.name}. "
        f"{both} arms need the data of the study."
        for model in models
        if model.dataset_id != dataset.pk
    ]
    if elsewhere:
        return elsewhere
    if len({model.data_checksum for model in models}) > 1:
        again = "both" if len(sources) == 2 else "all"
        return [f"The arms were trained on different versions of the data. Train {again} again."]
    splits = list(dict.fromkeys((model.split, model.split_seed) for model in models))
    if len(splits) > 1:
        names = " and ".join(f"{split} (split seed {seed})" for split, seed in splits)
        problem = (
            f"The arms were trained on different splits: {names}. What they may know would "
            f"differ. Train {both.lower()} on one split, or name models of one split by their ids."
        )
        return [problem]
    return []


def too_few(study: Study, drawing: Drawing | None) -> list[str]:
    # Practice and checks are about profiles on which this appraiser is asked nothing else.
    beside = study.n_practice + study.n_checks
    if drawing is None or drawing.profiles >= study.questions_per_appraiser + beside:
        return []
    agreed = f"on {drawing.agreements} both arms agree"
    if study.arms.count() > 2:
        agreed = f"{drawing.agreements} pairs of arms agree on one"
    wanted = f"{study.questions_per_appraiser} questions an appraiser"
    if beside:
        wanted += f" and {beside} for practice and checks"
    problem = (
        f"Only {drawing.profiles} of {drawing.tried} profiles have two different recommendations "
        f"({agreed}), but {wanted} are wanted. Delete this draft "
        f"(manage.py delete_draft {study.slug}) and make it again with more profiles, fewer "
        "questions or other arms."
    )
    return [problem]


def _fair_words(arms: Sequence[Arm]) -> str:
    models = [arm for arm in arms if arm.trained_model_id]
    if len(models) == len(arms):
        both = "Both" if len(arms) == 2 else "All"
        return f"{both} systems learned from the same data and the same split"
    if len(models) > 1:
        return (
            "The systems trained here learned from the same data and the same split; what an "
            "uploaded one learned from is not known here"
        )
    return "The systems differ; what an uploaded one learned from is not known here"


def no_words(study: Study) -> list[str]:
    words = {
        "title": study.title,
        "consent text": study.consent_text,
        "instructions": study.instructions,
    }
    return [
        f"Empty: the {name}. An administrator can write it on the study's page in the admin."
        for name, text in words.items()
        if not text.strip()
    ]


def no_place(study: Study) -> list[str]:
    if study.quota > 0:
        return []
    problem = (
        "The quota is 0, so nobody could join. Delete this draft (manage.py delete_draft "
        f"{study.slug}) and make it again with one place or more."
    )
    return [problem]
