"""Many come, leave, come back and fail at once, on a file of SQLite and on PostgreSQL."""

import pytest

from tests.races.returning import PROFILES, QUESTIONS, QUOTA

pytestmark = pytest.mark.services


@pytest.fixture
def found(races):
    return races["returning"]


def test_no_request_fails(found):
    assert set(found["joined"]) <= {"joined", "StudyFull"}
    assert set(found["ends"]) <= {
        "worked",
        "came back",
        "recorded",
        "repeated",
        "stale",
        "taken",
        "left",
        "StudyFull",
    }


def test_every_question_is_judged_as_often_as_wanted_and_no_more(found):
    floor, extras = divmod(QUOTA * QUESTIONS, PROFILES)
    assert found["judged"] == [floor] * (PROFILES - extras) + [floor + 1] * extras


def test_nobody_gets_a_place_too_many_though_all_come_back_for_the_last_ones(found):
    assert found["last"]["ends"] == {"came back": 12}
    assert found["last"]["given"] == [4] * 6


def test_sides_are_within_one_of_balance_for_everybody_who_finished(found):
    assert set(found["balances"]) <= {"-1", "0", "1"}


def test_only_a_repeat_shows_a_profile_again(found):
    assert found["met_twice"] == 0


def test_every_answer_is_kept_once_with_its_history_and_its_arm(found):
    assert (found["unwritten"], found["misattributed"]) == (0, 0)


def test_some_failed_some_left_and_some_came_back(found):
    """Otherwise the other tests would say little."""
    assert found["outcomes"]["failed"] > 0
    assert found["ends"]["came back"] > 0
    assert found["ends"]["left"] > 0
