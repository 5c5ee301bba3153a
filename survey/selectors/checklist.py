"""What a study needs before it opens, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.models import Dataset, TrainedModel
from survey.models import TEXTS, Arm, Study
from survey.selectors.drawing import Drawing, draw_questions, published_recommendations
from survey.selectors.protocol_checks import Check, protocol_checks

#: Every pair of arms is asked about: eight arms make 28 pairs.
MOST_ARMS = 8


@dataclass(frozen=True)
class Checklist:
    """``drawing`` holds the questions to store; None while they cannot be drawn."""

    checks: list[Check]
    drawing: Drawing | None

    @property
    def missing(self) -> list[str]:
        return [problem for check in self.checks for problem in check.missing]

    @property
    def is_met(self) -> bool:
        return all(check.is_met for check in self.checks)


def checklist(study: Study) -> Checklist:
    """Everything a draft needs to open, with what is missing and how to supply it."""
    arms = list(study.arms.select_related("trained_model__dataset", "publish_job"))
    sources = {arm: published_recommendations(study, arm) for arm in arms}
    waiting = [source.problem for source in sources.values() if source.problem]
    is_pending = any(source.is_pending for source in sources.values())
    drawing = draw_questions(study, sources) if len(arms) > 1 and not waiting else None
    unfair = arm_problems(study.dataset, [arm.trained_model for arm in arms])
    checks = [
        Check(_fairness(arms), unfair),
        Check("Every profile has its recommendations", waiting, not is_pending),
        Check("There are enough different questions", _too_few(study, drawing), bool(drawing)),
        Check("The title, the consent text and the instructions are written", _no_texts(study)),
        Check("At least one appraiser can take part", _no_places(study)),
        *protocol_checks(study),
    ]
    return Checklist(checks, drawing)


def arm_problems(dataset: Dataset, sources: Sequence[TrainedModel | None]) -> list[str]:
    """Why a comparison of these arms would be unfair; empty if it is fair.

    None stands for an uploaded list, whose training data is unknown.
    """
    if not 2 <= len(sources) <= MOST_ARMS:
        return [f"A study compares two arms, or up to {MOST_ARMS}, not {len(sources)}."]
    models = [model for model in sources if model is not None]
    both, arms = ("Both", "Both arms") if len(sources) == 2 else ("All", "Two arms")
    for model in models:
        if models.count(model) > 1:
            return [f"{arms} are model {model.pk}. Name two different ones."]
    elsewhere = [
        f"Model {model.pk} ({model}) was not trained on {dataset.name}. "
        f"{both} arms need the data of the study."
        for model in models
        if model.dataset_id != dataset.pk
    ]
    if elsewhere:
        return elsewhere
    if len({model.data_checksum for model in models}) > 1:
        return [
            f"The arms were trained on different versions of the data. Train {both.lower()} again."
        ]
    splits = list(dict.fromkeys((model.split, model.split_seed) for model in models))
    if len(splits) > 1:
        names = " and ".join(f"{split} (split seed {seed})" for split, seed in splits)
        problem = (
            f"The arms were trained on different splits: {names}, and so on different ratings. "
            f"Train {both.lower()} on one split, or name models of one split by their ids."
        )
        return [problem]
    return []


def _fairness(arms: Sequence[Arm]) -> str:
    n_trained = len([arm for arm in arms if arm.trained_model_id])
    if n_trained == len(arms):
        both = "Both" if len(arms) == 2 else "All"
        return f"{both} systems learned from the same data and the same split"
    subject = "The systems differ"
    if n_trained > 1:
        subject = "The systems trained here learned from the same data and the same split"
    return f"{subject}; the training data of an uploaded system is unknown"


def _too_few(study: Study, drawing: Drawing | None) -> list[str]:
    # Practice and check questions use profiles on which the appraiser is asked nothing else.
    extra = study.n_practice + study.n_checks
    if drawing is None or drawing.profiles >= study.questions_per_appraiser + extra:
        return []
    agreed = f"on {drawing.agreements} both arms agree"
    if study.arms.count() > 2:
        agreed = f"{drawing.agreements} pairs of arms agree on one"
    and_extra = f" and {extra} for practice and checks" if extra else ""
    problem = (
        f"Only {drawing.profiles} of {drawing.tried} profiles have two different recommendations "
        f"({agreed}), but {study.questions_per_appraiser} questions an appraiser{and_extra} are "
        f"wanted. Delete this draft (manage.py delete_draft {study.slug}) and create it again "
        "with more profiles, fewer questions or other arms."
    )
    return [problem]


def _no_texts(study: Study) -> list[str]:
    return [
        f"Empty: the {name.replace('_', ' ')}. An administrator can write it on the study's page "
        "in the admin."
        for name in TEXTS
        if not getattr(study, name).strip()
    ]


def _no_places(study: Study) -> list[str]:
    if study.quota > 0:
        return []
    problem = (
        "The quota is 0, so nobody could join. Delete this draft (manage.py delete_draft "
        f"{study.slug}) and create it again with one place or more."
    )
    return [problem]
