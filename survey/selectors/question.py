"""What an appraiser sees: the next question, and their own answers that may change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from recommender.models import Item
from survey.models import Appraiser, Assignment, Judgment, Question
from survey.profiles import Profile, profile
from survey.scales import RatingScale
from survey.selectors.next_step import answered, first_open, own_assignments
from survey.tokens import shown_digest

Kind = Assignment.Kind


def question_page(
    appraiser: Appraiser,
    *,
    own: Sequence[Assignment] | None = None,
    number: int | None = None,
    key: UUID | None = None,
) -> dict[str, Any] | None:
    """The first question without an answer, or None if there is no such question.

    With a ``number`` or a ``key``: that answered question, to change the answer; None if it may
    not change. ``own`` saves the query for the appraiser's assignments.

    Nothing in the page tells one arm from the other. ``assignment_key``, ``shown`` and
    ``revision`` are what the form sends back. ``number`` counts from 1 to ``total``, separately
    within the practice and within the questions after it; ``done`` of ``everything`` are answered.
    ``named_title`` is the title that an attention check names. ``given`` is the current answer, if
    it is about to change. ``last`` is the number of the answer that can be changed from this page;
    ``all_listed`` says whether all answers are listed.
    """
    own = own_assignments(appraiser) if own is None else own
    changing = number is not None or key is not None
    wanted = _to_change(appraiser, own, number, key) if changing else first_open(own)
    if wanted is None:
        return None
    asked = _asked(own)
    practising = [each for each in asked if each.kind == Kind.PRACTICE]
    counting = [each for each in asked if each.kind != Kind.PRACTICE]
    practice = wanted.kind == Kind.PRACTICE
    part = practising if practice else counting
    place = part.index(wanted) + 1
    full = appraiser.assignments.select_related("question__first_item", "question__second_item")
    assignment = full.defer("question__profile").get(pk=wanted.pk)
    left, right = _sides(assignment)
    last = [] if changing else changeable(appraiser, own)
    return {
        "question_id": assignment.question_id,
        "assignment_key": str(assignment.key),
        "shown": shown_digest(assignment),
        "revision": wanted.judgment.revision if changing else 0,
        "practice": practice,
        "after_practice": bool(practising) and not practice and place == 1 and not changing,
        "number": place,
        "total": len(part),
        "done": len(answered(own)),
        "everything": len(asked),
        "left": left,
        "right": right,
        "named_title": _named_title(assignment.expected, left, right),
        "given": wanted.judgment if changing else None,
        "last": counting.index(last[-1]) + 1 if last else None,
        "all_listed": answers_listed(appraiser, own),
    }


def question_profile(question_id: int) -> Profile:
    """Everything that the question's user rated."""
    scale = [f"study__dataset__scale_{part}" for part in ("minimum", "maximum", "step")]
    pairs, *ends = Question.objects.values_list("profile", *scale).get(pk=question_id)
    wanted = Item.objects.filter(pk__in=[item for item, _ in pairs])
    shown = ("title", "year", "genres", "external_id", "external_ids")
    items = {item.pk: item for item in wanted.only(*shown)}
    return profile([(items[item], stars) for item, stars in pairs], RatingScale(*ends))


def own_answers(appraiser: Appraiser, own: Sequence[Assignment]) -> list[dict[str, Any]]:
    """The appraiser's answers in order, without practice, and which of them may change now.

    ``movie`` is "" for a third answer.

    All of them, or the last one alone (``answers_listed``). The question that a repeat asks again
    is left out while the repeat is on the screen, so that its answer comes from the movies.
    """
    may_change = {each.pk for each in changeable(appraiser, own)}
    given = answered(own)
    # A repeat that was shown and is not answered may have been returned since.
    repeats = [each for each in own if each.kind == Kind.REPEAT and each not in given]
    hidden = {each.question_id for each in repeats if each.shown_at is not None}
    counting = [each for each in _asked(own) if each.kind != Kind.PRACTICE]
    full = appraiser.assignments.select_related("question__first_item", "question__second_item")
    items = {each.pk: _sides(each) for each in full.defer("question__profile")}
    numbered = [(number, each) for number, each in enumerate(counting, 1) if each in given]
    lines = []
    for number, each in numbered if answers_listed(appraiser, own) else numbered[-1:]:
        if each.question_id in hidden:
            continue
        left, right = items[each.pk]
        choice = each.judgment.choice
        lines.append(
            {
                "number": number,
                "choice": choice,
                "movie": {"left": left.title, "right": right.title}.get(choice, ""),
                "may_change": each.pk in may_change,
            }
        )
    return lines


def changeable(appraiser: Appraiser, own: Sequence[Assignment]) -> list[Assignment]:
    """Those of the appraiser's ``own`` assignments whose answers may change now, in order.

    Of the listed answers (``answers_listed``) those to main questions, each until it is repeated.
    Answers to checks and repeats never change: afterwards, or looked up, they mean nothing.
    Neither does practice, nor anything once the appraiser has confirmed or finished, or while
    the study takes no answers.
    """
    study = appraiser.study
    if appraiser.confirmed_at or appraiser.finished_at or not study.is_open_for(appraiser.kind):
        return []
    if study.changes == "never":
        return []
    given = [each for each in answered(own) if each.kind != Kind.PRACTICE]
    repeats = [each for each in own if each.kind == Kind.REPEAT]
    repeated = {each.question_id for each in repeats if each.shown_at or each in given}
    return [
        each
        for each in (given if answers_listed(appraiser, own) else given[-1:])
        if each.kind == Kind.MAIN and each.question_id not in repeated
    ]


def answers_listed(appraiser: Appraiser, own: Sequence[Assignment]) -> bool:
    """Whether all of the appraiser's answers are listed, instead of the last one alone.

    With ``changes = "finish"`` they are; in a study with repeats only once everything is answered,
    so that nobody looks up the answer that a repeat asks for again, or learns from a gap in the
    list which question will be repeated.
    """
    study = appraiser.study
    return study.changes == "finish" and (not study.n_repeats or len(answered(own)) == len(own))


def _asked(own: Sequence[Assignment]) -> list[Assignment]:
    """What was and will be asked, in order: all but returned assignments without an answer."""
    given = answered(own)
    return [each for each in own if each in given or each.returned_at is None]


def _to_change(
    appraiser: Appraiser, own: Sequence[Assignment], number: int | None, key: UUID | None
) -> Assignment | None:
    allowed = changeable(appraiser, own)
    counting = [each for each in _asked(own) if each.kind != Kind.PRACTICE]
    for place, each in enumerate(counting, start=1):
        if each in allowed and (place == number or each.key == key):
            return each
    return None


def _sides(assignment: Assignment) -> tuple[Item, Item]:
    """The item on the left and the item on the right."""
    question = assignment.question
    first, second = question.first_item, question.second_item
    return (first, second) if assignment.left_arm_id == question.first_arm_id else (second, first)


def _named_title(expected: str, left: Item, right: Item) -> str:
    """The title that a check names; with its year where both cards have the same title."""
    if not expected:
        return ""
    named = left if expected == Judgment.Choice.LEFT else right
    if left.title == right.title and named.year:
        return f"{named.title} ({named.year})"
    return named.title
