"""What happens between the start of a request and its answer: the page tells how it stands then."""

import pytest

from survey.errors import StudyClosed
from survey.models import Judgment
from survey.selectors.next_step import Step
from survey.services.joining import begin
from survey.services.status import close_study, pause_study
from survey.services.withdrawing import withdraw
from survey.views import judging
from tests.survey.sending import fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(client, ada, monkeypatch):
    """Ada's first answer, on its way when something happens to her or to the study."""

    def sent(meanwhile):
        begin(appraiser=ada.appraiser)
        form = fields(client.get(ada.url).context["page"])
        known = judging.holder

        def holder(request, token):
            who = known(request, token)
            meanwhile(who)
            return who

        monkeypatch.setattr(judging, "holder", holder)
        reply = client.post(ada.url, form)
        monkeypatch.setattr(judging, "holder", known)
        return reply

    return sent


@pytest.mark.parametrize(
    ("step", "words"),
    [(close_study, "This study has ended."), (pause_study, "taking a break.")],
)
def test_an_answer_that_meets_the_end_of_the_study_is_told_so(send, study, step, words):
    page = send(lambda _: step(study=study))
    said = page.content.decode()
    assert page.status_code == 409
    assert words in said
    assert "came too late: it was not stored" in said
    assert Judgment.objects.count() == 0


def test_an_answer_that_meets_its_own_withdrawal_finds_a_link_that_is_known_no_more(send):
    assert send(lambda who: withdraw(appraiser=who)).status_code == 404
    assert Judgment.objects.count() == 0


def test_an_answer_whose_sender_s_questionnaire_is_erased_this_moment_is_not_called_taken(
    client, ada, monkeypatch
):
    begin(appraiser=ada.appraiser)
    form = fields(client.get(ada.url).context["page"])

    def erased_meanwhile(who):
        withdraw(appraiser=who)
        return Step.BEFORE

    monkeypatch.setattr(judging, "next_step", erased_meanwhile)
    assert client.post(ada.url, form).status_code == 404


def test_an_answer_that_meets_a_short_break_is_asked_for_again(send, client, study, monkeypatch):
    def refuse(**_):
        raise StudyClosed("paused, and running again by now")

    monkeypatch.setattr(judging, "record_judgment", refuse)
    reply = send(lambda _: None)
    assert reply.status_code == 302
    assert client.get(reply["Location"]).context["page"].number == 1
