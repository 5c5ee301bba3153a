"""Questionnaires, withdrawals and the end of a study at once."""

from collections import Counter
from typing import Any

from tests.races.threads import at_once

PEOPLE, QUESTIONS = 12, 3
AGE = {"name": "age", "text": "How old are you?", "kind": "number"}


def leavings() -> dict[str, Any]:
    from survey.models import (
        Appraiser,
        Assignment,
        Judgment,
        JudgmentRevision,
        Response,
        Withdrawal,
    )
    from survey.selectors.questionnaires import items_of
    from survey.services.answering import record_judgment
    from survey.services.joining import join_study, mark_instructed
    from survey.services.responding import respond
    from survey.services.withdrawing import withdraw
    from tests.factories import StudyFactory

    study = StudyFactory(
        slug="leavings", questions_per_appraiser=QUESTIONS, quota=PEOPLE, before=[AGE]
    )
    people = [join_study(study=study)[0] for _ in range(PEOPLE)]
    for who in people:
        mark_instructed(appraiser=who)

    def say(who: Appraiser, age: str) -> bool:
        items = items_of(study, "before")
        return respond(appraiser=who, part="before", items=items, sent={"age": age})

    def judge(who: Appraiser) -> str:
        for key in who.assignments.values_list("key", flat=True):
            record_judgment(appraiser=who, assignment_key=key, choice="left")
        return "judged"

    def leave(who: Appraiser) -> str:
        return "left" if withdraw(appraiser=who) else "was gone"

    def come() -> int:
        return join_study(study=study)[0].number

    said = at_once(lambda who=who, age=age: say(who, age) for who in people for age in "12")
    leaving = people[: PEOPLE // 2]
    ends = at_once(
        [
            *(lambda who=who: judge(who) for who in people),
            *(lambda who=who: leave(who) for who in leaving for _ in range(2)),
            *[come] * 4,
        ]
    )
    gone = [who.pk for who in leaving]
    numbers = [who.number for who in people] + [end for end in ends if isinstance(end, int)]
    return {
        "said": Counter(str(one) for one in said),
        "ends": Counter("joined" if isinstance(end, int) else end for end in ends),
        "tombstones": Withdrawal.objects.count(),
        "stay": Response.objects.values("appraiser").distinct().count(),
        "traces": sum(
            rows.filter(**{path: gone}).count()
            for rows, path in (
                (Appraiser.objects, "pk__in"),
                (Assignment.objects, "appraiser__in"),
                (Judgment.objects, "assignment__appraiser__in"),
                (JudgmentRevision.objects, "assignment__appraiser__in"),
                (Response.objects, "appraiser__in"),
            )
        ),
        "numbers_given_twice": len(numbers) - len(set(numbers)),
        "unwritten": Judgment.objects.exclude(assignment__revisions__number=1).count(),
        "judged": sorted(
            Counter(Judgment.objects.values_list("assignment__appraiser", flat=True)).values()
        ),
    }


def endings() -> dict[str, Any]:
    """Last answers, changes and the word that all is final, while the study is closed."""
    from survey.models import Assignment, Study
    from survey.selectors.next_step import failing_checks, unconfirmed
    from survey.services.answering import confirm_answers, record_judgment
    from survey.services.joining import join_study
    from survey.services.launching import move_study
    from tests.factories import StudyFactory

    course = {"changes": "finish", "n_checks": 2, "checks_to_pass": 2}
    study = StudyFactory(slug="endings", questions_per_appraiser=QUESTIONS, quota=PEOPLE, **course)
    people = [join_study(study=study)[0] for _ in range(PEOPLE)]

    def say(row: Assignment, choice: str, revision: int = 0) -> str:
        return record_judgment(
            appraiser=row.appraiser, assignment_key=row.key, choice=choice, revision=revision
        ).value

    def confirm(row: Assignment) -> str:
        confirm_answers(appraiser=row.appraiser)
        return "confirmed"

    actions: list[Any] = [lambda: move_study(study=study, to="closed") and "closed"]
    for number, who in enumerate(people):
        rows = list(who.assignments.select_related("appraiser").order_by("position"))
        for row in rows[: len(rows) if number % 3 else -1]:
            say(row, row.expected or "left")
        main = next(row for row in rows if row.kind == Assignment.Kind.MAIN)
        act = (
            lambda row=rows[-1]: say(row, row.expected or "left"),
            lambda row=main: say(row, "right", 1),  # which is "left" by now; no check may change
            lambda row=main: confirm(row),
        )
        actions.append(act[number % 3])
    ends = at_once(actions)
    found = Study.objects.get(pk=study.pk)
    done = found.appraisers.filter(outcome="done")
    return {
        "ends": Counter(ends),
        "undecided": unconfirmed(found).count(),
        "outcomes": Counter(found.appraisers.values_list("outcome", flat=True)),
        "wrongly_done": failing_checks(done, found).count(),
    }


def returns() -> dict[str, Any]:
    """People of a panel who were screened out leave, and come again at the same moment."""
    from survey.models import Appraiser
    from survey.protocol import panels
    from survey.services.joining import join_study
    from survey.services.withdrawing import withdraw
    from tests.factories import NOW, StudyFactory

    panel = panels.prolific_panel(done="D", screened="S", failed="F")
    study = StudyFactory(slug="returns", entry="panel", panel=panel, quota=2 * PEOPLE)
    sent = [{name: [str(each)] for name in panels.PROLIFIC_PARAMETERS} for each in range(PEOPLE)]
    people = [join_study(study=study, panel=each)[0] for each in sent]
    study.appraisers.update(outcome="screened", finished_at=NOW)

    def leave(who: Appraiser) -> str:
        return "left" if withdraw(appraiser=who) else "was gone"

    def come(panel: dict[str, list[str]]) -> str:
        who, _ = join_study(study=study, panel=panel)
        return "new" if who.pk not in {each.pk for each in people} else "known"

    ends = at_once(
        [
            *(lambda who=who: leave(who) for who in people for _ in range(2)),
            *(lambda each=each: come(each) for each in sent for _ in range(2)),
        ]
    )
    return {
        "ends": Counter(ends),
        "stay": study.appraisers.count(),
        "outcomes": Counter(study.past_outcomes.values_list("outcome", flat=True)),
    }


def run() -> dict[str, Any]:
    return leavings() | {"endings": endings(), "returns": returns()}
