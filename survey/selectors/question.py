"""What an appraiser sees: the next question, own answers that may change, and places left."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.crypto import salted_hmac

from recommender.models import Item
from survey.models import Appraiser, Assignment, Judgment, Question
from survey.profiles import Card, MovieFacts, Profile, card, profile

Kind = Assignment.Kind


@dataclass(frozen=True)
class QuestionPage:
    """The question an appraiser has to answer; nothing in it tells one arm from the other.

    ``assignment_key``, ``shown`` and ``revision`` are what the form sends back; ``number`` counts
    from 1 to ``total`` within the practice or, apart, within the questions that follow it;
    ``done`` of ``everything`` are answered. ``told`` is the title that a check says to choose.
    ``given`` is the answer as it stands, where it is to be changed; ``last`` is the number of the
    answer that may be changed from here, one of ``all_listed`` or the last one alone.
    """

    question_id: int
    assignment_key: str
    shown: str
    revision: int
    practice: bool
    after_practice: bool
    number: int
    total: int
    done: int
    everything: int
    left: Card
    right: Card
    told: str = ""
    given: Judgment | None = None
    last: int | None = None
    all_listed: bool = False


@dataclass(frozen=True)
class OwnAnswer:
    """One line in the list of one's own answers: a movie, or "" for neither of the two."""

    number: int
    choice: str
    movie: str
    may_change: bool


def question_page(
    appraiser: Appraiser, *, number: int | None = None, key: UUID | None = None
) -> QuestionPage | None:
    """The first question without an answer, or None when all are answered.

    With a ``number`` or a ``key``: that one, answered before, to be changed; None where it may not.
    """
    own = _own(appraiser)
    asked = _asked(own)
    changing = number is not None or key is not None
    wanted = _to_change(appraiser, own, number, key) if changing else _open(asked)
    if wanted is None:
        return None
    practising = [each for each in asked if each.kind == Kind.PRACTICE]
    counting = [each for each in asked if each.kind != Kind.PRACTICE]
    practice = wanted.kind == Kind.PRACTICE
    part = practising if practice else counting
    place = [each.pk for each in part].index(wanted.pk) + 1
    full = appraiser.assignments.select_related(
        "question__first_item", "question__second_item", "judgment"
    )
    assignment = full.defer("question__profile").get(pk=wanted.pk)
    left, right = (_card(movie) for movie in _sides(assignment))
    changeable = [] if changing else _changeable(appraiser, own)
    return QuestionPage(
        question_id=assignment.question_id,
        assignment_key=str(assignment.key),
        shown=shown_digest(assignment),
        revision=wanted.judgment.revision if changing else 0,
        practice=practice,
        after_practice=bool(practising) and not practice and place == 1 and not changing,
        number=place,
        total=len(part),
        done=sum(_is_answered(each) for each in asked),
        everything=len(asked),
        left=left,
        right=right,
        told=_told(assignment.expected, left, right),
        given=assignment.judgment if changing else None,
        last=counting.index(changeable[-1]) + 1 if changeable else None,
        all_listed=_all_listed(appraiser, own),
    )


def question_profile(question_id: int) -> Profile:
    """Everything that the question's user rated."""
    pairs = Question.objects.values_list("profile", flat=True).get(pk=question_id)
    wanted = Item.objects.filter(pk__in=[movie for movie, _ in pairs])
    movies = {movie.pk: _facts(movie) for movie in wanted.only("title", "year", "genres")}
    return profile([(movies[movie], stars) for movie, stars in pairs])


def own_answers(appraiser: Appraiser) -> list[OwnAnswer]:
    """What one answered, practice apart, in order, and which of it may change now.

    All of it, or the last answer alone (``answers_listed``). What a repeat asks for once more is
    left out while the repeat is on the screen: its answer shall come from the movies.
    """
    own = _own(appraiser)
    changeable = {each.pk for each in _changeable(appraiser, own)}
    hidden = {each.question_id for each in own if _is_repeated_now(each)}
    counting = [each for each in _asked(own) if each.kind != Kind.PRACTICE]
    full = appraiser.assignments.select_related("question__first_item", "question__second_item")
    movies = {each.pk: _sides(each) for each in full.defer("question__profile")}
    given = [(number, each) for number, each in enumerate(counting, 1) if _is_answered(each)]
    lines = []
    for number, each in given if _all_listed(appraiser, own) else given[-1:]:
        if each.question_id in hidden:
            continue
        left, right = movies[each.pk]
        chosen = {"left": left.title, "right": right.title}
        choice = each.judgment.choice
        lines.append(OwnAnswer(number, choice, chosen.get(choice, ""), each.pk in changeable))
    return lines


