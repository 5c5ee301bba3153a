"""Records what an appraiser answers, and changes it where the study allows that."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from survey.errors import ChangeRefused, StudyClosed, StudyError
from survey.models import Appraiser, Assignment, Judgment, JudgmentRevision, Study
from survey.selectors.next_step import (
    ANOTHER_IS_UNANSWERED,
    awaits_confirmation,
    has_answered_all,
    own_assignments,
)
from survey.selectors.question import changeable
from survey.services.dropouts import reclaim_assignments
from survey.services.outcomes import confirm_as_final, decide_outcome
from survey.tokens import shown_digest

Choice = Judgment.Choice
#: How far the clocks of server and browser may drift apart while a question is on the screen.
CLOCK_SLACK = timedelta(seconds=1)
#: The browser's clock is ignored if it is further off than this.
CLIENT_CLOCK_OFF = timedelta(days=1)
#: Characters of a comment; the rest is cut off.
COMMENT_LIMIT = 2000
#: An answer that differs in none of these is the same answer.
COMPARED = ("choice", "left_familiarity", "right_familiarity", "confidence", "comment")


class AnswerResult(Enum):
    """What became of a submitted answer."""

    RECORDED = "recorded"
    CHANGED = "changed"
    REPEATED = "repeated"  #: the question was answered before; nothing was changed
    TAKEN = "taken"  #: the assignment was returned, and others answered it; nothing was changed
    STALE = "stale"  #: not an open question of this appraiser as it was shown; nothing was changed


def record_judgment(
    *,
    appraiser: Appraiser,
    assignment_key: str | UUID,
    choice: str,
    left_familiarity: str = "",
    right_familiarity: str = "",
    confidence: int | None = None,
    comment: str = "",
    revision: int = 0,
    shown: str | None = None,
    visible_ms: int | None = None,
    client_at: datetime | None = None,
    page_language: str = "",
    now: datetime | None = None,
) -> AnswerResult:
    """Store an answer as a judgment and as a revision in its history.

    Of what may be asked besides the choice, only what the study asks for is stored.
    ``revision`` is the newest revision that the sender saw: 0 for a first answer. A repeated or
    stale answer, or one to another question than ``shown`` says, changes nothing. ``visible_ms``,
    how long the question was visible according to the browser, and ``client_at``, the browser's
    clock, are dropped if they are impossible. ``page_language`` is that of the page when it was
    sent: another than the site's shows that the browser translated it.

    Raises StudyClosed when the study takes no answers, ChangeRefused when the answer may not
    change any more, StudyError for an answer that the study does not offer.
    """
    now = now or timezone.now()
    answer = {
        "choice": choice,
        "left_familiarity": left_familiarity,
        "right_familiarity": right_familiarity,
        "confidence": confidence,
        "comment": comment,
        "answered_at": now,
        "client_at": client_at,
        "page_language": page_language,
        "visible_ms": visible_ms,
    }
    record = partial(_record, appraiser, assignment_key, answer, revision, shown, now)
    if (result := record()) is not None:
        return result
    # The study is locked before the appraiser everywhere, so the assignments can only be
    # reclaimed after the first attempt let the appraiser go.
    if not reclaim_assignments(appraiser=appraiser, answering=assignment_key, now=now):
        return AnswerResult.TAKEN
    return record() or AnswerResult.STALE


@transaction.atomic
def _record(
    appraiser: Appraiser,
    assignment_key: str | UUID,
    answer: dict[str, Any],
    revision: int,
    shown: str | None,
    now: datetime,
) -> AnswerResult | None:
    """One attempt in one transaction; None where the assignment was returned to the pool."""
    appraiser = lock_appraiser(appraiser, now)
    _check_offered(appraiser.study, answer)
    assignment = _find_assignment(appraiser, assignment_key)
    if assignment is None:
        return AnswerResult.STALE
    if shown is not None and not constant_time_compare(shown, shown_digest(assignment)):
        return AnswerResult.STALE
    answer = _complete(answer, assignment, appraiser.study, now)
    judgment: Judgment | None = getattr(assignment, "judgment", None)
    if judgment is not None:
        return _change(assignment, judgment, answer, revision)
    if revision or appraiser.finished_at:
        return AnswerResult.STALE
    if assignment.returned_at:
        return None
    _check_open(appraiser)
    # All answers of an appraiser are stored under the lock on them, so the assignment cannot
    # have got a judgment since it was read.
    Judgment.objects.create(assignment=assignment, **answer)
    JudgmentRevision.objects.create(assignment=assignment, number=1, **answer)
    if not assignment.another_is_unanswered:  # type: ignore[attr-defined]
        decide_outcome(appraiser=appraiser, now=now)
    return AnswerResult.RECORDED


@transaction.atomic
def confirm_answers(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """Make the answers final, if everything is answered; otherwise nothing happens.

    Only where answers may change do appraisers confirm; elsewhere the last answer is the end.
    """
    now = now or timezone.now()
    reclaim_assignments(appraiser=appraiser, now=now)
    appraiser = lock_appraiser(appraiser, now)
    if has_answered_all(appraiser) and awaits_confirmation(appraiser):
        confirm_as_final(appraiser=appraiser, now=now)


def lock_appraiser(appraiser: Appraiser, now: datetime) -> Appraiser:
    """Lock the appraiser, note when they were last seen, and read them with the study again.

    Two tabs that answer the last two questions at once come one after the other; otherwise
    neither would see the other's answer, and the appraiser would never finish. Raises StudyClosed
    if the appraiser was erased.
    """
    if not Appraiser.objects.filter(pk=appraiser.pk).update(seen_at=now):
        raise StudyClosed("This private link is no longer known.")
    # A second statement: closing a study locks its appraisers until every outcome is decided, and
    # a study that was read while waiting for that would still look open.
    return Appraiser.objects.select_related("study").get(pk=appraiser.pk)


def _change(
    assignment: Assignment, judgment: Judgment, answer: dict[str, Any], revision: int
) -> AnswerResult:
    """Replace the judgment if the sender saw its newest revision and it may still change."""
    appraiser = assignment.appraiser
    is_same = all(getattr(judgment, name) == answer[name] for name in COMPARED)
    if is_same or revision != judgment.revision:
        return AnswerResult.REPEATED
    _check_open(appraiser)
    if assignment not in changeable(appraiser, own_assignments(appraiser)):
        raise ChangeRefused("This answer can no longer be changed.")
    number = revision + 1
    Judgment.objects.filter(pk=judgment.pk).update(revision=number, **answer)
    JudgmentRevision.objects.create(assignment=assignment, number=number, **answer)
    return AnswerResult.CHANGED


def _find_assignment(appraiser: Appraiser, key: str | UUID) -> Assignment | None:
    try:
        key = UUID(str(key))
    except ValueError:
        return None
    own = appraiser.assignments.select_related("question", "judgment").defer("question__profile")
    return own.annotate(another_is_unanswered=ANOTHER_IS_UNANSWERED).filter(key=key).first()


def _check_open(appraiser: Appraiser) -> None:
    if not appraiser.study.is_open_for(appraiser.kind):
        raise StudyClosed("This study takes no answers now.")


def _check_offered(study: Study, answer: dict[str, Any]) -> None:
    if answer["choice"] not in {Choice.LEFT, Choice.RIGHT, study.third_answer} - {""}:
        raise StudyError("Choose one of the answers that the study offers.")
    known = Judgment.Familiarity.values
    if not {answer["left_familiarity"], answer["right_familiarity"]} <= {"", *known}:
        raise StudyError(f"A familiarity is one of: {', '.join(known)}.")
    if answer["confidence"] is not None and not 1 <= answer["confidence"] <= 5:
        raise StudyError("A confidence is a number from 1 to 5.")


def _complete(
    answer: dict[str, Any], assignment: Assignment, study: Study, now: datetime
) -> dict[str, Any]:
    """The answer with the chosen arm, and without what the study does not ask or cannot be true."""
    kept = answer | {"chosen_arm_id": _chosen_arm(assignment, answer["choice"])}
    if not study.ask_familiarity:
        kept |= {"left_familiarity": "", "right_familiarity": ""}
    if not study.ask_confidence:
        kept["confidence"] = None
    kept["comment"] = answer["comment"][:COMMENT_LIMIT] if study.ask_comment else ""
    client_at, visible_ms = answer["client_at"], answer["visible_ms"]
    if client_at is not None and abs(client_at - now) > CLIENT_CLOCK_OFF:
        kept["client_at"] = None
    # The question cannot have been visible for longer than the time since it was first sent.
    longest = now - assignment.shown_at + CLOCK_SLACK if assignment.shown_at else timedelta(-1)
    if visible_ms is not None and not timedelta() <= timedelta(milliseconds=visible_ms) <= longest:
        kept["visible_ms"] = None
    return kept


def _chosen_arm(assignment: Assignment, choice: str) -> int | None:
    first, second = assignment.question.first_arm_id, assignment.question.second_arm_id
    left = assignment.left_arm_id
    return {Choice.LEFT: left, Choice.RIGHT: second if left == first else first}.get(Choice(choice))
