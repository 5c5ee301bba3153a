"""What a panel may be, what it sends along, and where it wants people back."""

import string
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from survey.errors import NotInvited, StudyError
from survey.protocol import panels, toml_file
from survey.protocol.fields import Protocol

PROLIFIC = panels.prolific(done="CDONE", screened="CSCREEN", failed="CFAIL")
SENT = {"PROLIFIC_PID": ["5f1ada"], "STUDY_ID": ["64study"], "SESSION_ID": ["64session"]}
VALUES = some.text(min_size=1, max_size=200)


def own(**changes):
    """A panel of another name, whose addresses take the person as well as the code."""
    url = "https://panel.example/back?who={PID}&code={code}"
    ends = {end: {"code": end.upper(), "url": url} for end in panels.OUTCOMES}
    return {"name": "Films", "parameters": ["PID"], "person": "PID", "outcomes": ends} | changes


def leading_to(url):
    return own(outcomes={**own()["outcomes"], "done": {"code": "DONE", "url": url}})


def refusal(sent, panel=PROLIFIC):
    with pytest.raises(NotInvited) as refused:
        panels.arrival(panel, sent)
    return refused.value.reason


def test_prolific_and_a_panel_of_one_s_own_are_possible():
    panels.check(PROLIFIC)
    panels.check(own())
    Protocol(entry="panel", panel=PROLIFIC).check()


def test_prolific_s_link_names_its_three_parameters_in_its_own_way():
    assert panels.link_for_panel(PROLIFIC, "https://x.example/s/films/") == (
        "https://x.example/s/films/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )


def test_a_link_whose_placeholders_are_not_known_is_refused_as_it_stands():
    query = urlsplit(panels.link_for_panel(own(), "https://x.example/s/films/")).query
    assert refusal(parse_qs(query), own()) == "unfilled"


def test_a_panel_sends_people_back_with_the_code_of_their_outcome():
    back = panels.way_back(PROLIFIC, outcome="screened", parameters={"PROLIFIC_PID": "5f1ada"})
    assert back == "https://app.prolific.com/submissions/complete?cc=CSCREEN"


@pytest.mark.parametrize("name", ["lang", "LANG", "version"])
def test_a_parameter_is_not_called_as_what_the_pages_say_in_an_address(name):
    """The page of the consent would send on the language in the place of what the panel sent."""
    with pytest.raises(StudyError, match=f"cannot be called '{name}'.*none of code.*lang"):
        panels.check(own(parameters=["PID", name]))


@given(VALUES)
def test_a_value_never_leaves_its_place_in_an_address(value):
    back = panels.way_back(own(), outcome="done", parameters={"PID": value})
    parts = urlsplit(back)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "panel.example", "/back")
    assert parse_qs(parts.query, strict_parsing=True) == {"who": [value], "code": ["DONE"]}
    assert not parts.fragment


@given(VALUES)
def test_an_address_is_plain_whatever_the_value(value):
    back = panels.address("https://panel.example/{PID}/end", {"PID": value})
    assert set(back) <= set(string.ascii_letters + string.digits + "-._~%:/")


@given(some.text(alphabet="ab0.:/@?#&=%;,+{}PIDcode\\ ", max_size=30))
def test_an_address_that_is_accepted_leads_to_the_host_it_names(text):
    url = f"https://panel.example{text}"
    try:
        panels.check(leading_to(url))
    except StudyError:
        return
    parts = urlsplit(panels.way_back(leading_to(url), outcome="done", parameters={"PID": "a@b/c"}))
    assert parts.scheme == "https"
    assert parts.hostname == urlsplit(url).hostname
    assert parts.username is None


@given(VALUES)
def test_a_person_who_is_let_in_has_a_name_that_can_be_stored(value):
    try:
        found = panels.arrival(own(), {"PID": [value]})["PID"]
    except NotInvited:
        return
    assert 1 <= len(found) <= 200
    assert found.isprintable()
    assert found == value.strip()


@pytest.mark.parametrize(
    "url",
    [
        "http://panel.example/?cc={code}",
        "ftp://panel.example/",
        "javascript:alert({code})",
        "//panel.example/",
        "https://",
        "https:///x",
        "https://{PID}.example/",
        "https://panel.example@evil.example/",
        "https://panel.example/ {code}",
        "https://panel.example/\n",
        "https://panel.example\\@evil.example/",
        "https://panel.example:port/",
        "https://panel.example/{{code}}",
        "https://panel.example/{OTHER}",
        "https://panel.example/{code",
        "https://pänel.example/",
        "https://panel.example/" + 2000 * "a",
        7,
    ],
)
def test_an_address_that_is_none_of_the_panel_s_is_refused(url):
    with pytest.raises(StudyError, match="cannot lead to"):
        panels.check(leading_to(url))