def changeable(appraiser: Appraiser) -> list[Assignment]:
    """Answered assignments whose answer may change now, in the order in which they were asked.

    Of those listed (``answers_listed``) the main questions, each until it is repeated. Checks and
    repeats never: told afterwards, or looked up, they would say nothing. Never practice, never
    once the appraiser has finished, and only while the study takes answers.
    """
    return _changeable(appraiser, _own(appraiser))


def answers_listed(appraiser: Appraiser) -> bool:
    """Whether all own answers are listed; else the one given last alone.

    Under ``finish`` they are: with repeats once everything is answered, so that nobody looks up
    what a repeat asks for once more, or tells by a gap in the list what will be repeated.
    """
    return _all_listed(appraiser, _own(appraiser))


def shown_digest(assignment: Assignment) -> str:
    """What stood on the page: the question's number and the movies on the left and the right.

    An answer comes back with it, so that one to anything else than what is stored is known as
    stale. The key is the server's secret and the assignment is part of the message: the digest
    can neither be made nor compared outside, and says nothing of who recommended which movie.
    """
    left, right = _sides(assignment)
    what = f"{assignment.key}/{assignment.question.number}/{left.pk}/{right.pk}"
    return salted_hmac("survey.shown", what, algorithm="sha256").hexdigest()[:32]


def _own(appraiser: Appraiser) -> list[Assignment]:
    return list(appraiser.assignments.select_related("judgment").order_by("position"))


def _asked(own: list[Assignment]) -> list[Assignment]:
    """What was and will be asked, in order: without what went back to the pool unanswered."""
    return [each for each in own if _is_answered(each) or each.returned_at is None]


def _is_answered(assignment: Assignment) -> bool:
    return hasattr(assignment, "judgment")


def _open(asked: list[Assignment]) -> Assignment | None:
    return next((each for each in asked if not _is_answered(each)), None)


def _is_repeated_now(assignment: Assignment) -> bool:
    """A repeat that was shown and is not answered; it may have gone back to the pool since."""
    seen = assignment.kind == Kind.REPEAT and assignment.shown_at is not None
    return seen and not _is_answered(assignment)


def _to_change(
    appraiser: Appraiser, own: list[Assignment], number: int | None, key: UUID | None
) -> Assignment | None:
    allowed = {each.pk for each in _changeable(appraiser, own)}
    counting = [each for each in _asked(own) if each.kind != Kind.PRACTICE]
    for place, each in enumerate(counting, start=1):
        if each.pk in allowed and (place == number or each.key == key):
            return each
    return None


def _changeable(appraiser: Appraiser, own: list[Assignment]) -> list[Assignment]:
    study = appraiser.study
    if appraiser.confirmed_at or appraiser.finished_at or not study.takes(appraiser.kind):
        return []
    if study.changes == "never":
        return []
    given = [each for each in own if _is_answered(each) and each.kind != Kind.PRACTICE]
    repeats = [each for each in own if each.kind == Kind.REPEAT]
    repeated = {each.question_id for each in repeats if each.shown_at or _is_answered(each)}
    return [
        each
        for each in (given if _all_listed(appraiser, own) else given[-1:])
        if each.kind == Kind.MAIN and each.question_id not in repeated
    ]


def _all_listed(appraiser: Appraiser, own: list[Assignment]) -> bool:
    study = appraiser.study
    over = all(_is_answered(each) for each in own)
    return study.changes == "finish" and (over or not study.n_repeats)


def _sides(assignment: Assignment) -> tuple[Item, Item]:
    """The movie on the left, the movie on the right."""
    question = assignment.question
    first, second = question.first_item, question.second_item
    return (first, second) if assignment.left_arm_id == question.first_arm_id else (second, first)


def _told(expected: str, left: Card, right: Card) -> str:
    """The movie that a check says to choose, in words that fit only one of the two."""
    if not expected:
        return ""
    movie = left if expected == Judgment.Choice.LEFT else right
    if left.title == right.title and movie.year:
        return f"{movie.title} ({movie.year})"
    return movie.title


def _facts(movie: Item) -> MovieFacts:
    return MovieFacts(movie.title, movie.year, movie.genres)


def _card(movie: Item) -> Card:
    return card(_facts(movie))
