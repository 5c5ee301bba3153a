"""What becomes of an answer: kept, changed where the rule allows it, or left as it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from survey.errors import ChangeRefused, StudyClosed, StudyError
from survey.models import Appraiser, Assignment, Judgment, JudgmentRevision, Study
from survey.selectors.next_step import all_answered, waits_for_word
from survey.selectors.question import changeable, shown_digest
from survey.services.dropouts import come_back
from survey.services.joining import check_open
from survey.services.outcomes import confirm, finish

Choice = Judgment.Choice
#: How far the clocks of server and browser may drift apart while a question is looked at.
CLOCK_SLACK = timedelta(seconds=1)
#: A browser's clock that is further off tells nothing.
CLIENT_CLOCK_OFF = timedelta(days=1)
#: Characters of a comment; the rest is cut off.
COMMENT_LIMIT = 2000


class Outcome(Enum):
    """What became of a submitted answer; the page leads on after each of them."""

    RECORDED = "recorded"
    CHANGED = "changed"
    REPEATED = "repeated"  #: that question was answered before; nothing was changed
    TAKEN = "taken"  #: given back to the pool, and others have answered it; nothing was changed
    STALE = "stale"  #: no question of this appraiser, or not as it was shown; nothing was changed


@dataclass(frozen=True)
class Extras:
    """What may be asked beside the choice; what the study does not ask for is not kept."""

    left_familiarity: str = ""
    right_familiarity: str = ""
    confidence: int | None = None
    comment: str = ""


def mark_shown(
    *, appraiser: Appraiser, assignment_key: str | UUID, now: datetime | None = None
) -> None:
    """The question is on the screen; only the first time counts."""
    unseen = Assignment.objects.filter(appraiser=appraiser, key=assignment_key, shown_at=None)
    unseen.update(shown_at=now or timezone.now())


@transaction.atomic
def record_judgment(
    *,
    appraiser: Appraiser,
    assignment_key: str | UUID,
    choice: str,
    extras: Extras = Extras(),
    revision: int = 0,
    shown: str | None = None,
    visible_ms: int | None = None,
    client_at: datetime | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Keep an answer, as a judgment and as an entry in its history.

    ``revision`` is the newest entry that its sender saw: 0 for a first answer. A doubled or stale
    one, or one to something else than what ``shown`` says, changes nothing. ``visible_ms``, how
    long the browser says that the question could be seen, and ``client_at``, the browser's clock,
    are dropped where they cannot be true.

    StudyClosed when the study takes no answers; ChangeRefused when the answer may not change any
    more; StudyError for an answer that the study does not offer.
    """
    if not come_back(appraiser=appraiser, answering=assignment_key, now=now):
        return Outcome.TAKEN
    # Two tabs that answer the last two questions at once: without the lock neither would see
    # the other's answer, and nobody would be marked as finished.
    appraiser = _locked(appraiser)
    study = appraiser.study
    _check_offered(study, choice, extras)
    assignment = _assignment(appraiser, assignment_key)
    if assignment is None or not _as_shown(assignment, shown):
        return Outcome.STALE
    now = now or timezone.now()
    answer = {
        "choice": choice,
        "chosen_arm_id": _chosen_arm(assignment, choice),
        **_asked_for(study, extras),
        "answered_at": now,
        "client_at": _plausible(client_at, now),
        "visible_ms": _possible(visible_ms, assignment.shown_at, now),
    }
    given: Judgment | None = getattr(assignment, "judgment", None)
    if given is not None:
        return _change(appraiser, assignment, given, answer, revision)
    # One who was screened out, or is done with fewer questions, is asked nothing any more.
    if revision or assignment.returned_at or appraiser.finished_at:
        return Outcome.STALE
    check_open(study, appraiser.kind)
    # The constraint on the assignment has the last word; a second tab may have been faster.
    judgment, recorded = Judgment.objects.get_or_create(assignment=assignment, defaults=answer)
    if not recorded:
        return Outcome.REPEATED
    JudgmentRevision.objects.create(assignment=assignment, number=judgment.revision, **answer)
    finish(appraiser=appraiser, now=now)
    return Outcome.RECORDED


