"""Questionnaires before and after the questions: the steps, the pages, what is stored."""

import csv
from io import StringIO

import pytest
from django.core.management import call_command

from survey.errors import StudyError
from survey.models import Appraiser, Judgment, Response, Study
from survey.protocol import questionnaires
from survey.selectors.next_step import Step, next_step
from survey.selectors.question import question_page
from survey.selectors.questionnaires import items_of, questionnaire_results
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import move_study
from survey.services.responding import respond
from tests.factories import NOW, StudyFactory
from tests.survey.form_data import fields
from tests.survey.protocol.test_questionnaires import ADULT, AGE, REMARK

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking(db):
    """A study that asks for the age before and for a remark and SUS after three questions."""
    return StudyFactory(
        slug="asking",
        questions_per_appraiser=3,
        before=[AGE, ADULT],
        after=[REMARK, {"builtin": "sus"}],
    )


@pytest.fixture
def eve(asking):
    """She has read the instructions."""
    appraiser, token = join_study(study=asking)
    mark_instructed(appraiser=appraiser)
    return Appraiser.objects.get(pk=appraiser.pk), f"/a/{token}/"


FINE = {"age": "36", "adult": "Yes"}


def answer(who, part, sent=FINE):
    return respond(appraiser=who, part=part, items=items_of(who.study, part), sent=sent, now=NOW)


def judge_all(who):
    for assignment in who.assignments.filter(judgment=None):
        record_judgment(appraiser=who, assignment_key=assignment.key, choice="left")


def sus(value="3"):
    return {f"sus-{place}": value for place in range(1, 11)}


def fresh(who):
    return Appraiser.objects.select_related("study").get(pk=who.pk)


def test_steps_come_in_their_order(eve):
    who, _ = eve
    seen = [next_step(who)]
    answer(who, "before")
    seen.append(next_step(who))
    judge_all(who)
    seen.append(next_step(fresh(who)))
    assert fresh(who).finished_at is None
    answer(who, "after", sus())
    seen.append(next_step(fresh(who)))
    assert seen == [Step.BEFORE, Step.QUESTION, Step.AFTER, Step.END]
    assert (fresh(who).outcome, fresh(who).finished_at) == ("done", NOW)


def test_each_item_is_kept_with_its_words_and_the_ones_left_out_too(eve):
    who, _ = eve
    answer(who, "before")
    judge_all(who)
    answer(who, "after", sus())
    kept = Response.objects.filter(appraiser=who)
    assert kept.get(item="age").question == "How old are you?"
    assert (kept.get(item="age").answer, kept.get(item="remark").answer) == ("36", "")
    assert kept.count() == 13


def test_a_questionnaire_is_answered_once_and_in_its_turn(eve):
    who, _ = eve
    assert not answer(who, "after", sus())
    assert answer(who, "before")
    assert not answer(who, "before", {"age": "99", "adult": "No"})
    assert Response.objects.get(item="age").answer == "36"
    assert fresh(who).outcome == ""


def test_an_invalid_answer_stores_nothing(eve):
    who, _ = eve
    with pytest.raises(StudyError, match="age"):
        answer(who, "before", FINE | {"age": "old"})
    assert not Response.objects.exists()


def test_an_answer_that_screens_out_ends_it_and_frees_the_place(asking, eve):
    who, _ = eve
    answer(who, "before", FINE | {"adult": "No"})
    assert (fresh(who).outcome, next_step(fresh(who))) == ("screened", Step.END)
    Study.objects.update(quota=1)
    join_study(study=asking)


def test_the_page_asks_every_item_and_continues(client, eve):
    _, url = eve
    page = client.get(url).content.decode()
    assert "Before you start" in page
    assert "How old are you?" in page
    fields = {"part": "before", "item-age": "36", "item-adult": "Yes"}
    sent = client.post(f"{url}responses/", fields, follow=True)
    assert "Question 1 of 3" in sent.content.decode()


def test_entered_values_stay_when_others_are_invalid(client, eve):
    _, url = eve
    page = client.post(f"{url}responses/", {"part": "before", "item-age": "old"})
    said = page.content.decode()
    assert page.status_code == 400
    assert 'value="old"' in said
    assert 'aria-describedby="item-age-problem"' in said
    assert "Please write a number, in digits." in said
    assert "Please answer this." in said
    assert not Response.objects.exists()


def test_a_doubled_post_changes_nothing_and_continues(client, eve):
    _, url = eve
    fields = {"part": "before", "item-age": "36", "item-adult": "Yes"}
    for age in ("36", "99"):
        sent = client.post(f"{url}responses/", fields | {"item-age": age}, follow=True)
        assert "Question 1 of 3" in sent.content.decode()
    assert Response.objects.get(item="age").answer == "36"


