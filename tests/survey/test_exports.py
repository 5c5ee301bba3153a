"""One row for each judgment, exact and safe to open."""

import csv
from datetime import datetime, timedelta
from io import StringIO

import pytest

from survey import exports
from survey.models import Arm, Assignment
from survey.selectors.question import question_page
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.visiting import mark_shown
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def judge(judge, choice, *, shown=NOW):
    key = question_page(judge.appraiser)["assignment_key"]
    mark_shown(appraiser=judge.appraiser, assignment_key=key, now=shown)
    record_judgment(
        appraiser=judge.appraiser,
        assignment_key=key,
        choice=choice,
        visible_ms=29_250,
        now=shown + timedelta(seconds=31.5),
    )
    return Assignment.objects.get(key=key)


def rows(study):
    header, *found = exports.guard_formulas(exports.judgment_rows(study))
    return [dict(zip(header, row, strict=True)) for row in found]


def test_the_columns_are_those_that_were_promised(study):
    assert ",".join(next(exports.judgment_rows(study))) == (
        "study,question,appraiser,kind,position,left_arm,right_arm,choice,chosen_arm,"
        "shown_at,answered_at,visible_ms,assignment_kind,expected,left_familiarity,"
        "right_familiarity,confidence,comment,client_at,revision,outcome,page_language"
    )


def test_a_row_has_the_items_shown_their_sides_and_the_choice(study, ada):
    assignment = judge(ada, "right")
    arms = {"Autoencoder", "User-user KNN"}
    (right,) = arms - {assignment.left_arm.label}
    assert rows(study) == [
        {
            "study": "films",
            "question": str(assignment.question.number),
            "appraiser": "real-0001",
            "kind": "real",
            "position": "1",
            "left_arm": assignment.left_arm.label,
            "right_arm": right,
            "choice": "right",
            "chosen_arm": right,
            "shown_at": "2026-03-02T12:00:00.000000Z",
            "answered_at": "2026-03-02T12:00:31.500000Z",
            "visible_ms": "29250",
            "assignment_kind": "main",
            "expected": "",
            "left_familiarity": "",
            "right_familiarity": "",
            "confidence": "",
            "comment": "",
            "client_at": "",
            "revision": "1",
            "outcome": "",
            "page_language": "",
        }
    ]


def test_rows_come_by_kind_appraiser_and_position(study, ada, ben):
    for who in (ben, ada, ben):
        judge(who, "left")
    found = [(row["appraiser"], row["position"]) for row in rows(study)]
    assert found == [("real-0001", "1"), ("real-0002", "1"), ("real-0002", "2")]


def test_an_answer_to_a_question_that_was_never_seen_has_an_empty_time(study, ada):
    key = question_page(ada.appraiser)["assignment_key"]
    record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    (row,) = rows(study)
    assert row["shown_at"] == row["visible_ms"] == ""
    assert datetime.fromisoformat(row["answered_at"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize("start", exports.FORMULA_STARTS)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    assert list(exports.guard_formulas([["films", f"{start}1+1"]])) == [["films", f"'{start}1+1"]]


@pytest.mark.parametrize(
    "text",
    [
        "I liked it; -- great",
        "Two reasons:\n- the cast\n- the plot",
        "a = b; c - d, -1; e@f",
        "fine\t@home|+1",
        "'=1+1",
        "",
    ],
)
def test_text_that_does_not_begin_like_a_formula_is_exported_untouched(text):
    assert list(exports.guard_formulas([[text]])) == [[text]]


def test_labels_and_comments_are_guarded_and_raw_rows_are_as_stored(study, ada):
    study.arms.filter(position=0).update(label="=HYPERLINK(1)")
    study.arms.filter(position=1).update(label="-2")
    judge(ada, "left")
    (row,) = rows(study)
    _header, raw = exports.judgment_rows(study)
    assert {row["left_arm"], row["right_arm"]} == {"'=HYPERLINK(1)", "'-2"}
    assert {"=HYPERLINK(1)", "-2"} <= set(raw)


def test_a_label_with_commas_quotes_and_lines_survives_the_file(study, ada, tmp_path):
    label = 'a "b",\nc; ü'
    Arm.objects.filter(study=study, position=0).update(label=label)
    judge(ada, "left")
    with (tmp_path / "x.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(exports.judgment_rows(study))
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert label in {row["left_arm"], row["right_arm"]}


def test_the_export_asks_two_queries_whatever_there_is(study, ada, ben, django_assert_num_queries):
    for _ in range(5):
        judge(ada, "left")
        judge(ben, "right")
    with django_assert_num_queries(2):
        assert len(rows(study)) == 10


@pytest.fixture
def talkative():
    """One who is asked for everything, and who may change her mind."""
    study = StudyFactory(
        slug="talk",
        third_answer="tie",
        ask_familiarity=True,
        ask_confidence=True,
        ask_comment=True,
        changes="finish",
    )
    return study, join_study(study=study)[0]


def say(appraiser, choice, revision, **extras):
    key = appraiser.assignments.get(position=1).key
    return record_judgment(
        appraiser=appraiser,
        assignment_key=key,
        choice=choice,
        **extras,
        revision=revision,
        client_at=NOW,
        now=NOW + timedelta(seconds=revision),
    )


def test_a_third_answer_has_no_arm_and_keeps_its_extra_answers(talkative):
    study, who = talkative
    seen = {"left_familiarity": "seen", "right_familiarity": "unknown"}
    say(who, "tie", 0, **seen, confidence=2, comment="=1+1")
    (row,) = rows(study)
    assert (row["choice"], row["chosen_arm"]) == ("tie", "")
    assert {name: row[name] for name in seen} == seen
    assert (row["confidence"], row["comment"]) == ("2", "'=1+1")
    assert row["client_at"] == "2026-03-02T12:00:00.000000Z"


def test_the_history_has_every_answer_and_the_judgments_the_last(talkative):
    study, who = talkative
    for revision, choice in enumerate(["left", "tie", "right"]):
        say(who, choice, revision)
    header, *found = exports.history_rows(study)
    told = [dict(zip(header, row, strict=True)) for row in found]
    assert [(row["revision"], row["choice"]) for row in told] == [
        ("1", "left"),
        ("2", "tie"),
        ("3", "right"),
    ]
    (row,) = rows(study)
    assert (row["revision"], row["choice"]) == ("3", "right")
    assert row["chosen_arm"] == told[-1]["chosen_arm"] != ""


def test_rita_downloads_the_history(client, talkative, rita):
    say(talkative[1], "left", 0)
    client.force_login(rita)
    page = client.get("/research/talk/history.csv")
    assert page["Content-Disposition"] == 'attachment; filename="talk-history.csv"'
    assert b"".join(page.streaming_content).decode().count("\r\n") == 2


@pytest.mark.parametrize(("query", "comment"), [("", "'=1+1"), ("?raw=1", "=1+1")])
def test_rita_can_download_the_text_as_it_was_written(client, talkative, rita, query, comment):
    say(talkative[1], "left", 0, comment="=1+1")
    client.force_login(rita)
    page = b"".join(client.get(f"/research/talk/judgments.csv{query}").streaming_content)
    (row,) = csv.DictReader(StringIO(page.decode()))
    assert row["comment"] == comment
