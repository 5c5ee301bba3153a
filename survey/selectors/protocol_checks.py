"""What a study's protocol needs before the study can open."""

from __future__ import annotations

from collections.abc import Callable
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
    """One requirement; ``known`` is False while its result depends on unfinished work."""

    need: str
    missing: list[str]
    known: bool = True

    @property
    def is_met(self) -> bool:
        return self.known and not self.missing


def course_checks(study: Study) -> list[Check]:
    """A check for each option that the study's protocol uses."""
    checks = []
    if study.language not in {"", "en"}:
        language = LANGUAGE_NAMES[study.language]
        checks.append(Check(f"The texts are written in {language}", _untranslated(study)))
    if study.entry == "panel":
        problems = _problem(partial(panels.check_panel, study.panel))
        checks.append(Check("The panel is described", problems))
    if study.before or study.after:
        problems = _problem(partial(questionnaires.expand_items, study.before), "before")
        problems += _problem(partial(questionnaires.expand_items, study.after), "after")
        checks.append(Check("The questionnaires can be asked", problems))
    if study.withdraw_until is not None:
        problems = last_day_problems(study)
        checks.append(Check("The last day for erasing answers is in the future", problems))
    # Only a row that was changed without the services can fail here.
    invalid = _problem(lambda: Protocol.of(study).check())
    reported = {problem for check in checks for problem in check.missing}
    if problems := [problem for problem in invalid if problem not in reported]:
        checks.append(Check("The options fit together", problems))
    return checks


def course_in_words(study: Study) -> list[Decision]:
    """The study's options in words, one per line."""
    return summarize(Protocol.of(study), StudyPlan.of(study), arms=study.arms.count())


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
    protocol = Protocol.of(study)
    with translation.override(settings.LANGUAGE_CODE):
        day = partial(formats.date_format, format="DATE_FORMAT")
        consent = built_in.write_consent(study.questions_per_appraiser, protocol, date=day)
        english = {
            "title": built_in.TITLE,
            "consent_text": consent,
            "instructions": built_in.write_instructions(protocol),
        }
    return [
        f"In English only: the {name.replace('_', ' ')}. Delete this draft (manage.py "
        f"delete_draft {study.slug}) and create it again with the texts in "
        f"[translations.{study.language}] of its protocol."
        for name, text in english.items()
        if not texts.get(name, "").strip() and getattr(study, name) == text
    ]


def _problem(check: Callable[[], object], part: str = "") -> list[str]:
    """The StudyError of ``check``, if it raises one."""
    try:
        check()
    except StudyError as error:
        return [f"The questionnaire {part}: {error}" if part else str(error)]
    return []
