"""Records the answers to a questionnaire: to all of its items at once, or to none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyClosed, StudyError
from survey.models import Appraiser, Response
from survey.protocol import questionnaires
from survey.selectors.next_step import Step, next_step, step_if_open
from survey.services.answering import lock_appraiser
from survey.services.dropouts import reclaim_assignments
from survey.services.outcomes import decide_outcome, set_outcome

#: The questionnaire of a step.
QUESTIONNAIRES = {Step.BEFORE: Response.Part.BEFORE, Step.AFTER: Response.Part.AFTER}


@transaction.atomic
def respond(
    *,
    appraiser: Appraiser,
    part: str,
    items: Sequence[questionnaires.AskedItem],
    sent: Mapping[str, str],
    now: datetime | None = None,
) -> bool:
    """Store the answers to a questionnaire with the questions as worded; whether it did.

    A repeated or stale questionnaire changes nothing. An answer that screens the appraiser out
    ends their participation, and their places return to the pool.

    Raises StudyClosed where this questionnaire is next but the study takes no answers now, and
    StudyError for impossible answers, which the page has checked for before.
    """
    now = now or timezone.now()
    reclaim_assignments(appraiser=appraiser, now=now)
    # A second tab may send the same at this moment; it waits until these answers are stored.
    found = lock_appraiser(appraiser, now)
    if QUESTIONNAIRES.get(step_if_open(found)) != part:
        return False
    if next_step(found) is Step.CLOSED:
        raise StudyClosed("This study takes no answers now.")
    answers, problems = questionnaires.read_answers(items, sent)
    if problems:
        raise StudyError(f"These answers are not possible: {', '.join(problems)}.")
    Response.objects.bulk_create(
        Response(
            appraiser=found,
            part=part,
            item=item.name,
            question=item.text,
            answer=answers[item.name],
            answered_at=now,
        )
        for item in items
    )
    if part == Response.Part.BEFORE and questionnaires.is_screened_out(items, answers):
        set_outcome(appraiser=found, outcome=Appraiser.Outcome.SCREENED, now=now)
    decide_outcome(appraiser=found, now=now)
    return True
