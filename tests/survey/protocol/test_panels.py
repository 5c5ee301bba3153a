"""What a panel can be, what it sends with a person, and where people go back to."""

import re
import string
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from survey.errors import NotInvited, StudyError
from survey.protocol import panels

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")
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
        panels.read_arrival(panel, sent)
    return refused.value.reason


def test_prolific_and_another_panel_are_possible():
    panels.check_panel(PROLIFIC)
    panels.check_panel(own())


def test_the_link_for_prolific_has_its_placeholders():
    assert panels.link_for_panel(PROLIFIC, "https://x.example/s/films/") == (
        "https://x.example/s/films/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )


def test_a_link_with_placeholders_left_in_is_refused():
    query = urlsplit(panels.link_for_panel(own(), "https://x.example/s/films/")).query
    assert refusal(parse_qs(query), own()) == "unfilled"


def test_a_panel_sends_people_back_with_the_code_of_their_outcome():
    back = panels.return_address(
        PROLIFIC, outcome="screened", parameters={"PROLIFIC_PID": "5f1ada"}
    )
    assert back == "https://app.prolific.com/submissions/complete?cc=CSCREEN"


@pytest.mark.parametrize("name", ["lang", "LANG", "version"])
def test_a_parameter_cannot_have_a_name_that_the_site_uses(name):
    """The consent page would pass on the language instead of the panel's value."""
    with pytest.raises(StudyError, match="parameters"):
        panels.check_panel(own(parameters=["PID", name]))


@given(VALUES)
def test_a_value_stays_within_its_place_in_an_address(value):
    back = panels.return_address(own(), outcome="done", parameters={"PID": value})
    parts = urlsplit(back)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "panel.example", "/back")
    assert parse_qs(parts.query, strict_parsing=True) == {"who": [value], "code": ["DONE"]}
    assert not parts.fragment


@given(VALUES)
def test_an_address_is_ascii_whatever_the_value(value):
    panel = leading_to("https://panel.example/{PID}/end")
    back = panels.return_address(panel, outcome="done", parameters={"PID": value})
    assert set(back) <= set(string.ascii_letters + string.digits + "-._~%:/")


@given(some.text(alphabet="ab0.:/@?#&=%;,+{}PIDcode\\ ", max_size=30))
def test_an_address_that_is_accepted_leads_to_the_host_it_names(text):
    url = f"https://panel.example{text}"
    try:
        panels.check_panel(leading_to(url))
    except StudyError:
        return
    parts = urlsplit(
        panels.return_address(leading_to(url), outcome="done", parameters={"PID": "a@b/c"})
    )
    assert parts.scheme == "https"
    assert parts.hostname == urlsplit(url).hostname
    assert parts.username is None


@given(VALUES)
def test_an_accepted_person_has_a_value_that_can_be_stored(value):
    try:
        found = panels.read_arrival(own(), {"PID": [value]})["PID"]
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
def test_an_address_that_may_lead_elsewhere_is_refused(url):
    with pytest.raises(StudyError, match=r"outcomes\.done\.url = "):
        panels.check_panel(leading_to(url))


def test_an_address_on_this_machine_needs_no_https():
    panels.check_panel(leading_to("http://localhost:8000/back?cc={code}"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": 7}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"parameters": []}, "parameters"),
        ({"parameters": ["a b"]}, "parameters"),
        ({"parameters": ["ticket"]}, "parameters"),
        ({"parameters": ["PID", "pid"]}, "parameters"),
        ({"person": "SESSION"}, "person"),
        ({"placeholders": {"PID": "a&b"}}, "placeholders"),
        ({"placeholders": {"OTHER": "x"}}, "placeholders"),
        ({"outcomes": {}}, "outcomes"),
    ],
)
def test_a_panel_with_an_impossible_field_is_refused_by_its_name(changes, field):
    with pytest.raises(StudyError, match=rf"\b{field}\b"):
        panels.check_panel(own(**changes))


@pytest.mark.parametrize(
    ("way", "field"),
    [
        ({}, "outcomes.done"),
        ({"code": "A B"}, "outcomes.done.code"),
        ({"code": 7}, "outcomes.done.code"),
        ({"code": "FAILED"}, "outcomes"),
        ({"code": "X", "text": "hello"}, "outcomes.done.text"),
        ({"url": "https://panel.example/?cc={code}"}, "outcomes.done.url"),
    ],
)
def test_an_outcome_without_a_way_back_of_its_own_is_refused(way, field):
    with pytest.raises(StudyError, match=re.escape(field)):
        panels.check_panel(own(outcomes={**own()["outcomes"], "done": way}))


def test_a_panel_may_use_codes_only_or_addresses_only():
    codes = {end: {"code": end} for end in panels.OUTCOMES}
    panels.check_panel(own(outcomes=codes))
    assert panels.return_address(own(outcomes=codes), outcome="done", parameters={}) == ""
    urls = {end: {"url": f"https://panel.example/{end}"} for end in panels.OUTCOMES}
    panels.check_panel(own(outcomes=urls))


def test_only_the_parameters_of_the_panel_are_read():
    found = panels.read_arrival(PROLIFIC, {**SENT, "utm_source": ["mail"]})
    assert found == {name: values[0] for name, values in SENT.items()}


def test_an_arrival_without_any_parameter_is_not_from_the_panel():
    assert refusal({}) == "panel"
    assert refusal({"utm_source": ["mail"]}) == "panel"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "missing"),
        ([""], "missing"),
        (["  "], "missing"),
        (["a", "b"], "doubled"),
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
def test_a_value_that_identifies_no_person_is_refused(values, reason):
    assert refusal({**SENT, "PROLIFIC_PID": values}) == reason


@pytest.mark.parametrize("sent", [{"pid": ["a"]}, {"Pid": [" a"]}, {"PID": ["a", "a"]}])
def test_case_and_repetition_of_a_parameter_do_not_matter(sent):
    assert panels.read_arrival(own(), sent) == {"PID": "a"}


@pytest.mark.parametrize("value", ["a" * 200, "5f1-ada_9.X", "Zoë", "user@panel", "0"])
def test_any_other_value_is_kept_as_it_is(value):
    assert panels.read_arrival(own(), {"PID": [value]}) == {"PID": value}


def test_prolific_needs_its_three_codes_only():
    table = {"preset": "prolific", "done": "CDONE", "screened": "CSCREEN", "failed": "CFAIL"}
    assert panels.expand_preset(table) == PROLIFIC
    assert panels.expand_preset(own()) == own()


@pytest.mark.parametrize(
    "table",
    [
        {"preset": "cint"},
        {"preset": "prolific", "done": "A"},
        {"preset": "prolific", "done": "A", "screened": "B", "failed": "C", "x": "D"},
    ],
)
def test_an_unknown_preset_or_a_missing_code_is_refused(table):
    with pytest.raises(StudyError, match="prolific"):
        panels.expand_preset(table)
