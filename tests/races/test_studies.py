"""Many at once, on a file of SQLite and on PostgreSQL: the database decides, and exactly."""

import pytest

from tests.races.studies import LAUNCHERS, PEOPLE, QUESTIONS, QUOTA

pytestmark = pytest.mark.services


@pytest.fixture
def found(races):
    return races["studies"]


def test_one_of_several_launchers_wins_and_the_questions_are_stored_once(found):
    assert found["launch"]["ends"] == {"running": 1, "StudyError": LAUNCHERS - 1}
    assert found["launch"]["questions"] == 12


def test_one_of_several_steps_wins_and_is_the_only_one_kept(found):
    steps = found["steps"]
    assert sorted(steps["ends"].items()) in (
        [("StudyError", LAUNCHERS - 1), ("closed", 1)],
        [("StudyError", LAUNCHERS - 1), ("paused", 1)],
    )
    assert steps["steps"] == [steps["status"]]


@pytest.mark.parametrize("step", ["launch", "close"])
def test_a_change_of_status_that_waited_for_a_join_has_the_later_time(found, step):
    assert found["stamps"][step]


def test_a_trial_is_discarded_whole_though_people_answer_and_join(found):
    discard = found["discard"]
    assert discard["end"] == "draft"
    assert set(discard["others"]) <= {"answered", "joined", "StudyClosed"}
    assert discard["left"] == [0, 0]
    assert len(set(discard["said"])) == 1


def test_the_quota_holds_exactly_when_all_come_at_once(found):
    assert found["judging"]["joined"] == {"joined": QUOTA, "StudyFull": PEOPLE - QUOTA}
    assert found["judging"]["numbers"] == list(range(1, QUOTA + 1))


def test_each_question_is_answered_once_though_two_tabs_send_every_answer(found):
    judging = found["judging"]
    assert judging["errors"] == []
    assert judging["judgments"] == QUOTA * QUESTIONS
    assert judging["outcomes"] == {"recorded": QUOTA * QUESTIONS, "repeated": QUOTA * QUESTIONS}


def test_everybody_is_marked_as_finished_though_the_last_two_answers_race(found):
    assert found["judging"]["finished"] == QUOTA


def test_sides_are_within_one_of_balance_for_every_appraiser(found):
    assert len(found["judging"]["left"]) == QUOTA
    assert set(found["judging"]["left"]) <= {QUESTIONS // 2, QUESTIONS // 2 + 1}


def test_questions_are_spread_evenly_over_people_who_join_at_once(found):
    # 16 people with 15 of 20 questions each: 12 times every question.
    assert found["judging"]["asked"] == [QUOTA * QUESTIONS // 20] * 20
