"""Answers that change: by the study's rule, with their history, and never by accident."""

from datetime import timedelta

import pytest

from survey.errors import ChangeRefused, StudyClosed, StudyError
from survey.models import Appraiser, Judgment, JudgmentRevision, Study
from survey.selectors.next_step import own_assignments
from survey.selectors.question import changeable, own_answers, question_page
from survey.services.answering import (
    AnswerResult,
    confirm_answers,
    record_judgment,
)
from survey.services.joining import join_study
from survey.services.visiting import mark_shown
from survey.tokens import shown_digest
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def joined(changes="finish", **values):
    study = StudyFactory(slug="change", questions_per_appraiser=4, changes=changes, **values)
    return join_study(study=study)[0]


def say(who, number, choice="left", revision=0, **more):
    who = Appraiser.objects.select_related("study").get(pk=who.pk)
    return record_judgment(
        appraiser=who,
        assignment_key=who.assignments.get(position=number).key,
        choice=choice,
        revision=revision,
        **{"now": NOW} | more,
    )


def extras(left, right, confidence, comment):
    names = ("left_familiarity", "right_familiarity", "confidence", "comment")
    return dict(zip(names, (left, right, confidence, comment), strict=True))


def say_all(who, up_to=4):
    for number in range(1, up_to + 1):
        say(who, number)


def numbers(who):
    who = Appraiser.objects.select_related("study").get(pk=who.pk)
    return [each.position for each in changeable(who, own_assignments(who))]


def listed(who):
    return own_answers(who, own_assignments(who))


def confirm(who):
    confirm_answers(appraiser=who, now=NOW)
    who.refresh_from_db()


@pytest.mark.parametrize(
    ("rule", "after_two", "after_all"),
    [("never", [], []), ("previous", [2], [4]), ("finish", [1, 2], [1, 2, 3, 4])],
)
def test_the_rule_says_which_answers_may_change(rule, after_two, after_all):
    who = joined(rule)
    say_all(who, 2)
    assert numbers(who) == after_two
    say(who, 3)
    say(who, 4)
    assert numbers(who) == after_all


def test_a_change_is_an_entry_of_the_history_and_updates_the_judgment():
    who = joined()
    say(who, 1, "left")
    assert say(who, 1, "right", 1, now=NOW + timedelta(hours=1)) is AnswerResult.CHANGED
    history = JudgmentRevision.objects.values_list("number", "choice", "answered_at")
    assert list(history) == [(1, "left", NOW), (2, "right", NOW + timedelta(hours=1))]
    judgment = Judgment.objects.get()
    assert (judgment.revision, judgment.choice) == (2, "right")
    assert judgment.chosen_arm_id == JudgmentRevision.objects.get(number=2).chosen_arm_id


def test_every_column_of_a_judgment_is_that_of_its_newest_entry():
    who = joined(third_answer="tie", ask_confidence=True, ask_comment=True, ask_familiarity=True)
    say(who, 1, client_at=NOW, **extras("seen", "known", 3, "A first thought."))
    say(who, 1, "tie", 1, **extras("unknown", "looked-up", 5, "A second one."))
    names = [field.attname for field in Judgment._meta.fields if field.name not in {"id"}]
    same = [name for name in names if name != "revision"]
    newest = JudgmentRevision.objects.values(*same).get(number=2)
    assert Judgment.objects.values(*same).get() == newest


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_a_change_of_an_older_answer_changes_nothing(seen):
    """A doubled post, a second tab, the back button: each saw an older answer, or none."""
    who = joined()
    say(who, 1, "left")
    say(who, 1, "right", 1)
    assert say(who, 1, "left", seen) is AnswerResult.REPEATED
    assert Judgment.objects.get().choice == "right"
    assert JudgmentRevision.objects.count() == 2


def test_the_same_answer_again_is_no_change():
    who = joined()
    say(who, 1, "left")
    assert say(who, 1, "left", 1) is AnswerResult.REPEATED
    assert JudgmentRevision.objects.count() == 1


def test_a_first_answer_does_not_come_from_a_page_that_showed_one():
    assert say(joined(), 1, "left", 1) is AnswerResult.STALE
    assert not Judgment.objects.exists()


@pytest.mark.parametrize(("rule", "number"), [("never", 2), ("previous", 1)])
def test_an_answer_that_the_rule_holds_is_refused(rule, number):
    who = joined(rule)
    say_all(who, 2)
    with pytest.raises(ChangeRefused):
        say(who, number, "right", 1)
    assert set(Judgment.objects.values_list("choice", flat=True)) == {"left"}


@pytest.mark.parametrize("rule", ["previous", "finish"])
def test_nothing_changes_after_confirmation(rule):
    who = joined(rule)
    say_all(who)
    confirm(who)
    assert (who.confirmed_at, who.finished_at, who.outcome) == (NOW, NOW, "done")
    with pytest.raises(ChangeRefused):
        say(who, 4, "right", 1)


def test_an_appraiser_who_may_change_answers_is_not_done_before_confirming():
    who = joined("previous")
    say_all(who)
    who.refresh_from_db()
    assert who.finished_at is None
    assert question_page(who) is None


def test_saying_so_with_a_question_open_does_nothing():
    who = joined()
    say_all(who, 3)
    confirm(who)
    assert (who.confirmed_at, who.finished_at) == (None, None)


def test_a_paused_study_takes_no_changes_but_a_confirmation():
    who = joined()
    say_all(who)
    Study.objects.update(status="paused")
    assert numbers(who) == []
    with pytest.raises(StudyClosed):
        say(who, 1, "right", 1)
    confirm(who)
    assert who.outcome == "done"


