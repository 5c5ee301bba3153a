"""What comes next for an appraiser, decided in one place; reads only."""

from __future__ import annotations

from enum import Enum

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from survey.models import Appraiser, Assignment, Response, Study


class Step(Enum):
    INSTRUCTIONS = "instructions"
    BEFORE = "before"  #: the questionnaire before the questions
    QUESTION = "question"
    REVIEW = "review"  #: all is answered, and might change until the appraiser says that it stays
    AFTER = "after"  #: the questionnaire after them
    END = "end"  #: nothing is left to do; the appraiser's outcome says how it ended
    CLOSED = "closed"  #: something is left, but the study takes no answers now
    FULL = "full"  #: nothing was answered, and others have taken every place


NEED_AN_OPEN_STUDY = {Step.FULL, Step.INSTRUCTIONS, Step.BEFORE, Step.QUESTION}


def next_step(appraiser: Appraiser) -> Step:
    """The step that is open now.

    Who has answered every question may fill in the questionnaire after them even when the study
    takes no more answers: no judgment depends on it, and the code that was promised does.
    """
    step = step_in_turn(appraiser)
    if step in NEED_AN_OPEN_STUDY and not appraiser.study.takes(appraiser.kind):
        return Step.CLOSED
    return step


def step_in_turn(appraiser: Appraiser) -> Step:
    """The step that is open now, or would be if the study took answers."""
    if appraiser.finished_at is not None:
        return Step.END
    asked = open_assignments(appraiser).exists()
    if not asked and all_answered(appraiser):
        if waits_for_word(appraiser):
            return Step.REVIEW
        return Step.AFTER if waits_for(appraiser, Response.Part.AFTER) else Step.END
    if not asked and not answered_any(appraiser):
        return Step.FULL
    if appraiser.instructed_at is None:
        return Step.INSTRUCTIONS
    return Step.BEFORE if waits_for(appraiser, Response.Part.BEFORE) else Step.QUESTION


def open_assignments(appraiser: Appraiser) -> QuerySet[Assignment]:
    """What is still to be answered, in order; questions given back to the pool are not."""
    return appraiser.assignments.filter(judgment=None, returned_at=None).order_by("position")


def all_answered(appraiser: Appraiser) -> bool:
    """Whether nothing is left; what was given back is, until its owner comes back to it."""
    return not appraiser.assignments.filter(judgment=None).exists()


def answered_any(appraiser: Appraiser) -> bool:
    """Whether a question that counts was answered; practice alone ends with nothing."""
    return appraiser.assignments.filter(kind="main").exclude(judgment=None).exists()


def waits_for(appraiser: Appraiser, part: str) -> bool:
    """Whether the study asks this questionnaire, and this appraiser has not answered it."""
    asked = appraiser.study.before if part == Response.Part.BEFORE else appraiser.study.after
    return bool(asked) and not appraiser.responses.filter(part=part).exists()


def waits_for_word(appraiser: Appraiser) -> bool:
    """Whether the answers may change until the appraiser says that they stay, and has not yet."""
    return appraiser.study.changes != "never" and appraiser.confirmed_at is None


def waiting_for_word(study: Study) -> QuerySet[Appraiser]:
    """Those of whom nothing is wanted but the word that their answers stay."""
    if study.changes == "never":
        return study.appraisers.none()
    unanswered = Assignment.objects.filter(appraiser=OuterRef("pk"), judgment=None)
    return study.appraisers.filter(~Exists(unanswered), confirmed_at=None, finished_at=None)


def failing(people: QuerySet[Appraiser], study: Study) -> QuerySet[Appraiser]:
    """Those of the study's ``people`` who answered fewer checks as told than it asks for."""
    checks = Q(assignments__kind=Assignment.Kind.CHECK, assignments__judgment__isnull=False)
    as_told = Q(assignments__judgment__choice=F("assignments__expected"))
    counted = people.alias(
        checks=Count("assignments", filter=checks),
        passed=Count("assignments", filter=checks & as_told),
    )
    # One who was given fewer checks than are needed cannot fail by those he never saw.
    return counted.filter(passed__lt=study.checks_to_pass).filter(passed__lt=F("checks"))
