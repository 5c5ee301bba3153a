"""Sixty restless people over HTTP: what they were told was taken is what is stored, and no more.

Some leave for good or for hours, some withdraw, fail the checks or are screened out; most send
things twice, from two tabs, late, or something that was never asked of them.
"""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.flows.bots import Bot, Form
from tests.flows.visitors import Hall, Visitor
from tests.installation import Installation, own_database

pytestmark = pytest.mark.services

BOTS, QUESTIONS, PROFILES, QUOTA = 60, 5, 26, 58
SILENCE = 5
#: Answers sent by all when the second half of the crowd comes, and when the study is closed.
LATE_START, CLOSE = 120, 480
PASSWORD = "carp-lamp-tulip"
#: What every tenth of the crowd does; the number is how many questions it answers before.
CHARACTERS = [
    ("stays", 0),
    ("stays", 0),
    ("stays", 0),
    ("leaves", 3),
    ("comes back", 4),
    ("comes back", 0),
    ("answers late", 2),
    ("withdraws", 3),
    ("careless", 0),
    ("screened", 0),
]
MAKE = f"""
from django.contrib.auth.models import Permission, User
from survey.models import Study
from tests.factories import StudyFactory
for slug in ("restless", "cut-short"):
    StudyFactory(
        slug=slug, n_profiles={PROFILES}, questions_per_appraiser={QUESTIONS}, quota={QUOTA},
        return_after={SILENCE}, changes="previous", third_answer="tie",
        n_practice=1, n_checks=1, checks_to_pass=1, n_repeats=1,
        before=[{{"name": "glasses", "text": "Do you wear glasses?", "kind": "choice",
                  "options": ["sometimes", "never"], "screens_out": ["never"]}}],
        after=[{{"name": "remark", "text": "Was anything odd?", "kind": "text"}}],
    )
rita = User.objects.create_user("rita", password="{PASSWORD}")
rita.user_permissions.set(Permission.objects.filter(codename__in=["view_study", "change_study"]))
"""
#: As time would: everybody was seen so much earlier.
WAIT = f"""
from datetime import timedelta
from django.db.models import F
from survey.models import Appraiser
Appraiser.objects.update(seen_at=F("seen_at") - timedelta(minutes={SILENCE + 1}))
"""
FOUND = """
import json
from survey.models import Appraiser, Study
study = Study.objects.get(slug="SLUG")
first = {q.pk: q.first_arm_id for q in study.questions.all()}
movies = {}
for q in study.questions.select_related("first_item", "second_item"):
    movies[q.pk, q.first_arm_id] = q.first_item.title
    movies[q.pk, q.second_arm_id] = q.second_item.title
def said(row, question):
    chosen = row.chosen_arm_id
    return [row.choice, movies[question, chosen] if chosen else "", row.answered_at.isoformat()]
people = {}
for who in study.appraisers.prefetch_related(
    "assignments__judgment", "assignments__revisions"
):
    rows = []
    for each in who.assignments.all():
        given = getattr(each, "judgment", None)
        rows.append({
            "key": str(each.key), "kind": each.kind, "question": each.question_id,
            "first_left": each.left_arm_id == first[each.question_id],
            "left": movies[each.question_id, each.left_arm_id],
            "now": given and said(given, each.question_id), "revision": given and given.revision,
            "history": [[r.number, *said(r, each.question_id)] for r in each.revisions.all()],
        })
    people[who.token_digest] = {
        "kind": who.kind, "number": who.number, "outcome": who.outcome,
        "code": who.completion_code, "asked": rows,
        "responses": sorted(who.responses.values_list("part", flat=True)),
    }
print(json.dumps({
    "people": people, "questions": sorted(first),
    "withdrawn": sorted(study.withdrawals.values_list("n_judgments", flat=True)),
}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three web processes and two studies, on the database of this leg of the tests."""
    home = tmp_path_factory.mktemp("bots")
    with own_database(home) as database:
        site = Installation(home, DATABASE_URL=database, CONSENTS_PER_HOUR="0")
        try:
            site.manage("migrate", "--verbosity", "0")
            site.manage("collectstatic", "--noinput", "--verbosity", "0")
            site.ask(MAKE)
            site.serve(workers=3)
            yield site
        finally:
            site.stop()


