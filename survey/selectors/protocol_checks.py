"""What the course of a study needs beyond its arms and questions; said in words, like the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.utils import formats, translation

from survey.errors import StudyError
from survey.models import Study, is_past_last_day
from survey.protocol import panels, questionnaires
from survey.protocol.fields import Protocol, StudyPlan
from survey.protocol.summary import LANGUAGE_NAMES, Decision, summarize
from survey.wording import built_in


@dataclass(frozen=True)
class Check:
    """One need of a study; ``known`` is false while something else has to come first."""

    need: str
    missing: list[str]
    known: bool = True

    @property
    def met(self) -> bool:
        return self.known and not self.missing


def course_checks(study: Study) -> list[Check]:
    """A check for everything that the study's protocol asks for; none for what it does not."""
    checks = []
    if study.language not in {"", "en"}:
        language = LANGUAGE_NAMES[study.language]
        checks.append(Check(f"The words are written in {language}", no_translation(study)))
    if study.entry == "panel":
        checks.append(Check("The panel is described", no_panel(study)))
    if study.before or study.after:
        checks.append(Check("The questionnaires can be asked", no_questionnaire(study)))
    if study.withdraw_until is not None:
        checks.append(
            Check("The last day for having answers erased is ahead", last_day_problems(study))
        )
    told = {words for check in checks for words in check.missing}
    if problems := [words for words in impossible(study) if words not in told]:
        checks.append(Check("What was decided fits together", problems))
    return checks


def course_in_words(study: Study) -> list[Decision]:
    """What was decided about the study, one decision a line."""
    return summarize(Protocol.of(study), StudyPlan.of(study), arms=study.arms.count())


def no_translation(study: Study) -> list[str]:
    """The study's own words count as the language's, unless they are the built-in English ones.

    Nobody but a reader can tell more.
    """
    words = study.translations.get(study.language, {})
    protocol = Protocol.of(study)
    with translation.override(settings.LANGUAGE_CODE):
        day = partial(formats.date_format, format="DATE_FORMAT")
        english = {
            "title": built_in.TITLE,
            "consent_text": built_in.write_consent(
                study.questions_per_appraiser, protocol, date=day
            ),
            "instructions": built_in.write_instructions(protocol),
        }
    return [
        f"In English only: the {name.replace('_', ' ')}. Delete this draft (manage.py "
        f"delete_draft {study.slug}) and make it again with the words in "
        f"[translations.{study.language}] of its protocol."
        for name, text in english.items()
        if not words.get(name, "").strip() and getattr(study, name) == text
    ]


def no_panel(study: Study) -> list[str]:
    try:
        panels.check_panel(study.panel)
    except StudyError as error:
        return [str(error)]
    return []


def no_questionnaire(study: Study) -> list[str]:
    problems = []
    for part, items in (("before", study.before), ("after", study.after)):
        try:
            questionnaires.expand_items(items)
        except StudyError as error:
            problems.append(f"The questionnaire {part}: {error}")
    return problems


def last_day_problems(study: Study) -> list[str]:
    if not is_past_last_day(study.withdraw_until):
        return []
    draft = study.status == Study.Status.DRAFT
    problem = (
        f"Answers can be erased until {study.withdraw_until}, which has passed. "
        f"{'Delete this draft' if draft else 'Go back to a draft, delete it'} "
        f"(manage.py delete_draft {study.slug}) and make it again with a later day."
    )
    return [problem]


def impossible(study: Study) -> list[str]:
    """What a draft holds that none could be made with; its row was changed by another way."""
    try:
        Protocol.of(study).check()
    except StudyError as error:
        return [str(error)]
    return []
