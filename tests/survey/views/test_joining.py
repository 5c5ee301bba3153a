"""Coming in by a personal link or from a panel, and the researchers' page on who comes."""

import re
from urllib.parse import urlencode

import pytest
from django.template.loader import render_to_string

from survey.models import Appraiser, Study
from survey.protocol import panels
from survey.protocol.fields import Protocol
from survey.services.answering import record_judgment
from survey.services.inviting import make_invitations, revoke_invitations
from survey.services.joining import join_study
from survey.services.launching import move_study
from survey.services.withdrawing import withdraw
from survey.wording import built_in
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")
SENT = {"PROLIFIC_PID": "5f1ada", "STUDY_ID": "64study", "SESSION_ID": "s1"}
PANEL = f"/s/films/?{urlencode(SENT)}"
CONSENT = f"/s/films/consent/?{urlencode(SENT)}"


@pytest.fixture
def as_rita(client, rita):
    client.force_login(rita)
    return client


@pytest.fixture
def invited(db):
    study = StudyFactory(slug="films", entry="personal")
    (link,) = make_invitations(study=study, count=1, labels=["Ada"])
    return f"/i/{link.token}/"


@pytest.fixture
def paneled(db):
    return StudyFactory(slug="films", entry="panel", panel=PROLIFIC)


def words(response):
    page = re.sub(r"<[^>]+>", "", response.content.decode())
    return re.sub(r"\s+", " ", page)


def read(client, path):
    return words(client.get(path))


def test_looking_at_a_personal_link_uses_up_nothing(client, invited):
    for path in (invited, f"{invited}consent/"):
        assert client.get(path).status_code == 200
    assert client.post(invited)["Location"] == f"{invited}consent/"
    assert not Appraiser.objects.exists()


def test_a_personal_link_leads_every_device_to_the_same_private_link(client, invited):
    first = client.post(f"{invited}consent/")["Location"]
    assert first.startswith("/a/")
    assert client.post(f"{invited}consent/")["Location"] == first
    assert client.get(invited)["Location"] == first
    assert client.get(f"{invited}consent/")["Location"] == first
    assert Appraiser.objects.count() == 1


def test_the_open_link_of_a_study_by_invitation_says_so_kindly(client, invited):
    assert "This study is by invitation." in read(client, "/s/films/")
    assert "This study is by invitation." in read(client, "/s/films/consent/")
    assert client.post("/s/films/consent/")["Location"] == "/s/films/"
    assert not Appraiser.objects.exists()


def test_a_personal_link_nobody_knows_is_not_found(client, invited):
    assert client.get(f"{invited[:-1]}x/").status_code == 404


def test_a_link_that_was_revoked_says_so_kindly(client, invited):
    revoke_invitations(study=Study.objects.get())
    assert "This link is no longer valid." in read(client, invited)


def test_a_link_whose_answers_were_erased_says_so_kindly(client, invited):
    client.post(f"{invited}consent/")
    withdraw(appraiser=Appraiser.objects.get())
    assert "This link was used before." in read(client, invited)
    client.post(f"{invited}consent/")
    assert not Appraiser.objects.exists()


def test_a_personal_link_to_a_draft_asks_to_come_back(client, invited):
    Study.objects.update(status=Study.Status.DRAFT, launched_at=None)
    assert "not opened yet" in read(client, invited)


def test_a_personal_link_in_a_trial_says_that_it_is_one_and_stays_unused(client, invited):
    Study.objects.update(status=Study.Status.PILOT, launched_at=None)
    assert "This is a trial." in read(client, f"{invited}consent/")
    client.post(f"{invited}consent/", {"trial": "1"})
    assert Appraiser.objects.get().kind == "pilot"
    assert Study.objects.get().invitations.get().used_at is None


def test_the_panel_s_parameters_go_along_to_the_consent_and_are_kept(client, paneled):
    assert client.post(PANEL)["Location"] == CONSENT
    client.post(CONSENT)
    assert Appraiser.objects.get().panel == SENT


def test_looking_in_from_the_panel_makes_nobody(client, paneled):
    client.get(PANEL), client.get(CONSENT), client.post(PANEL)
    assert not Appraiser.objects.exists()


def test_one_of_the_panel_s_people_is_led_back_from_every_device(client, paneled):
    first = client.post(CONSENT)["Location"]
    other_session = PANEL.replace("s1", "s2")
    assert client.get(other_session)["Location"] == first
    assert client.post(CONSENT.replace("s1", "s2"))["Location"] == first
    assert Appraiser.objects.count() == 1


