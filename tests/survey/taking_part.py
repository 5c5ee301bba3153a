"""Appraisers who join, answer, leave and come back, through the services."""

from datetime import timedelta

from survey.selectors.capacity import places
from survey.selectors.question import question_page
from survey.services.answering import record_judgment
from survey.services.dropouts import reclaim_assignments
from survey.services.joining import join_study
from survey.services.visiting import note_activity
from tests.factories import NOW

LATER = NOW + timedelta(hours=3)


def join(study, now=NOW, kind="real"):
    return join_study(study=study, kind=kind, now=now)[0]


def answer(who, count=100, now=NOW):
    """The next questions as they come, checks as they ask for; the page leads the way."""
    for _ in range(count):
        page = question_page(who)
        if page is None:
            break
        row = who.assignments.get(key=page["assignment_key"])
        record_judgment(
            appraiser=who, assignment_key=row.key, choice=row.expected or "left", now=now
        )
    who.refresh_from_db()


def visit(who, now):
    """Opening one's page."""
    note_activity(appraiser=who, now=now)
    return reclaim_assignments(appraiser=who, now=now)


def given(study, kind="real"):
    return sorted(places(study, kind).pool.given.values())


def left_of(who):
    rows = who.assignments.filter(kind="main").exclude(judgment=None)
    return [row.left_arm_id == row.question.first_arm_id for row in rows.select_related("question")]
