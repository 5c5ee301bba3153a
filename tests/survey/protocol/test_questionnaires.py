"""Questionnaires: which items are possible, their words, and how answers are read."""

import pytest

from survey.errors import StudyError
from survey.protocol import questionnaires

AGE = {"name": "age", "text": "How old are you?", "kind": "number", "minimum": 0, "maximum": 120}
ADULT = {
    "name": "adult",
    "text": "Are you 18 or older?",
    "kind": "choice",
    "options": ["Yes", "No"],
    "screens_out": ["No"],
}
OFTEN = {
    "name": "often",
    "text": "How often do you watch movies?",
    "kind": "scale",
    "labels": ["never", "daily"],
    "points": 7,
}
REMARK = {"name": "remark", "text": "Anything else?", "kind": "text", "required": False}


def test_the_system_usability_scale_has_ten_items_of_five_points():
    items = questionnaires.asked_items([{"builtin": "sus"}])
    assert [item.name for item in items] == [f"sus-{place}" for place in range(1, 11)]
    assert {tuple(option.value for option in item.options) for item in items} == {tuple("12345")}
    assert items[0].text == "I think that I would like to use this system frequently."


def test_expanding_built_in_lists_twice_changes_nothing():
    once = questionnaires.expand_items([AGE, {"builtin": "resque-short"}, REMARK])
    assert questionnaires.expand_items(once) == once
    assert [once[0]["name"], once[-1]["name"]] == ["age", "remark"]
    assert len(once) == 11


def test_only_built_in_words_are_translated():
    items = questionnaires.asked_items([AGE, {"builtin": "sus"}], "de", lambda text: f"de: {text}")
    assert items[0].text == "How old are you?"
    assert items[1].text.startswith("de: I think")
    assert items[1].low == "de: Strongly disagree"


def test_an_item_has_its_own_translations():
    german = {"text": "Sind Sie 18 oder älter?", "options": ["Ja", "Nein"]}
    item = questionnaires.asked_items([ADULT | {"translations": {"de": german}}], "de")[0]
    assert item.text == "Sind Sie 18 oder älter?"
    assert [(option.value, option.label) for option in item.options] == [
        ("Yes", "Ja"),
        ("No", "Nein"),
    ]


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (ADULT | {"name": "Über"}, "name = 'Über'"),
        (ADULT | {"kind": "slider"}, "'adult': kind = 'slider'"),
        ({"name": "adult", "text": "Adult?"}, "'adult': kind"),
        (ADULT | {"text": " "}, "'adult': text"),
        (ADULT | {"labels": ["a", "b"]}, "'adult': .*'labels'"),
        (ADULT | {"options": ["Yes"]}, "'adult': options"),
        (ADULT | {"options": ["Yes", "Yes"]}, "'adult': options"),
        (ADULT | {"options": ["Yes", "No "]}, "'adult': options = 'No '"),
        (ADULT | {"options": "Yes"}, "'adult': options"),
        (ADULT | {"screens_out": ["Maybe"]}, "'adult': screens_out"),
        (ADULT | {"screens_out": ["Yes", "No"]}, "'adult': screens_out"),
        (ADULT | {"required": "no"}, "'adult': required"),
        (ADULT | {"translations": {"de": {"options": ["Ja"]}}}, r"translations\.de\.options"),
        (ADULT | {"translations": {"de": {"text": ""}}}, r"translations\.de\.text"),
        (ADULT | {"translations": {"de": {"labels": ["x"]}}}, r"translations\.de\.labels"),
        (ADULT | {"builtin": "nasa"}, "'adult': builtin"),
        (OFTEN | {"labels": ["never"]}, "'often': labels"),
        (OFTEN | {"points": 1}, "'often': points = 1 .*Choose 2 to 11"),
        (AGE | {"minimum": "0"}, "'age': minimum = '0'"),
        (AGE | {"minimum": float("nan")}, "'age': minimum = nan"),
        (AGE | {"minimum": 9, "maximum": 1}, "'age': minimum = 9"),
        ({"builtin": "sos"}, "builtin = 'sos'.*: sus, resque-short"),
        ({"kind": "text"}, "Item 1: name"),
    ],
)
def test_an_impossible_item_is_refused_by_item_and_field(entry, where):
    with pytest.raises(StudyError, match=where):
        questionnaires.expand_items([entry])


def test_numbers_stay_whole():
    (item,) = questionnaires.asked_items([AGE])
    assert [str(number) for number in (item.minimum, item.maximum)] == ["0", "120"]


@pytest.mark.parametrize("kind", questionnaires.KINDS)
def test_every_kind_of_item_is_one_that_the_schema_allows(kind):
    schema = questionnaires.KINDS[kind].model_json_schema()["properties"]
    assert kind in schema["kind"]["enum"]


def test_two_items_of_one_name_and_too_many_items_are_refused():
    with pytest.raises(StudyError, match="'age'"):
        questionnaires.expand_items([AGE, AGE])
    with pytest.raises(StudyError, match="61 items"):
        questionnaires.expand_items([AGE | {"name": f"age-{number}"} for number in range(61)])


def test_answers_are_read_and_optional_ones_can_be_left_out():
    items = questionnaires.asked_items([AGE, ADULT, OFTEN, REMARK])
    sent = {"age": " 36,5 ", "adult": "Yes", "often": "7"}
    answers, problems = questionnaires.read_answers(items, sent)
    assert answers == {"age": "36.5", "adult": "Yes", "often": "7", "remark": ""}
    assert problems == {}


@pytest.mark.parametrize(
    ("name", "sent", "problem"),
    [
        ("age", "", "required"),
        ("age", "old", "number"),
        ("age", "NaN", "number"),
        ("age", "1e999999999", "number"),
        ("age", "1e-99999999", "number"),
        ("age", "1_0", "number"),
        ("age", "-1", "low"),
        ("age", "121", "high"),
        ("adult", "Maybe", "unknown"),
        ("often", "8", "unknown"),
        ("remark", "x" * 4001, "long"),
    ],
)
def test_an_impossible_answer_is_a_problem_of_its_item(name, sent, problem):
    items = questionnaires.asked_items([AGE, ADULT, OFTEN, REMARK])
    fine = {"age": "36", "adult": "Yes", "often": "1", "remark": ""}
    _, problems = questionnaires.read_answers(items, fine | {name: sent})
    assert problems == {name: problem}


def test_an_option_can_screen_out():
    items = questionnaires.asked_items([ADULT])
    assert questionnaires.is_screened_out(items, {"adult": "No"})
    assert not questionnaires.is_screened_out(items, {"adult": "Yes"})
