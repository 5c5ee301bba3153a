"""Questionnaires and withdrawals at once, on a file of SQLite and on PostgreSQL."""

import pytest

from tests.races.leaving import PEOPLE, QUESTIONS

pytestmark = pytest.mark.services


@pytest.fixture
def found(races):
    return races["leaving"]


def test_of_two_tabs_with_one_questionnaire_one_is_kept(found):
    assert found["said"] == {"True": PEOPLE, "False": PEOPLE}


def test_a_withdrawal_while_answering_erases_everything_and_counts_once(found):
    assert found["traces"] == 0
    assert found["tombstones"] == PEOPLE // 2
    assert found["ends"]["left"] == found["ends"]["was gone"] == PEOPLE // 2


def test_no_request_fails(found):
    assert set(found["ends"]) <= {
        "judged",
        "left",
        "was gone",
        "joined",
        "StudyClosed",
        "StudyFull",
    }


def test_the_others_lose_nothing(found):
    assert found["judged"] == [QUESTIONS] * (PEOPLE // 2)
    assert (found["stay"], found["unwritten"]) == (PEOPLE // 2, 0)


def test_a_number_is_never_given_twice(found):
    assert found["numbers_given_twice"] == 0


def test_nobody_starts_again_between_an_erasure_and_what_is_kept_of_it(found):
    found = found["returns"]
    assert set(found["ends"]) <= {"left", "was gone", "known", "AlreadyEnded"}
    assert found["ends"]["left"] == found["ends"]["was gone"] == PEOPLE
    assert (found["stay"], found["outcomes"]) == (0, {"screened": PEOPLE})


def test_the_end_of_a_study_leaves_nobody_undecided_whatever_is_on_its_way(found):
    found = found["endings"]
    assert set(found["ends"]) <= {"closed", "recorded", "changed", "confirmed", "StudyClosed"}
    assert (found["ends"]["closed"], found["undecided"], found["wrongly_done"]) == (1, 0, 0)
