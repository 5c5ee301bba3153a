"""Appraisers join, leave, come back and fail at once; others then use up all places."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from tests.races.threads import at_once

PEOPLE, NEWCOMERS, QUOTA, QUESTIONS, PROFILES = 40, 30, 30, 8, 22
SEED = 11


def answer(who: Any, count: int, now: Any, *, careless: bool = False) -> Counter[str]:
    """The next questions as the page shows them; who is careless fails the checks."""
    from survey.selectors.next_step import first_open, own_assignments
    from survey.services.answering import record_judgment

    outcomes: Counter[str] = Counter()
    for _ in range(count):
        row = first_open(own_assignments(who))
        if row is None:
            break
        choice = row.expected or "left"
        if careless and row.expected:
            choice = "right" if row.expected == "left" else "left"
        outcome = record_judgment(appraiser=who, assignment_key=row.key, choice=choice, now=now)
        outcomes[outcome.value] += 1
    return outcomes


def last_places() -> dict[str, Any]:
    """Six people come back at once, each in two tabs, to a third of what they had left."""
    from survey.models import Appraiser
    from survey.selectors.capacity import places
    from survey.services.dropouts import reclaim_assignments
    from survey.services.joining import join_study
    from survey.services.visiting import note_activity
    from tests.factories import NOW, StudyFactory

    later = NOW + timedelta(hours=3)
    study = StudyFactory(slug="last", n_profiles=6, questions_per_appraiser=4, quota=6)
    away = [join_study(study=study, now=NOW)[0] for _ in range(6)]
    for who in away:
        answer(who, 1, NOW)
    for _ in range(3):
        answer(join_study(study=study, now=later)[0], 4, later)

    def visit(pk: int) -> str:
        who = Appraiser.objects.get(pk=pk)
        note_activity(appraiser=who, now=later)
        reclaim_assignments(appraiser=who, now=later)
        return "came back"

    ends = at_once(lambda pk=who.pk: visit(pk) for who in [*away, *away])
    given = places(study, "real").pool.given.values()
    return {"ends": Counter(ends), "given": sorted(given)}


def comings() -> dict[str, Any]:
    from survey.errors import StudyFull
    from survey.models import Appraiser, Assignment, Judgment, JudgmentRevision
    from survey.selectors.capacity import places
    from survey.selectors.next_step import first_open, own_assignments
    from survey.services.answering import AnswerResult, record_judgment
    from survey.services.dropouts import reclaim_assignments
    from survey.services.joining import join_study
    from survey.services.visiting import note_activity
    from survey.services.withdrawing import withdraw
    from tests.factories import NOW, StudyFactory

    later = NOW + timedelta(hours=3)
    chance = Random(SEED)
    course = {"n_practice": 1, "n_checks": 2, "checks_to_pass": 1, "n_repeats": 2}
    study = StudyFactory(
        slug="comings",
        n_profiles=PROFILES,
        questions_per_appraiser=QUESTIONS,
        quota=QUOTA,
        **course,
    )

    def join(now: Any) -> Appraiser:
        return join_study(study=study, now=now)[0]

    def start(answers: int) -> tuple[Appraiser, Any]:
        """Join, answer some, and leave a question on the screen."""
        who = join(NOW)
        answer(who, answers, NOW)
        return who, first_open(own_assignments(who))

    def visit(who: Appraiser) -> str:
        note_activity(appraiser=who, now=later)
        reclaim_assignments(appraiser=who, now=later)
        return "came back"

    def send_late(who: Appraiser, shown: Assignment) -> str:
        note_activity(appraiser=who, now=later)
        outcome = record_judgment(
            appraiser=who, assignment_key=shown.key, choice="right", now=later
        )
        if outcome is AnswerResult.RECORDED:
            landed = Assignment.objects.get(key=shown.key)
            same = (landed.question_id, landed.left_arm_id)
            return "recorded" if same == (shown.question_id, shown.left_arm_id) else "elsewhere"
        return outcome.value

    def work(careless: bool) -> str:
        answer(join(later), 100, later, careless=careless)
        return "worked"

    answer(join(NOW), 100, NOW, careless=True)
    counts = [chance.randrange(14) for _ in range(PEOPLE)]
    began = at_once([lambda count=count: start(count) for count in counts])
    inside = [one for one in began if isinstance(one, tuple)]
    chance.shuffle(inside)
    actions = [lambda n=n: work(careless=n % 3 == 0) for n in range(NEWCOMERS)]
    for place, (who, shown) in enumerate(inside):
        first = Appraiser.objects.get(pk=who.pk)
        if place % 4 == 0 and shown:  # two tabs: one sends what was on the screen, one looks
            second = Appraiser.objects.get(pk=who.pk)
            actions += [
                lambda who=first, shown=shown: send_late(who, shown),
                lambda who=second: visit(who),
            ]
        elif place % 8 == 6 and shown:  # one tab looks, and then the other one sends
            actions.append(lambda who=first, shown=shown: visit(who) and send_late(who, shown))
        elif place % 4 == 1:
            actions.append(lambda who=first: visit(who))
        elif place % 8 == 2:
            actions.append(lambda who=first: withdraw(appraiser=who, now=later) and "left")
    chance.shuffle(actions)
    ends = at_once(actions)

    last = later + timedelta(hours=3)
    while True:
        try:
            answer(join(last), 100, last)
        except StudyFull:
            break
    finished = Appraiser.objects.filter(outcome="done")
    balances = [
        sum(
            1 if row.left_arm_id == row.question.first_arm_id else -1
            for row in who.assignments.filter(kind="main").select_related("question")
            if hasattr(row, "judgment")
        )
        for who in finished
    ]
    standings = places(study, "real").pool.standings.values()
    judged = Judgment.objects.filter(
        assignment__kind="main", assignment__appraiser__outcome__in=["", "done"]
    )
    met = Counter(
        Assignment.objects.exclude(kind="repeat").values_list("appraiser", "question__user")
    )
    return {
        "joined": Counter(one if isinstance(one, str) else "joined" for one in began),
        "ends": Counter(ends),
        "outcomes": Counter(Appraiser.objects.values_list("outcome", flat=True)),
        "judged": sorted(Counter(judged.values_list("assignment__question", flat=True)).values()),
        "balances": Counter(balances),
        "spread": max(abs(2 * one.first_left - one.given) for one in standings),
        "met_twice": sum(count > 1 for count in met.values()),
        "unwritten": Judgment.objects.count() - JudgmentRevision.objects.filter(number=1).count(),
        "misattributed": sum(
            (row.choice == "left") != (row.chosen_arm_id == row.assignment.left_arm_id)
            for row in Judgment.objects.select_related("assignment")
        ),
    }


def run() -> dict[str, Any]:
    return comings() | {"last": last_places()}
