"""Lists of items: what is refused, with which remedy, and how what was sent is read."""

import pytest

from survey.errors import StudyError
from survey.protocol import questionnaires
from survey.protocol.fields import Protocol

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


def one(**changes):
    return questionnaires.items([ADULT | changes])[0]


def test_the_system_usability_scale_has_ten_items_of_five_points():
    items = questionnaires.items([{"builtin": "sus"}])
    assert [item.name for item in items] == [f"sus-{place}" for place in range(1, 11)]
    assert {tuple(option.value for option in item.options) for item in items} == {tuple("12345")}
    assert items[0].text == "I think that I would like to use this system frequently."


def test_built_in_lists_stand_among_own_items_and_expanding_twice_changes_nothing():
    once = questionnaires.expand([AGE, {"builtin": "resque-short"}, REMARK])
    assert questionnaires.expand(once) == once
    assert [once[0]["name"], once[-1]["name"]] == ["age", "remark"]
    assert len(once) == 11


def test_built_in_words_are_translated_and_own_words_are_not():
    items = questionnaires.items([AGE, {"builtin": "sus"}], "de", lambda text: f"de: {text}")
    assert items[0].text == "How old are you?"
    assert items[1].text.startswith("de: I think")
    assert items[1].low == "de: Strongly disagree"


def test_own_words_come_in_the_languages_that_the_item_has():
    german = {"text": "Sind Sie 18 oder älter?", "options": ["Ja", "Nein"]}
    item = questionnaires.items([ADULT | {"translations": {"de": german}}], "de")[0]
    assert item.text == "Sind Sie 18 oder älter?"
    assert [(option.value, option.label) for option in item.options] == [
        ("Yes", "Ja"),
        ("No", "Nein"),
    ]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"name": "Über"}, "Item 1: name = 'Über'. Write small letters"),
        ({"kind": "slider"}, "Item 'adult': kind = 'slider'. Choose from: choice, scale"),
        ({"text": " "}, "Item 'adult': text is missing"),
        ({"labels": ["a", "b"]}, "Item 'adult': a choice has no field 'labels'"),
        ({"options": ["Yes"]}, "options is a list of two or more"),
        ({"options": ["Yes", "Yes"]}, "options is a list of two or more different"),
        ({"options": "Yes"}, "options is a list of two or more"),
        ({"screens_out": ["Maybe"]}, "screens_out is a list of some of the options"),
        ({"screens_out": ["Yes", "No"]}, "holds every option. Leave one that goes on"),
        ({"required": "no"}, "required is true or false"),
        ({"translations": {"de": {"options": ["Ja"]}}}, "options in 'de' must be as many"),
        ({"builtin": "nasa"}, "builtin names no list"),
    ],
)
def test_a_fault_is_named_with_item_field_and_remedy(fault, words):
    with pytest.raises(StudyError) as refusal:
        questionnaires.expand([ADULT | fault])
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (OFTEN | {"labels": ["never"]}, "labels is a list of two words"),
        (OFTEN | {"points": 1}, "points = 1 is not possible. Choose 2 to 11."),
        (AGE | {"minimum": "0"}, "minimum = '0' is no number"),
        (AGE | {"minimum": 9, "maximum": 1}, "minimum 9 is more than maximum 1. Swap the two."),
        ({"builtin": "sos"}, "no built-in questionnaire 'sos'. There are: sus, resque-short."),
        ("age", "Item 1 is no object"),
    ],
)
def test_a_fault_of_another_kind_is_named_too(entry, words):
    with pytest.raises(StudyError) as refusal:
        questionnaires.expand([entry])
    assert words in str(refusal.value)


def test_two_items_of_one_name_and_endless_lists_are_refused():
    with pytest.raises(StudyError, match="Two items are called 'age'"):
        questionnaires.expand([AGE, AGE])
    with pytest.raises(StudyError, match="61 items are too many"):
        questionnaires.expand([AGE | {"name": f"age-{number}"} for number in range(61)])


def test_answers_are_read_as_they_were_given_or_left_out():
    items = questionnaires.items([AGE, ADULT, OFTEN, REMARK])
    sent = {"age": " 36,5 ", "adult": "Yes", "often": "7"}
    answers, problems = questionnaires.read(items, sent)
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
def test_what_cannot_be_an_answer_is_told_by_its_item(name, sent, problem):
    items = questionnaires.items([AGE, ADULT, OFTEN, REMARK])
    fine = {"age": "36", "adult": "Yes", "often": "1", "remark": ""}
    _, problems = questionnaires.read(items, fine | {name: sent})
    assert problems == {name: problem}


def test_an_option_that_screens_out_is_known():
    items = questionnaires.items([ADULT])
    assert questionnaires.screened_out(items, {"adult": "No"})
    assert not questionnaires.screened_out(items, {"adult": "Yes"})


def test_nothing_screens_out_when_everything_is_answered():
    Protocol(before=[ADULT]).check()
    with pytest.raises(StudyError, match="'adult' of the questionnaire after cannot screen out"):
        Protocol(after=[ADULT]).check()