def test_an_address_on_this_machine_may_do_without_https():
    panels.check(leading_to("http://localhost:8000/back?cc={code}"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "has no 'colour'"),
        ({"name": 7}, "panel's name"),
        ({"parameters": []}, "1 to 10 parameters"),
        ({"parameters": ["a b"]}, "cannot be called"),
        ({"parameters": ["ticket"]}, "cannot be called"),
        ({"parameters": ["PID", "pid"]}, "same name"),
        ({"person": "SESSION"}, "names a person"),
        ({"placeholders": {"PID": "a&b"}}, "placeholders maps"),
        ({"placeholders": {"OTHER": "x"}}, "placeholders maps"),
        ({"outcomes": {}}, "three outcomes"),
    ],
)
def test_a_panel_that_lacks_something_is_refused_in_words(changes, words):
    with pytest.raises(StudyError, match=words):
        panels.check(own(**changes))


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({}, "needs a code"),
        ({"code": "A B"}, "cannot be the code"),
        ({"code": "FAILED"}, "the same to the panel"),
        ({"code": "X", "text": "hello"}, "nothing else"),
        ({"url": "https://panel.example/?cc={code}"}, "no {code}"),
    ],
)
def test_an_outcome_has_a_way_back_of_its_own(way, words):
    with pytest.raises(StudyError, match=words):
        panels.check(own(outcomes={**own()["outcomes"], "done": way}))


def test_a_panel_may_want_codes_only_or_addresses_only():
    codes = {end: {"code": end} for end in panels.OUTCOMES}
    panels.check(own(outcomes=codes))
    assert panels.way_back(own(outcomes=codes), outcome="done", parameters={}) == ""
    urls = {end: {"url": f"https://panel.example/{end}"} for end in panels.OUTCOMES}
    panels.check(own(outcomes=urls))


def test_a_study_has_a_panel_exactly_when_people_come_from_one():
    with pytest.raises(StudyError, match="entry is 'open'"):
        Protocol(panel=PROLIFIC).check()
    with pytest.raises(StudyError, match="1 to 10 parameters"):
        Protocol(entry="panel").check()


def test_who_comes_from_the_panel_brings_its_parameters_and_nothing_else():
    found = panels.arrival(PROLIFIC, {**SENT, "utm_source": ["mail"]})
    assert found == {name: values[0] for name, values in SENT.items()}


def test_who_brings_no_parameter_is_told_to_come_through_the_panel():
    assert refusal({}) == "panel"
    assert refusal({"utm_source": ["mail"]}) == "panel"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "missing"),
        ([""], "missing"),
        (["  "], "missing"),
        (["a", "b"], "doubled"),
        (["a", "a"], "doubled"),
        (["a", ""], "doubled"),
        (["a" * 201], "long"),
        (["{{%PROLIFIC_PID%}}"], "unfilled"),
        (["%PROLIFIC_PID%"], "unfilled"),
        (["[PROLIFIC_PID]"], "unfilled"),
        (["${PROLIFIC_PID}"], "unfilled"),
        (["prolific_pid"], "unfilled"),
        (["undefined"], "unfilled"),
        (["NULL"], "unfilled"),
        (["a\x00b"], "unreadable"),
        (["a\N{REPLACEMENT CHARACTER}"], "unreadable"),
        ([".."], "unreadable"),
    ],
)
def test_a_value_that_names_nobody_is_refused(values, reason):
    assert refusal({**SENT, "PROLIFIC_PID": values}) == reason


@pytest.mark.parametrize("value", ["a" * 200, "5f1-ada_9.X", "Zoë", "user@panel", "0"])
def test_a_value_of_any_other_panel_is_taken_as_it_came(value):
    assert panels.arrival(own(), {"PID": [value]}) == {"PID": value}


def test_prolific_needs_no_more_than_its_three_codes():
    table = {"preset": "prolific", "done": "CDONE", "screened": "CSCREEN", "failed": "CFAIL"}
    assert panels.described(table) == PROLIFIC
    assert panels.described(own()) == own()
    assert toml_file.protocol({"entry": "panel", "panel": table}).panel == PROLIFIC


def test_prolific_s_codes_may_stand_in_one_flag():
    decided = toml_file.prolific("CDONE, CSCREEN,CFAIL")
    assert toml_file.protocol(decided) == Protocol(entry="panel", panel=PROLIFIC)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"preset": "cint"}, "no preset 'cint'"),
        ({"preset": "prolific", "done": "A"}, "three codes"),
        ({"preset": "prolific", "done": "A", "screened": "B", "failed": "C", "x": "D"}, "three"),
        ({"preset": "prolific", "done": "A", "screened": "A", "failed": "C"}, "the same"),
        ({"preset": "prolific", "done": 7, "screened": "A", "failed": "C"}, "cannot be the code"),
    ],
)
def test_a_preset_that_is_none_is_refused_in_words(table, words):
    with pytest.raises(StudyError, match=words):
        toml_file.protocol({"entry": "panel", "panel": table})


@pytest.mark.parametrize("text", ["", "A,B", "A,B,C,D"])
def test_a_flag_without_three_codes_is_refused(text):
    with pytest.raises(StudyError, match="not three codes"):
        toml_file.prolific(text)