def test_without_parameters_one_is_asked_to_come_through_the_panel(client, paneled):
    assert "Please come through Prolific." in read(client, "/s/films/")
    assert client.post("/s/films/consent/")["Location"] == "/s/films/"
    assert not Appraiser.objects.exists()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("PROLIFIC_PID=a&STUDY_ID=b", "is not complete"),
        ("PROLIFIC_PID=&STUDY_ID=b&SESSION_ID=c", "is not complete"),
        ("PROLIFIC_PID=a&PROLIFIC_PID=b&STUDY_ID=b&SESSION_ID=c", "the same thing twice"),
        ("PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D&STUDY_ID=b&SESSION_ID=c", "has a gap"),
        ("PROLIFIC_PID=undefined&STUDY_ID=b&SESSION_ID=c", "has a gap"),
        (f"PROLIFIC_PID={'a' * 201}&STUDY_ID=b&SESSION_ID=c", "cannot be read"),
        ("PROLIFIC_PID=a%00&STUDY_ID=b&SESSION_ID=c", "cannot be read"),
        ("PROLIFIC_PID=a%FF&STUDY_ID=b&SESSION_ID=c", "cannot be read"),
    ],
)
def test_parameters_that_name_nobody_are_refused_kindly(client, paneled, query, said):
    page = read(client, f"/s/films/?{query}")
    assert "We cannot tell who sent you." in page
    assert said in page
    client.post(f"/s/films/consent/?{query}")
    assert not Appraiser.objects.exists()


def test_a_panel_s_person_of_a_closed_study_finds_back_and_others_read_that_it_ended(
    client, paneled
):
    client.post(CONSENT)
    move_study(study=paneled, to="closed")
    assert client.get(PANEL)["Location"].startswith("/a/")
    assert "This study has ended." in read(client, PANEL.replace("5f1ada", "5f1ben"))


def test_a_panels_person_who_cannot_join_is_asked_to_return_the_place(client, paneled):
    Study.objects.update(quota=0)
    for word in ("full", "closed"):
        if word == "closed":
            move_study(study=paneled, to="closed")
        page = read(client, PANEL.replace("5f1ada", "5f1ben"))
        assert "Please give your place back at Prolific" in page


def test_the_consent_page_says_what_is_stored_of_the_entry(client, paneled):
    assert "Prolific sent its name for you along" in read(client, CONSENT)
    Study.objects.update(entry="open", panel={})
    assert "sent" not in read(client, "/s/films/consent/")


def test_the_consent_page_does_not_repeat_what_the_text_says_of_the_entry(client, paneled):
    Study.objects.update(
        consent_text=built_in.write_consent(15, Protocol(entry="panel", panel=PROLIFIC))
    )
    page = read(client, CONSENT)
    assert "adds its number for you" in page
    assert "sent its name for you along" not in page


def test_pages_hide_a_panels_id_from_other_sites(client, paneled):
    for path in (PANEL, CONSENT):
        assert client.get(path)["Referrer-Policy"] == "same-origin"
    private = client.post(CONSENT)["Location"]
    assert "5f1ada" not in private + client.get(private).content.decode()


@pytest.mark.parametrize(
    "file", ["judgments.csv", "history.csv", "responses.csv", "design.json", ""]
)
def test_the_panel_s_names_are_in_no_other_download_and_page(as_rita, paneled, file):
    ada, _ = join_study(study=paneled, panel={k: [v] for k, v in SENT.items()})
    for assignment in ada.assignments.all():
        record_judgment(appraiser=ada, assignment_key=assignment.key, choice="left")
    response = as_rita.get(f"/research/films/{file}")
    assert response.status_code == 200
    assert "5f1ada" not in response.getvalue().decode()


@pytest.mark.parametrize(
    ("outcome", "code"), [("done", "CDONE"), ("screened", "CSCREEN"), ("failed", "CFAIL")]
)
def test_each_outcome_leads_back_with_its_own_code_once_it_is_stored(paneled, outcome, code):
    ada, _ = join_study(study=paneled, panel={k: [v] for k, v in SENT.items()})
    assert "prolific.com" not in render_to_string(
        "survey/_return_to_panel.html", {"appraiser": ada}
    )
    ada.outcome, ada.finished_at = outcome, NOW
    ada.save()
    page = render_to_string("survey/_return_to_panel.html", {"appraiser": ada})
    assert f'href="https://app.prolific.com/submissions/complete?cc={code}"' in page
    assert f'value="{code}"' in page
    assert "Go back to Prolific" in page
