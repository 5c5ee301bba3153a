"""What happens between the start of a request and its answer: the page tells how it stands then."""

import pytest

from survey import access
from survey.errors import StudyClosed
from survey.models import Judgment, Study
from survey.services.joining import mark_instructed
from survey.services.launching import move_study
from survey.services.withdrawing import withdraw
from survey.views import judging
from tests.factories import NOW
from tests.survey.form_data import fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(client, ada, monkeypatch):
    """Ada's first answer, on its way when something happens to her or to the study."""

    def sent(meanwhile):
        mark_instructed(appraiser=ada.appraiser)
        form = fields(client.get(ada.url).context["page"])
        known = access.appraiser_for_token

        def found_first(token):
            monkeypatch.setattr(access, "appraiser_for_token", known)
            who = known(token)
            meanwhile(who)
            return who

        monkeypatch.setattr(access, "appraiser_for_token", found_first)
        return client.post(f"{ada.url}answer/", form)

    return sent


@pytest.mark.parametrize(
    ("to", "words"), [("closed", "This study has ended."), ("paused", "taking a break.")]
)
def test_an_answer_after_the_end_of_the_study_is_refused(send, study, to, words):
    page = send(lambda _: move_study(study=study, to=to))
    said = page.content.decode()
    assert page.status_code == 409
    assert words in said
    assert "came too late: it was not stored" in said
    assert Judgment.objects.count() == 0


def test_an_answer_after_a_withdrawal_finds_no_link(send):
    assert send(lambda who: withdraw(appraiser=who)).status_code == 404
    assert Judgment.objects.count() == 0


def test_an_answer_whose_sender_s_questionnaire_is_erased_this_moment_is_not_called_taken(
    ada, send
):
    Study.objects.update(before=[{"name": "age", "text": "Age?", "kind": "number"}])
    ada.appraiser.responses.create(part="before", item="age", question="Age?", answered_at=NOW)
    assert send(lambda who: withdraw(appraiser=who)).status_code == 404


def test_an_answer_during_a_short_pause_is_asked_for_again(send, client, study, monkeypatch):
    def refuse(**_):
        raise StudyClosed("paused, and running again by now")

    monkeypatch.setattr(judging, "record_judgment", refuse)
    reply = send(lambda _: None)
    assert reply.status_code == 302
    assert client.get(reply["Location"]).context["page"]["number"] == 1
