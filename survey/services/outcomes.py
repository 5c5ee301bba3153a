"""How it ends for an appraiser: decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from survey.models import Appraiser, Response, Study
from survey.selectors.next_step import (
    all_answered,
    failing,
    waiting_for_word,
    waits_for,
    waits_for_word,
)


def finish(*, appraiser: Appraiser, now: datetime) -> str:
    """Write down how it ended, once nothing is left to do; the outcome, "" while something is.

    The caller holds the lock on the appraiser. Failed checks end it with the last question: the
    questionnaire after the questions is then not asked, and the places return to the pool.
    """
    if appraiser.finished_at is not None:
        return appraiser.outcome
    if not all_answered(appraiser) or waits_for_word(appraiser):
        return ""
    if failed_checks(appraiser):
        return end(appraiser=appraiser, outcome=Appraiser.Outcome.FAILED, now=now)
    if waits_for(appraiser, Response.Part.AFTER):
        return ""
    return end(appraiser=appraiser, outcome=Appraiser.Outcome.DONE, now=now)


def failed_checks(appraiser: Appraiser) -> bool:
    """Whether fewer checks were answered as told than the study asks for."""
    study = appraiser.study
    own = study.appraisers.filter(pk=appraiser.pk)
    return study.checks_to_pass > 0 and failing(own, study).exists()


def confirm(*, appraiser: Appraiser, now: datetime) -> None:
    """The answers stay as they are. The caller holds the lock; everything is answered."""
    Appraiser.objects.filter(pk=appraiser.pk).update(confirmed_at=now)
    appraiser.confirmed_at = now
    finish(appraiser=appraiser, now=now)


def take_as_final(*, study: Study, people: Iterable[int], now: datetime) -> None:
    """Of these, who answered everything and never said that it stays, is taken to have said so.

    The caller holds the locks on the people (primary keys), and had them before this reads: so
    what was on its way is either there, or finds the answers final.
    """
    for appraiser in waiting_for_word(study).filter(pk__in=list(people)).order_by("pk"):
        appraiser.study = study
        confirm(appraiser=appraiser, now=now)


def end(*, appraiser: Appraiser, outcome: str, now: datetime) -> str:
    """Once and for all; the row in hand is brought up to date."""
    unfinished = Appraiser.objects.filter(pk=appraiser.pk, finished_at=None)
    if unfinished.update(finished_at=now, outcome=outcome):
        appraiser.finished_at, appraiser.outcome = now, outcome
    return appraiser.outcome
