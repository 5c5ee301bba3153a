"""How one leaves and has everything erased; what stays is a count without identity."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyClosed
from survey.models import Appraiser, Invitation, Judgment, Study, Withdrawal, is_past_last_day


@transaction.atomic
def withdraw(*, appraiser: Appraiser, now: datetime | None = None) -> Withdrawal | None:
    """Erase the appraiser with assignments, judgments, their history and responses.

    What stays is a row without identity: the kind, the day, the number of judgments. It returns
    None where somebody was faster, and StudyClosed after the last day. The places return to the
    pool by being gone. It works in a study that is paused or closed too.
    """
    now = now or timezone.now()
    # The study first, then the appraiser, as everywhere. Who joins at this moment counts
    # appraisers and withdrawals, and must see this one as the one or the other.
    study = Study.objects.select_for_update(no_key=True).get(pk=appraiser.study_id)
    found = Appraiser.objects.select_for_update(of=("self",)).filter(pk=appraiser.pk).first()
    if found is None:
        return None
    if is_past_last_day(study.withdraw_until, now):
        raise StudyClosed("The last day on which answers could be erased has passed.")
    # Deleting an assignment is refused while it has a judgment, so that none is lost by accident.
    erased, _ = Judgment.objects.filter(assignment__appraiser=found).delete()
    # The personal link led to this person: its label goes. Its digest stays, or the link could
    # not say that it is spent. Its time of use, the consent's, gives way to the tombstone's day.
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    Invitation.objects.filter(appraiser=found).update(label="", used_at=today, appraiser=None)
    tombstone = Withdrawal.objects.create(
        study=study, kind=found.kind, on=now.date(), n_judgments=erased
    )
    found.delete()
    return tombstone