@transaction.atomic
def confirm_answers(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """All is answered and stays so: from now on nothing changes. Before that nothing happens.

    Only where answers may change one has to say so; elsewhere the last answer ends the questions.
    """
    come_back(appraiser=appraiser, now=now)
    appraiser = _locked(appraiser)
    if not all_answered(appraiser) or not waits_for_word(appraiser):
        return
    confirm(appraiser=appraiser, now=now or timezone.now())


def _locked(appraiser: Appraiser) -> Appraiser:
    own = Appraiser.objects.select_for_update(no_key=True, of=("self",))
    try:
        found = own.get(pk=appraiser.pk)
    except Appraiser.DoesNotExist as gone:
        raise StudyClosed("The trial of this study has ended.") from gone
    # After the lock: whoever closes the study holds it until everybody's end is decided, and a
    # study that was read while waiting for it would still look open.
    found.study = Study.objects.get(pk=found.study_id)
    return found


def _change(
    appraiser: Appraiser,
    assignment: Assignment,
    given: Judgment,
    answer: dict[str, Any],
    revision: int,
) -> Outcome:
    """Another answer in the place of ``given``, if its sender saw that one and it may change."""
    said = ["choice", *asdict(Extras())]
    if revision != given.revision or all(getattr(given, name) == answer[name] for name in said):
        return Outcome.REPEATED
    check_open(appraiser.study, appraiser.kind)
    if assignment not in changeable(appraiser):
        raise ChangeRefused("This answer can no longer be changed.")
    number = revision + 1
    # Under the appraiser's lock nobody else can have changed it; the row count says so.
    seen = Judgment.objects.filter(pk=given.pk, revision=revision)
    if not seen.update(revision=number, **answer):
        return Outcome.REPEATED
    JudgmentRevision.objects.create(assignment=assignment, number=number, **answer)
    return Outcome.CHANGED


def _check_offered(study: Study, choice: str, extras: Extras) -> None:
    if choice not in {Choice.LEFT, Choice.RIGHT, study.third_answer} - {""}:
        raise StudyError("Choose one of the answers that the study offers.")
    known = {"", *Judgment.Familiarity.values}
    if not {extras.left_familiarity, extras.right_familiarity} <= known:
        raise StudyError(f"A familiarity is one of: {', '.join(Judgment.Familiarity.values)}.")
    if extras.confidence is not None and not 1 <= extras.confidence <= 5:
        raise StudyError("A confidence is a number from 1 to 5.")


def _asked_for(study: Study, extras: Extras) -> dict[str, Any]:
    left, right = extras.left_familiarity, extras.right_familiarity
    return {
        "left_familiarity": left if study.ask_familiarity else "",
        "right_familiarity": right if study.ask_familiarity else "",
        "confidence": extras.confidence if study.ask_confidence else None,
        "comment": extras.comment[:COMMENT_LIMIT] if study.ask_comment else "",
    }


def _chosen_arm(assignment: Assignment, choice: str) -> int | None:
    if choice not in {Choice.LEFT, Choice.RIGHT}:
        return None
    question = assignment.question
    arms = [question.first_arm_id, question.second_arm_id]
    return next(arm for arm in arms if (arm == assignment.left_arm_id) == (choice == Choice.LEFT))


def _as_shown(assignment: Assignment, shown: str | None) -> bool:
    return shown is None or constant_time_compare(shown, shown_digest(assignment))


def _plausible(client_at: datetime | None, now: datetime) -> datetime | None:
    """The browser's clock, unless it is more than a day off."""
    if client_at is None or abs(client_at - now) > CLIENT_CLOCK_OFF:
        return None
    return client_at


def _possible(visible_ms: int | None, shown_at: datetime | None, now: datetime) -> int | None:
    """The time unless it is negative, or longer than the time since the question was first sent."""
    if visible_ms is None or shown_at is None:
        return None
    longest = now - shown_at + CLOCK_SLACK
    return visible_ms if timedelta() <= timedelta(milliseconds=visible_ms) <= longest else None


def _assignment(appraiser: Appraiser, key: str | UUID) -> Assignment | None:
    try:
        key = UUID(str(key))
    except ValueError:
        return None
    movies = ("question__first_item", "question__second_item")
    own = appraiser.assignments.select_related("question", "judgment", *movies)
    return own.defer("question__profile").filter(key=key).first()
