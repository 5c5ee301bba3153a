"""What a study's protocol needs before the study can open."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import translation

from survey.errors import StudyError
from survey.models import Study, is_past_last_day
from survey.protocol.fields import Protocol, StudyPlan
from survey.protocol.summary import LANGUAGE_NAMES, summarize
from survey.wording.nouns import nouns_of
from survey.wording.of_study import built_in_texts


@dataclass(frozen=True)
class Check:
    """One requirement; ``known`` is False while its result depends on unfinished work."""

    need: str
    missing: list[str]
    known: bool = True

    @property
    def is_met(self) -> bool:
        return self.known and not self.missing


def protocol_checks(study: Study) -> list[Check]:
    """A check for each option that the study's protocol uses."""
    checks = []
    if study.language not in {"", "en"}:
        language = LANGUAGE_NAMES[study.language]
        checks.append(Check(f"The texts are written in {language}", _untranslated(study)))
    if study.withdraw_until is not None:
        problems = last_day_problems(study)
        checks.append(Check("The last day for erasing answers is in the future", problems))
    # Only a row that was changed without the services can fail here.
    checks.append(Check("The options are possible and fit together", _invalid_options(study)))
    return checks


def protocol_summary(study: Study) -> dict[str, str]:
    """The study's options in words, by subject."""
    nouns = nouns_of(study.dataset)
    return summarize(
        Protocol.of(study),
        StudyPlan.of(study),
        arms=study.arms.count(),
        nouns=(nouns.one, nouns.many),
    )


def last_day_problems(study: Study) -> list[str]:
    if not is_past_last_day(study.withdraw_until):
        return []
    is_draft = study.status == Study.Status.DRAFT
    problem = (
        f"Answers can be erased until {study.withdraw_until}, which has passed. "
        f"{'Delete this draft' if is_draft else 'Return to a draft, delete it'} "
        f"(manage.py delete_draft {study.slug}) and create it again with a later day."
    )
    return [problem]


def _untranslated(study: Study) -> list[str]:
    """Built-in English texts without a translation.

    A text that the researchers wrote is assumed to be in the study's language.
    """
    texts = study.translations.get(study.language, {})
    with translation.override(settings.LANGUAGE_CODE):
        english, _ = built_in_texts(
            study.questions_per_appraiser,
            Protocol.of(study),
            about_movies=study.dataset.holds_movies,
        )
    return [
        f"In English only: the {name.replace('_', ' ')}. Delete this draft (manage.py "
        f"delete_draft {study.slug}) and create it again with the texts in "
        f"[translations.{study.language}] of its protocol."
        for name, text in english.items()
        if not texts.get(name, "").strip() and getattr(study, name) == text
    ]


def _invalid_options(study: Study) -> list[str]:
    try:
        Protocol.of(study).check()
    except StudyError as error:
        return [str(error)]
    return []
