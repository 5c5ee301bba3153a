"""A study with judgments is brought up to date, on a file of SQLite and on PostgreSQL."""

import json

import pytest

from tests.installation import Installation, own_database

pytestmark = pytest.mark.services

#: Of the study in tests.survey.old_database, by the code as it was before there were protocols.
HASH = "6ee13b53c0db7a1dbf548b120d86dc348fb70e50b6fccdbb4844fc06e31ce1aa"
AUTOENCODER, KNN = "Autoencoder", "User-user KNN"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    home = tmp_path_factory.mktemp("older")
    with own_database(home) as database:
        site = Installation(home, DATABASE_URL=database)
        return json.loads(site.run("-m", "tests.survey.old_database").stdout)


def test_a_design_that_was_frozen_before_keeps_its_hash(found):
    assert found["now"]["design_hash"] == HASH


def test_results_stay_the_same(found):
    assert found["now"]["arms"] == [[1, 4, 3], [3, 4, 1]]
    assert found["now"]["people"] == [2, 1]
    assert found["now"]["kinds"] == {"real": 4, "pilot": 0, "simulated": 2}


def test_exported_judgments_stay_the_same(found):
    rows = [(row[2], row[4], row[5], row[7], row[8]) for row in found["now"]["rows"]]
    assert rows == [
        ("real-0001", "1", AUTOENCODER, "left", AUTOENCODER),
        ("real-0001", "2", KNN, "left", KNN),
        ("real-0001", "3", AUTOENCODER, "right", KNN),
        ("real-0002", "1", AUTOENCODER, "right", KNN),
        ("simulated-0001", "1", AUTOENCODER, "left", AUTOENCODER),
        ("simulated-0001", "2", KNN, "right", AUTOENCODER),
    ]
    assert found["now"]["rows"][1][10] == "2026-03-02T12:00:01.000000Z"


def test_only_people_who_had_finished_are_done(found):
    outcomes = [["real", 1, "done"], ["real", 2, ""], ["simulated", 1, ""]]
    assert found["now"]["outcomes"] == outcomes


def test_every_judgment_begins_its_history(found):
    assert found["now"]["unlike_their_history"] == 0


def test_an_unfinished_appraiser_comes_back_and_finishes(found):
    assert found["going_on"] == {"given_back": 2, "outcome": "done"}