def test_a_screened_out_appraiser_sees_a_kind_page_without_a_code(client, eve):
    who, url = eve
    fields = {"part": "before", "item-age": "36", "item-adult": "No"}
    said = client.post(f"{url}responses/", fields, follow=True).content.decode()
    assert "This study is looking for other people." in said
    assert who.completion_code not in said


def test_no_question_is_judged_before_the_questionnaire(client, eve):
    who, url = eve
    client.post(f"{url}answer/", fields(question_page(who)))
    assert not Judgment.objects.exists()


def test_the_last_questionnaire_is_taken_when_the_study_has_closed(client, asking, eve):
    who, url = eve
    answer(who, "before")
    judge_all(who)
    move_study(study=asking, to="closed")
    assert "Before you finish" in client.get(url).content.decode()
    fields = {f"item-{name}": value for name, value in sus().items()}
    sent = client.post(f"{url}responses/", {"part": "after"} | fields, follow=True)
    assert who.completion_code in sent.content.decode()


def test_an_empty_questionnaire_address_leads_back_to_the_private_link(client, eve):
    _, url = eve
    assert client.get(f"{url}responses/")["Location"] == url
    assert client.post(f"{url}responses/", {"part": "other"})["Location"] == url


def test_results_count_choices_and_average_numbers_and_the_scale(asking, eve):
    who, _ = eve
    answer(who, "before")
    judge_all(who)
    answer(who, "after", sus("3") | {"remark": "Nice"})
    before, after = questionnaire_results(asking, kind="real")
    age, adult = before["items"]
    assert (age["n"], age["mean"].mean) == (1, 36)
    assert adult["counts"] == [("Yes", 1), ("No", 0)]
    assert (after["sus"].n, after["sus"].mean) == (1, 50)


def test_a_missing_item_of_the_scale_leaves_no_score():
    scale = [
        {**entry, "required": False} for entry in questionnaires.expand_items([{"builtin": "sus"}])
    ]
    study = StudyFactory(slug="scale", before=scale)
    for sent in (sus("5"), sus("5") | {"sus-3": ""}):
        who, _ = join_study(study=study)
        mark_instructed(appraiser=who)
        assert answer(fresh(who), "before", sent)
    (before,) = questionnaire_results(study, kind="real")
    assert (before["n"], before["sus"].n, before["sus"].mean) == (2, 1, 50.0)


def test_results_leave_out_other_kinds_and_those_who_were_screened_out(asking, eve):
    who, _ = eve
    answer(who, "before", FINE | {"adult": "No"})
    assert [part["n"] for part in questionnaire_results(asking, kind="real")] == [0, 0]
    assert [part["n"] for part in questionnaire_results(asking, kind="pilot")] == [0, 0]


# -- researchers -------------------------------------------------------------------------------


@pytest.fixture
def answered(asking, eve):
    who, _ = eve
    answer(who, "before")
    judge_all(who)
    answer(who, "after", sus("4") | {"remark": "=1+1"})
    return asking


def test_every_response_is_a_row_with_the_words_that_were_asked(client, answered, rita):
    client.force_login(rita)
    sent = client.get("/research/asking/responses.csv")
    rows = list(csv.DictReader(sent.getvalue().decode().splitlines()))
    assert len(rows) == 13
    assert rows[0] == {
        "study": "asking",
        "appraiser": "real-0001",
        "kind": "real",
        "outcome": "done",
        "language": "",
        "part": "before",
        "item": "age",
        "question": "How old are you?",
        "answer": "36",
        "answered_at": "2026-03-02T12:00:00.000000Z",
    }
    assert next(row for row in rows if row["item"] == "remark")["answer"] == "'=1+1"


def test_strangers_get_no_responses(client, answered, olga):
    assert client.get("/research/asking/responses.csv").status_code == 302
    client.force_login(olga)
    assert client.get("/research/asking/responses.csv").status_code == 404


def test_the_command_writes_the_same(answered, tmp_path):
    out = tmp_path / "responses.csv"
    call_command(
        "export_study", "asking", "--what", "responses", "--out", str(out), stdout=StringIO()
    )
    assert len(out.read_text().splitlines()) == 14


def test_the_results_page_shows_the_score_and_every_item(client, answered, rita):
    client.force_login(rita)
    said = client.get("/research/asking/").content.decode()
    assert "System Usability Scale: <strong>50.0</strong> of 100" in said
    assert "How old are you?" in said
    assert "Yes: 1 · No: 0" in said


def test_results_of_questionnaires_ask_a_constant_number_of_queries(
    answered, django_assert_num_queries
):
    with django_assert_num_queries(1):
        questionnaire_results(answered, kind="real")
