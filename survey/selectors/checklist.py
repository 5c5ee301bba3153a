"""What a study needs before it opens, and what of that is missing, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.models import Dataset, TrainedModel
from survey.models import Study
from survey.selectors.drawing import Drawing, draw, published


@dataclass(frozen=True)
class Check:
    """One need of a study; ``known`` is false while something else has to come first."""

    need: str
    missing: list[str]
    known: bool = True

    @property
    def met(self) -> bool:
        return self.known and not self.missing


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
    drawing = draw(study, sources[0], sources[1]) if len(arms) == 2 and not waiting else None
    checks = [
        Check("Both systems learned from the same data and the same split", fair),
        Check("Every profile has its recommendations", waiting, not pending),
        Check("There are enough different questions", too_few(study, drawing), bool(drawing)),
        Check("The title, the consent text and the instructions are written", no_words(study)),
        Check("There is a place for somebody to take part", no_place(study)),
    ]
    return Checklist(checks, drawing)


def arm_problems(dataset: Dataset, models: Sequence[TrainedModel]) -> list[str]:
    """Why these models make no fair comparison on this data; empty if they do."""
    if len(models) != 2:
        return [f"A study compares two arms, not {len(models)}."]
    first, second = models
    if first.pk == second.pk:
        return [f"Both arms are model {first.pk}. Name two different ones."]
    elsewhere = [
        f"Model {model.pk} ({model}) was not trained on {dataset.name}. "
        "Both arms need the data of the study."
        for model in models
        if model.dataset_id != dataset.pk
    ]
    if elsewhere:
        return elsewhere
    if first.data_checksum != second.data_checksum:
        return ["The arms were trained on different versions of the data. Train both again."]
    splits = [(model.split, model.split_seed) for model in models]
    if splits[0] != splits[1]:
        names = " and ".join(f"{split} (split seed {seed})" for split, seed in splits)
        problem = (
            f"The arms were trained on different splits: {names}. What they may know would "
            "differ. Train both on one split, or name two models of one split by their ids."
        )
        return [problem]
    return []


def too_few(study: Study, drawing: Drawing | None) -> list[str]:
    if drawing is None or len(drawing.kept) >= study.questions_per_appraiser:
        return []
    problem = (
        f"Only {len(drawing.kept)} of {drawing.tried} profiles have two different recommendations "
        f"(on {drawing.agreements} both arms agree), but {study.questions_per_appraiser} questions "
        "an appraiser are wanted. Delete this draft (manage.py delete_draft "
        f"{study.slug}) and make it again with more profiles, fewer questions or other arms."
    )
    return [problem]


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
