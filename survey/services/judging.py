"""What appraisers do: join, begin, see a question, judge."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from survey import pairing
from survey.errors import StudyClosed, StudyError, StudyFull
from survey.models import Appraiser, Assignment, Judgment, Study

#: No vowels, and nothing mistaken for something else: no 0 O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B.
CODE_LETTERS = "3479CDFHJKMNPRTVWX"
#: How far the clocks of server and browser may drift apart while a question is looked at.
CLOCK_SLACK = timedelta(seconds=1)
#: The seed of each kind's draws; a number that was given never changes.
KIND_STREAMS = {Appraiser.Kind.REAL: 0, Appraiser.Kind.PILOT: 1, Appraiser.Kind.SIMULATED: 2}


#: Shorter tickets are not ours, and might be somebody else's too.
TICKET_LENGTH = 43


class Outcome(Enum):
    """What became of a submitted answer; the page leads on after each of them."""

    RECORDED = "recorded"
    REPEATED = "repeated"  #: that question was answered before; nothing was changed
    STALE = "stale"  #: no question of this appraiser; nothing was changed


def new_ticket() -> str:
    """What a page with the consent text carries, so that accepting it twice joins once."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a private link: enough to recognise it, too little to open it."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def join_study(
    *,
    study: Study,
    kind: str = Appraiser.Kind.REAL,
    ticket: str = "",
    now: datetime | None = None,
) -> tuple[Appraiser, str]:
    """A new appraiser, who has consented, with all assignments; returns the secret token too.

    A double click sends the same ``ticket`` again: it leads to the appraiser it made before.
    The quota holds for real ones and, apart, for those of the pilot. StudyFull, StudyClosed.
    """
    # One at a time: who joins at the same moment must see these assignments counted. SQLite's
    # transactions are IMMEDIATE, elsewhere the row is locked.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    token = secrets.token_urlsafe(32)
    if len(ticket) >= TICKET_LENGTH:
        token = _token_of(study, kind, ticket)
        if known := study.appraisers.filter(token_digest=token_digest(token)).first():
            return known, token
    _check_open(study, kind)
    so_far = study.appraisers.filter(kind=kind).aggregate(count=Count("pk"), last=Max("number"))
    if kind != Appraiser.Kind.SIMULATED and so_far["count"] >= study.quota:
        raise StudyFull("Every place of this study is taken.")
    appraiser = Appraiser.objects.create(
        study=study,
        kind=kind,
        number=(so_far["last"] or 0) + 1,
        token_digest=token_digest(token),
        completion_code=_completion_code(),
        consent_text=study.consent_text,
        consented_at=now or timezone.now(),
    )
    _assign(appraiser)
    return appraiser, token


def begin(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """The instructions were read; later calls change nothing."""
    waiting = Appraiser.objects.filter(pk=appraiser.pk, instructed_at=None)
    waiting.update(instructed_at=now or timezone.now())


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
    visible_ms: int | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Keep the first choice on an assignment; a doubled or stale submit changes nothing.

    ``visible_ms`` is how long the browser says that the question could be seen; one that cannot
    be true is dropped.

    StudyClosed when the study takes no answers; StudyError when the choice is no side.
    """
    if choice not in Judgment.Choice.values:
        raise StudyError("Choose the left or the right recommendation.")
    # Two tabs that answer the last two questions at once: without the lock neither would see
    # the other's answer, and nobody would be marked as finished.
    own = Appraiser.objects.select_for_update(no_key=True, of=("self",)).select_related("study")
    try:
        appraiser = own.get(pk=appraiser.pk)
    except Appraiser.DoesNotExist as gone:
        raise StudyClosed("The trial of this study has ended.") from gone
    assignment = _assignment(appraiser, assignment_key)
    if assignment is None:
        return Outcome.STALE
    if hasattr(assignment, "judgment"):
        return Outcome.REPEATED
    _check_open(appraiser.study, appraiser.kind)
    now = now or timezone.now()
    question = assignment.question
    arms = [question.first_arm_id, question.second_arm_id]
    chosen_left = choice == Judgment.Choice.LEFT
    # The constraint on the assignment has the last word; a second tab may have been faster.
    _, recorded = Judgment.objects.get_or_create(
        assignment=assignment,
        defaults={
            "choice": choice,
            "chosen_arm_id": next(
                arm for arm in arms if (arm == assignment.left_arm_id) == chosen_left
            ),
            "answered_at": now,
            "visible_ms": _possible(visible_ms, assignment.shown_at, now),
        },
    )
    if not recorded:
        return Outcome.REPEATED
    if not appraiser.assignments.filter(judgment=None).exists():
        Appraiser.objects.filter(pk=appraiser.pk, finished_at=None).update(finished_at=now)
    return Outcome.RECORDED


def _possible(visible_ms: int | None, shown_at: datetime | None, now: datetime) -> int | None:
    """The time unless it is negative, or longer than the time since the question was first sent."""
    if visible_ms is None or shown_at is None:
        return None
    longest = now - shown_at + CLOCK_SLACK
    return visible_ms if timedelta() <= timedelta(milliseconds=visible_ms) <= longest else None


def _check_open(study: Study, kind: str) -> None:
    if not study.takes(kind):
        raise StudyClosed("This study takes no answers now.")


def _token_of(study: Study, kind: str, ticket: str) -> str:
    """Of a ticket always the same, and still nothing that its holder could choose."""
    made = salted_hmac("survey.join", f"{study.pk}/{kind}/{ticket}", algorithm="sha256")
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")


def _completion_code() -> str:
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _assign(appraiser: Appraiser) -> None:
    """Questions and sides for a new appraiser, drawn from the study's seed and stored."""
    study = appraiser.study
    of_this_kind = Q(assignments__appraiser__kind=appraiser.kind)
    counted = study.questions.annotate(
        assigned=Count("assignments", filter=of_this_kind & Q(assignments__kind="main"))
    )
    questions = counted.defer("profile").in_bulk()
    rng = pairing.generator(
        study.seed,
        pairing.Stream.APPRAISER,
        KIND_STREAMS[Appraiser.Kind(appraiser.kind)],
        appraiser.number,
    )
    chosen = pairing.choose_questions(
        {pk: question.assigned for pk, question in sorted(questions.items())},
        study.questions_per_appraiser,
        rng,
    )
    sides = pairing.choose_sides(len(chosen), rng)
    Assignment.objects.bulk_create(
        Assignment(
            appraiser=appraiser,
            question=questions[pk],
            position=position,
            left_arm_id=questions[pk].first_arm_id if first_left else questions[pk].second_arm_id,
        )
        for position, (pk, first_left) in enumerate(zip(chosen, sides, strict=True), start=1)
    )


def _assignment(appraiser: Appraiser, key: str | UUID) -> Assignment | None:
    try:
        key = UUID(str(key))
    except ValueError:
        return None
    own = appraiser.assignments.select_related("question", "judgment").defer("question__profile")
    return own.filter(key=key).first()
