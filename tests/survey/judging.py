"""Judgments of a study, stored directly, for tests that look at what is counted."""

from survey.models import Appraiser, Assignment, Judgment, Study
from survey.services.joining import join_study
from tests.factories import NOW


def decide(study, **fields):
    """Change fields of the study before anyone joins, without the services that check them."""
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()


def judge(study, choices, *, kind="real", **extras):
    """An appraiser whose n-th main answer is the n-th letter: a, b (the arms) or t (a tie)."""
    appraiser, _ = join_study(study=study, kind=kind, now=NOW)
    main = appraiser.assignments.filter(kind="main").select_related("question")
    for assignment, letter in zip(main.order_by("position"), choices, strict=False):
        answer(assignment, letter, **extras)
    return appraiser


def answer(assignment, letter, **extras):
    """A judgment as the services would store it, without their checks."""
    question = assignment.question
    arm = {"a": question.first_arm, "b": question.second_arm, "t": None}[letter]
    side = "left" if arm == assignment.left_arm else "right"
    Judgment.objects.create(
        assignment=assignment, choice=side if arm else "tie", chosen_arm=arm, answered_at=NOW,
        **extras,
    )  # fmt: skip


def ask_again(appraiser, letters):
    """Replace the drawn repeats by repeats of the first questions, with swapped sides."""
    appraiser.assignments.filter(kind="repeat").delete()
    main = appraiser.assignments.filter(kind="main").select_related("question")
    for place, first in enumerate(main.order_by("position")[: len(letters)]):
        arms = {first.question.first_arm, first.question.second_arm} - {first.left_arm}
        repeat = Assignment.objects.create(
            appraiser=appraiser, question=first.question, kind="repeat", position=90 + place,
            left_arm=arms.pop(),
        )  # fmt: skip
        answer(repeat, letters[place])


def fail(appraiser):
    Appraiser.objects.filter(pk=appraiser.pk).update(finished_at=NOW, outcome="failed")
