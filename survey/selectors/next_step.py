"""Decides what comes next for an appraiser; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from survey.models import Appraiser, Assignment, Response, Study

#: Annotates an assignment: its appraiser has another one without an answer.
ANOTHER_IS_UNANSWERED = Exists(
    Assignment.objects.filter(appraiser=OuterRef("appraiser"), judgment=None).exclude(
        pk=OuterRef("pk")
    )
)


class Step(Enum):
    INSTRUCTIONS = "instructions"
    BEFORE = "before"  #: the questionnaire before the questions
    QUESTION = "question"
    REVIEW = "review"  #: everything is answered, and may change until the appraiser confirms it
    AFTER = "after"  #: the questionnaire after the questions
    END = "end"  #: nothing is left to do; the appraiser has an outcome
    CLOSED = "closed"  #: something is left to do, but the study takes no answers now
    FULL = "full"  #: nothing was answered, and other appraisers have taken every place


NEED_AN_OPEN_STUDY = {Step.FULL, Step.INSTRUCTIONS, Step.BEFORE, Step.QUESTION}


def next_step(appraiser: Appraiser, own: Sequence[Assignment] | None = None) -> Step:
    """The step that is open now; ``own`` saves the query for the appraiser's assignments.

    Appraisers who answered every question may fill in the questionnaire after them even when the
    study takes no more answers: no judgment depends on it, and their completion code does.
    """
    step = step_if_open(appraiser, own)
    if step in NEED_AN_OPEN_STUDY and not appraiser.study.is_open_for(appraiser.kind):
        return Step.CLOSED
    return step


def step_if_open(appraiser: Appraiser, own: Sequence[Assignment] | None = None) -> Step:
    """The step that would be open if the study took answers."""
    if appraiser.finished_at is not None:
        return Step.END
    own = own_assignments(appraiser) if own is None else own
    given = answered(own)
    if len(given) == len(own):
        if awaits_confirmation(appraiser):
            return Step.REVIEW
        return Step.AFTER if owes_questionnaire(appraiser, Response.Part.AFTER) else Step.END
    # Practice does not count as an answer here: alone it leads to no outcome.
    if first_open(own) is None and all(each.kind != Assignment.Kind.MAIN for each in given):
        return Step.FULL
    if appraiser.instructed_at is None:
        return Step.INSTRUCTIONS
    before = owes_questionnaire(appraiser, Response.Part.BEFORE)
    return Step.BEFORE if before else Step.QUESTION


def own_assignments(appraiser: Appraiser) -> list[Assignment]:
    """All assignments of an appraiser in the order of their positions, with their judgments."""
    return list(appraiser.assignments.select_related("judgment").order_by("position"))


def first_open(own: Sequence[Assignment]) -> Assignment | None:
    """The next assignment to answer; returned assignments are skipped."""
    given = answered(own)
    return next((each for each in own if each not in given and each.returned_at is None), None)


def answered(own: Sequence[Assignment]) -> list[Assignment]:
    return [each for each in own if hasattr(each, "judgment")]


def has_answered_all(appraiser: Appraiser) -> bool:
    """Whether nothing is left to answer; a returned assignment still counts as left."""
    return not appraiser.assignments.filter(judgment=None).exists()


def owes_questionnaire(appraiser: Appraiser, part: str) -> bool:
    """Whether the study has this questionnaire, and the appraiser has not answered it."""
    asked = appraiser.study.before if part == Response.Part.BEFORE else appraiser.study.after
    return bool(asked) and not appraiser.responses.filter(part=part).exists()


def awaits_confirmation(appraiser: Appraiser) -> bool:
    """Whether answers may change until the appraiser confirms them, and that has not happened."""
    return appraiser.study.changes != "never" and appraiser.confirmed_at is None


def unconfirmed(study: Study) -> QuerySet[Appraiser]:
    """Appraisers of the study who only have to confirm their answers."""
    if study.changes == "never":
        return study.appraisers.none()
    unanswered = Assignment.objects.filter(appraiser=OuterRef("pk"), judgment=None)
    return study.appraisers.filter(~Exists(unanswered), confirmed_at=None, finished_at=None)


def failing_checks(people: QuerySet[Appraiser], study: Study) -> QuerySet[Appraiser]:
    """Those of the study's ``people`` who passed fewer attention checks than it requires."""
    checks = Q(assignments__kind=Assignment.Kind.CHECK, assignments__judgment__isnull=False)
    passed = Q(assignments__judgment__choice=F("assignments__expected"))
    counted = people.alias(
        checks=Count("assignments", filter=checks),
        passed=Count("assignments", filter=checks & passed),
    )
    # Appraisers who were given fewer checks than required cannot fail by those they never saw.
    return counted.filter(passed__lt=study.checks_to_pass).filter(passed__lt=F("checks"))