def all_at_once(actions):
    actions = list(actions)
    with ThreadPoolExecutor(len(actions)) as people:
        for end in [people.submit(action) for action in actions]:
            end.result()


def crowd(hall):
    """(visitor, character, answers before it shows) of everybody who comes first."""
    people = []
    for number in range(BOTS):
        character, answers = CHARACTERS[number % len(CHARACTERS)]
        habits = {character: True}
        people.append((Visitor(hall, f"{number}", **habits), character, answers))
    return people


def first_visit(visitor, character, answers):
    if not visitor.join() or (character == "comes back" and not answers):
        return
    visitor.go_on(until=answers or 1000)
    if character == "withdraws" and not visitor.end:
        visitor.withdraw()


def second_visit(visitor, character):
    """Hours later: by the private link, or by a page that was open all the time."""
    late = visitor.open
    if character == "answers late" and late:
        visitor.send(late, late.asked_for)
    visitor.go_on(until=len(visitor.ledger) + 1)
    if character == "comes back" and late and late.key not in visitor.ledger:
        here = visitor.open
        if here is None or here.key != late.key:
            visitor.post(late, "left")
    visitor.go_on()


def newcomer(visitor):
    if visitor.join():
        visitor.go_on()


def work_off(hall):
    """Further people, a few at a time, until nobody finds a place; how many there were."""
    came = []
    for batch in range(20):
        here = [Visitor(hall, f"later-{batch}-{number}") for number in range(6)]
        all_at_once(lambda one=one: newcomer(one) for one in here)
        came += here
        if all(one.end == "full" and not one.private for one in here):
            return came
    raise AssertionError("there is no end of places")


def compare(site, hall, visitors):
    """The database against every ledger, exactly; what the database holds."""
    found = json.loads(site.ask(FOUND.replace("SLUG", hall.slug)))
    inside = {one.digest: one for one in visitors if one.private and one.erased is None}
    assert found["people"].keys() == inside.keys()
    assert found["withdrawn"] == sorted(one.erased for one in visitors if one.erased is not None)
    for digest, visitor in inside.items():
        check_person(visitor, found["people"][digest])
    numbers = [person["number"] for person in found["people"].values()]
    assert len(set(numbers)) == len(numbers)
    return found


def check_person(visitor, person):
    rows = {row["key"]: row for row in person["asked"]}
    stored = {key for key, row in rows.items() if row["now"]}
    assert stored == visitor.ledger.keys()
    for key, entry in visitor.ledger.items():
        check_answer(entry, rows[key])
    # In the order in which they were given.
    times = [rows[key]["history"][0][3] for key in visitor.ledger]
    assert times == sorted(times)
    ends = {"done", "failed", "screened"}
    assert person["outcome"] == (visitor.end if visitor.end in ends else "")
    if visitor.end == "done":
        assert visitor.code == person["code"]
        assert person["responses"] == ["after", "before"]


def check_answer(entry, row):
    """The movie that was chosen is the one that stood on that side, in every revision."""
    seen = entry.seen
    assert row["left"] == seen.left
    assert (row["kind"] == "practice") == seen.practice
    assert (row["kind"] == "check") == bool(seen.told)
    assert [each[0] for each in row["history"]] == list(range(1, len(entry.history) + 1))
    for (_, choice, movie, _), sent in zip(row["history"], entry.history, strict=True):
        assert choice in sent
        assert movie == ("" if choice == "tie" else seen.movie(choice))
    moments = [each[3] for each in row["history"]]
    assert moments == sorted(moments)
    assert row["now"] == row["history"][-1][1:]
    assert row["revision"] == len(entry.history)


def main_answers(person):
    return [row for row in person["asked"] if row["kind"] == "main" and row["now"]]


def lean(rows):
    """How much more often the first arm stood left than right."""
    return sum(1 if row["first_left"] else -1 for row in rows)


def check_statuses(visitors):
    statuses = Counter(status for one in visitors for status in one.bot.statuses)
    assert set(statuses) <= {200, 302, 404, 409}, statuses
    return statuses


