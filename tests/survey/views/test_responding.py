"""A study that pauses or ends while somebody is at it: what was sent, and the place at a panel."""

import re
from urllib.parse import urlencode

import pytest

from survey.errors import StudyClosed
from survey.models import Appraiser, Response, Study
from survey.protocol import panels
from survey.selectors.design import design_hash
from survey.selectors.question import question_page
from survey.selectors.questionnaires import items_of
from survey.services.answering import confirm_answers, record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import launch_study, move_study
from survey.services.responding import respond
from tests.factories import StudyFactory
from tests.survey.form_data import fields
from tests.survey.protocol.test_questionnaires import ADULT, AGE, REMARK

pytestmark = pytest.mark.django_db

FINE = {"part": "before", "item-age": "36", "item-adult": "Yes", "item-remark": "Only on Sundays."}
PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")
SENT = {"PROLIFIC_PID": "5f1ada", "STUDY_ID": "64study", "SESSION_ID": "s1"}


def asking(**values):
    return StudyFactory(
        slug="films", questions_per_appraiser=3, before=[AGE, ADULT, REMARK], **values
    )


def reader(study, **values):
    """The private link of one who has read the instructions."""
    who, token = join_study(study=study, **values)
    mark_instructed(appraiser=who)
    return f"/a/{token}/"


def paneled(**values):
    return StudyFactory(
        slug="films", questions_per_appraiser=3, entry="panel", panel=PROLIFIC, **values
    )


def from_panel(study, **values):
    return reader(study, panel={name: [value] for name, value in SENT.items()}, **values)


def words(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


# -- questionnaires ------------------------------------------------------------------------------


def test_a_questionnaire_sent_during_a_pause_is_shown_again(client):
    study = asking()
    url = reader(study)
    move_study(study=study, to="paused")
    page = client.post(f"{url}responses/", FINE)
    assert page.status_code == 409
    assert "taking a break when you sent this, so it was not stored" in words(page)
    assert 'name="item-age" value="36"' in page.text
    assert re.search(r'value="Yes" checked', page.text)
    assert "Only on Sundays." in page.text
    assert not Response.objects.exists()


def test_it_can_be_sent_again_when_the_study_is_resumed(client):
    study = asking()
    url = reader(study)
    move_study(study=study, to="paused")
    client.post(f"{url}responses/", FINE)
    move_study(study=study, to="running")
    page = client.post(f"{url}responses/", FINE, follow=True)
    assert "Question 1 of 3" in words(page)
    assert Response.objects.get(item="remark").answer == "Only on Sundays."


def test_a_pause_is_reported_before_invalid_answers(client):
    study = asking()
    url = reader(study)
    move_study(study=study, to="paused")
    page = client.post(f"{url}responses/", FINE | {"item-age": "old"})
    assert page.status_code == 409
    assert "so it was not stored" in words(page)
    assert 'value="old"' in page.text


def test_a_questionnaire_after_the_end_is_refused_with_its_texts_to_copy(client):
    study = asking()
    url = reader(study)
    move_study(study=study, to="closed")
    page = client.post(f"{url}responses/", FINE)
    assert page.status_code == 409
    assert "This study has ended." in words(page)
    assert "What you filled in just now came too late: it was not stored." in words(page)
    assert "\nOnly on Sundays.</textarea>" in page.text
    assert not Response.objects.exists()


def test_a_questionnaire_after_the_trial_is_refused(client):
    study = asking(status=Study.Status.PILOT)
    url = reader(study, kind="pilot")
    Study.objects.update(design_hash=design_hash(study))
    launch_study(study=Study.objects.get())
    said = words(client.post(f"{url}responses/", FINE))
    assert "The trial has ended." in said
    assert "What you filled in just now came too late" in said


def test_a_doubled_questionnaire_is_not_called_lost_though_the_study_pauses(client):
    study = asking()
    url = reader(study)
    client.post(f"{url}responses/", FINE)
    move_study(study=study, to="paused")
    page = client.post(f"{url}responses/", FINE, follow=True)
    assert "taking a break" in words(page)
    assert "not stored" not in words(page)


def test_the_service_refuses_responses_during_a_pause():
    study = asking()
    reader(study)
    move_study(study=study, to="paused")
    sent = {"age": "36", "adult": "Yes"}
    with pytest.raises(StudyClosed):
        respond(
            appraiser=Appraiser.objects.get(),
            part="before",
            items=items_of(study, "before"),
            sent=sent,
        )


# -- the place at a panel --------------------------------------------------------------------------


def test_a_panels_person_is_told_what_to_do_with_the_place_during_a_pause(client):
    move_study(study=paneled(), to="paused")
    said = words(client.get(f"/s/films/?{urlencode(SENT)}"))
    assert "Prolific does not know of this break" in said
    assert "if it would run out, please give your place back there" in said
    assert "no place is held for you here" in said


def test_an_unfinished_appraiser_is_told_that_the_place_is_kept(client):
    study = paneled()
    url = from_panel(study)
    move_study(study=study, to="paused")
    said = words(client.get(url))
    assert "Prolific does not know of this break" in said
    assert "Your place here is kept during the break. The code for the panel comes at the end." in (
        said
    )


def test_a_questionnaire_sent_during_a_pause_mentions_the_panel(client):
    study = paneled(before=[AGE])
    url = from_panel(study)
    move_study(study=study, to="paused")
    page = client.post(f"{url}responses/", {"part": "before", "item-age": "36"})
    assert "Prolific does not know of this break" in words(page)


@pytest.mark.parametrize("status", [Study.Status.RUNNING, Study.Status.PILOT])
def test_an_unfinished_appraiser_of_a_panel_is_told_that_there_is_no_code(client, status):
    study = paneled(status=status)
    kind = "pilot" if status == Study.Status.PILOT else "real"
    url = from_panel(study, kind=kind)
    Study.objects.update(status=Study.Status.CLOSED, launched_at="2026-03-02T12:00Z")
    said = words(client.get(url))
    assert "It ended before your last question, so there is no code to enter at Prolific." in said


@pytest.mark.parametrize("to", ["paused", "closed"])
def test_a_finished_appraiser_is_told_nothing_of_a_place(client, to):
    study = paneled(changes="finish")
    url = from_panel(study)
    who = Appraiser.objects.get()
    first = question_page(who)
    for key in who.assignments.values_list("key", flat=True):
        record_judgment(appraiser=who, assignment_key=key, choice="left")
    confirm_answers(appraiser=who)
    move_study(study=study, to=to)
    assert "CDONE" in client.get(url).text
    late = words(client.post(f"{url}answer/", fields(first, "right") | {"revision": "1"}))
    assert "came too late" in late
    assert "place" not in late


def test_elsewhere_nobody_hears_of_panels(client, study, ada):
    move_study(study=study, to="paused")
    for path in ("/s/films/", ada.url):
        assert "panel" not in words(client.get(path))
