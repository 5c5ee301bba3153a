"""How one answers a questionnaire: all of its items at once, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyClosed, StudyError
from survey.models import Appraiser, Response, Study
from survey.protocol import questionnaires
from survey.selectors.next_step import Step, next_step, step_in_turn
from survey.services.dropouts import come_back
from survey.services.outcomes import end, finish

#: The questionnaire that is open in a step.
PARTS = {Step.BEFORE: Response.Part.BEFORE, Step.AFTER: Response.Part.AFTER}


@transaction.atomic
def respond(
    *,
    appraiser: Appraiser,
    part: str,
    items: Sequence[questionnaires.AskedItem],
    sent: Mapping[str, str],
    now: datetime | None = None,
) -> bool:
    """Keep the answers to a questionnaire, with the words that were asked; whether it did.

    A doubled or stale one changes nothing. An answer that screens out ends the study for this
    appraiser; the places of one who ended so are free. StudyClosed where this questionnaire would
    be next, but the study takes no answers now. StudyError unless every answer is possible: the
    page has asked ``questionnaires.read_answers`` before.
    """
    come_back(appraiser=appraiser, now=now)
    # A second tab may send the same at this moment; the row is held until its answers are there.
    own = Appraiser.objects.select_for_update(no_key=True, of=("self",))
    found = own.filter(pk=appraiser.pk).first()
    if found is None:
        raise StudyClosed("This private link is known no more.")
    # After the lock: the study may have paused or closed while this waited for it.
    found.study = Study.objects.get(pk=found.study_id)
    if PARTS.get(step_in_turn(found)) != part:
        return False
    if next_step(found) is Step.CLOSED:
        raise StudyClosed("This study takes no answers now.")
    answers, problems = questionnaires.read_answers(items, sent)
    if problems:
        raise StudyError(f"These answers are not possible: {', '.join(problems)}.")
    now = now or timezone.now()
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
        end(appraiser=found, outcome=Appraiser.Outcome.SCREENED, now=now)
    finish(appraiser=found, now=now)
    return True