def test_after_all_dropouts_every_question_has_its_answers(site, record_property):
    hall = Hall(site.port, "restless")
    first = crowd(hall)
    all_at_once(lambda one=one: first_visit(*one) for one in first)
    site.ask(WAIT)
    back = [one for one in first if one[1] in {"comes back", "answers late"} and one[0].private]
    fresh = [Visitor(hall, f"second-{number}") for number in range(12)]
    all_at_once(
        [
            *(lambda one=one: second_visit(*one[:2]) for one in back),
            *(lambda one=one: newcomer(one) for one in fresh),
        ]
    )
    site.ask(WAIT)
    later = work_off(hall)
    # Those who left come back when all is over: what they answered stays, and they are done.
    gone = [one for one, character, _ in first if character == "leaves" and one.private]
    all_at_once(one.go_on for one in gone)
    visitors = [one for one, _, _ in first] + fresh + later
    statuses = check_statuses(visitors)
    found = compare(site, hall, visitors)

    counted = [p for p in found["people"].values() if p["outcome"] not in {"failed", "screened"}]
    rows = [row for person in counted for row in main_answers(person)]
    counts = Counter(row["question"] for row in rows)
    share, more = divmod(QUOTA * QUESTIONS, PROFILES)
    targets = [share] * (PROFILES - more) + [share + 1] * more
    assert sorted(counts[key] for key in found["questions"]) == targets
    done = [person for person in counted if person["outcome"] == "done"]
    assert {abs(lean(main_answers(person))) for person in done} <= {0, 1}
    for person in done:
        sides = {row["question"]: row["left"] for row in main_answers(person)}
        again = [row for row in person["asked"] if row["kind"] == "repeat" and row["now"]]
        assert all(row["left"] != sides[row["question"]] for row in again)

    leans = Counter(
        abs(lean(row for row in rows if row["question"] == key)) for key in found["questions"]
    )
    spread = ", ".join(f"{count} by {by}" for by, count in sorted(leans.items()))
    ends = Counter(one.end for one in visitors)
    line = (
        f"{len(visitors)} people ({dict(ends)}), {sum(statuses.values())} requests; "
        f"{len(rows)} answers to {PROFILES} questions, {share} or {share + 1} each; "
        f"questions whose sides differ: {spread}"
    )
    record_property("spread", line)
    print(f"\n{line}")


def test_answers_before_the_close_are_kept_and_later_ones_refused(site):
    hall = Hall(site.port, "cut-short", marks={LATE_START: Event(), CLOSE: Event()})
    rita = Bot("127.0.0.1", site.port)
    form = Form(rita.ask("GET", "/login/")[0])
    rita.ask("POST", "/login/", form.hidden | {"username": "rita", "password": PASSWORD})
    first = crowd(hall)
    visitors = [one for one, _, _ in first]
    moments = []

    def close():
        page, _ = rita.ask("GET", "/research/cut-short/")
        hall.wait_for(CLOSE)
        moments.append(time.monotonic())
        rita.ask("POST", "/research/cut-short/state/", Form(page).hidden | {"to": "closed"})
        moments.append(time.monotonic())

    def come(number):
        if number >= BOTS // 2:
            hall.wait_for(LATE_START)
        first_visit(*first[number])

    all_at_once([close, *(lambda number=number: come(number) for number in range(BOTS))])
    asked, closed = moments
    # Pages that were open all the time, and answered only now.
    open_still = [one for one in visitors if one.open and one.erased is None]
    all_at_once(lambda one=one: one.send(one.open, "left") for one in open_still)
    all_at_once(one.go_on for one in visitors if one.private)

    refused = [post for one in visitors if one.erased is None for post in one.refused]
    assert len(open_still) > 0
    assert len(refused) >= len(open_still)
    assert all(post.status == 409 and post.replied > asked for post in refused)
    assert all(entry.sent < closed for one in visitors for entry in one.ledger.values())
    check_statuses(visitors)
    found = compare(site, hall, visitors)
    ends = Counter(person["outcome"] for person in found["people"].values())
    taken = sum(len(one.ledger) for one in visitors)
    print(f"\n{dict(ends)}; {taken} answers kept, {len(refused)} refused after the close")
    assert Bot("127.0.0.1", site.port).exchange("GET", "/s/cut-short/")[1].count("has ended")