def test_practice_is_over_when_it_is_over():
    who = joined(n_practice=1)
    practice = who.assignments.get(kind="practice")
    record_judgment(appraiser=who, assignment_key=practice.key, choice="left")
    assert numbers(who) == []
    with pytest.raises(ChangeRefused):
        record_judgment(appraiser=who, assignment_key=practice.key, choice="right", revision=1)


@pytest.mark.parametrize("third", ["tie", "unsure"])
def test_a_third_answer_names_no_arm(third):
    who = joined(third_answer=third)
    assert say(who, 1, third) is AnswerResult.RECORDED
    assert Judgment.objects.values_list("choice", "chosen_arm").get() == (third, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"choice": "tie"},
        {"choice": ""},
        {"left_familiarity": "well"},
        {"confidence": 6},
    ],
)
def test_an_answer_that_the_study_does_not_offer_is_refused(wrong):
    with pytest.raises(StudyError):
        say(joined(), 1, **wrong)
    assert not Judgment.objects.exists()


def test_values_that_were_not_asked_for_are_not_stored():
    who = joined()
    say(who, 1, **extras("seen", "seen", 4, "My name is Ada."))
    kept = ["left_familiarity", "right_familiarity", "confidence", "comment"]
    assert Judgment.objects.values_list(*kept).get() == ("", "", None, "")


@pytest.mark.parametrize(("hours", "kept"), [(0, True), (-23, True), (23, True), (25, False)])
def test_a_clock_that_is_a_day_off_is_not_stored(hours, kept):
    said = NOW + timedelta(hours=hours)
    say(joined(), 1, client_at=said)
    assert Judgment.objects.get().client_at == (said if kept else None)


def test_an_answer_to_other_items_than_stored_is_stale():
    who = joined()
    page = question_page(who)
    other = Appraiser.objects.get(pk=join_study(study=who.study)[0].pk)
    for shown in ("", "0" * 32, question_page(other)["shown"]):
        assert say(who, 1, shown=shown) is AnswerResult.STALE
    assert say(who, 1, shown=page["shown"]) is AnswerResult.RECORDED


def test_the_digest_of_the_shown_items_depends_on_sides_and_appraiser():
    who = joined()
    first, second = who.assignments.order_by("position")[:2]
    digests = {shown_digest(first), shown_digest(second)}
    question = first.question
    first.left_arm_id = question.first_arm_id + question.second_arm_id - first.left_arm_id
    digests.add(shown_digest(first))
    assert len(digests) == 3


def mixed(changes, **values):
    """Somebody new with checks and repeats; the kinds in the order in which they are asked."""
    who = joined(changes, n_checks=2, checks_to_pass=1, **{"n_repeats": 1} | values)
    return who, list(who.assignments.order_by("position"))


def other(side):
    return "right" if side == "left" else "left"


@pytest.mark.parametrize("changes", ["previous", "finish"])
def test_a_check_can_never_be_changed_and_decides_as_it_was_answered(changes):
    who, rows = mixed(changes, n_repeats=0)
    for row in rows:
        say(who, row.position, other(row.expected) if row.expected else "left")
        if row.expected:
            with pytest.raises(ChangeRefused):
                say(who, row.position, row.expected, 1)
    for row in rows:
        if row.expected:
            with pytest.raises(ChangeRefused):
                say(who, row.position, row.expected, 1)
    confirm(who)
    assert who.outcome == "failed"


@pytest.mark.parametrize("changes", ["previous", "finish"])
def test_neither_a_repeat_nor_its_question_can_be_changed(changes):
    who, rows = mixed(changes)
    repeat = next(row for row in rows if row.kind == "repeat")
    original = next(row for row in rows if row.kind == "main" and row.question == repeat.question)
    for row in rows:
        say(who, row.position, row.expected or "left")
    for row in (repeat, original):
        with pytest.raises(ChangeRefused):
            say(who, row.position, "right", 1)
    kept = {row.position for row in rows if row.kind == "main"} - {original.position}
    assert set(numbers(who)) <= kept
    assert changes == "previous" or set(numbers(who)) == kept


def test_with_repeats_only_the_last_answer_is_listed_until_the_end():
    who, rows = mixed("finish")
    for row in rows:
        who = Appraiser.objects.select_related("study").get(pk=who.pk)
        last = [row.position - 1] if row.position > 1 else []
        assert [each["number"] for each in listed(who)] == last
        say(who, row.position, row.expected or "left")
    assert len(listed(who)) == len(rows)


def test_a_repeated_question_is_neither_listed_nor_changed_while_its_repeat_is_shown():
    """With one question the repeat follows at once: the last answer is the one to it."""
    study = StudyFactory(slug="one", questions_per_appraiser=1, changes="finish", n_repeats=1)
    who = join_study(study=study)[0]
    say(who, 1)
    assert [each["number"] for each in listed(who)] == numbers(who) == [1]
    mark_shown(appraiser=who, assignment_key=who.assignments.get(position=2).key)
    assert (listed(who), numbers(who)) == ([], [])
    with pytest.raises(ChangeRefused):
        say(who, 1, "right", 1)


def test_a_returned_repeat_still_hides_its_question():
    who, rows = mixed("finish")
    for row in rows[:-1]:
        say(who, row.position, row.expected or "left")
    who.assignments.filter(position=rows[-1].position).update(returned_at=NOW)
    who = Appraiser.objects.select_related("study").get(pk=who.pk)
    assert len(listed(who)) == 1
