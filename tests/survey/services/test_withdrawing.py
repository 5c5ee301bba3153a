"""Withdrawing erases a person; a count without identity stays."""

import re
from datetime import UTC, date, datetime

import pytest
from django.apps import apps

from survey.errors import StudyClosed
from survey.models import Appraiser, Invitation, Judgment, Study, Withdrawal
from survey.selectors.questionnaires import items_of
from survey.services.answering import record_judgment
from survey.services.inviting import make_invitations
from survey.services.joining import join_study, mark_instructed
from survey.services.responding import respond
from survey.services.visiting import mark_shown
from survey.services.withdrawing import withdraw
from survey.tokens import token_digest
from tests.factories import NOW, StudyFactory
from tests.survey.protocol.test_questionnaires import AGE

pytestmark = pytest.mark.django_db


def everything():
    """Every row of every table, as the database has it."""
    return {
        (model._meta.label, row["pk"]): row
        for model in apps.get_models(include_auto_created=True)
        for row in model.objects.values("pk", *[field.name for field in model._meta.fields])
    }


def take_part(study):
    who, token = join_study(study=study, now=NOW)
    mark_instructed(appraiser=who)
    if study.before:
        items = items_of(study, "before")
        respond(appraiser=who, part="before", items=items, sent={"age": "36"})
    for assignment in who.assignments.all():
        mark_shown(appraiser=who, assignment_key=assignment.key)
        record_judgment(appraiser=who, assignment_key=assignment.key, choice="left")
    return who, token


def test_no_table_keeps_a_trace_but_the_tombstone():
    study = StudyFactory(slug="films", before=[AGE])
    before = everything()
    who, _ = take_part(study)
    assert len(everything()) > len(before) + 30
    withdraw(appraiser=who, now=NOW)
    after = everything()
    (stone,) = [row for key, row in after.items() if key not in before]
    assert {key: row for key, row in after.items() if key in before} == before
    assert {key: stone[key] for key in ("study", "kind", "on", "n_judgments")} == {
        "study": study.pk,
        "kind": "real",
        "on": NOW.date(),
        "n_judgments": 15,
    }
    assert set(stone) == {"pk", "id", "study", "kind", "on", "n_judgments"}


def test_a_personal_link_forgets_whose_it_was_and_stays_spent():
    study = StudyFactory(slug="films", entry="personal")
    (link,) = make_invitations(study=study, count=1, labels=["Ada L."])
    who, _ = join_study(study=study, invitation=link.token)
    withdraw(appraiser=who, now=NOW)
    left = Invitation.objects.get()
    assert (left.label, left.appraiser) == ("", None)
    assert left.digest == token_digest(link.token)
    assert left.used_at.date() == NOW.date()


def test_the_place_is_free_again_and_the_number_is_not():
    study = StudyFactory(slug="small", quota=1)
    who, _ = take_part(study)
    withdraw(appraiser=who)
    again, _ = join_study(study=study)
    assert (who.number, again.number) == (1, 2)


@pytest.mark.parametrize("status", ["paused", "closed"])
def test_it_works_in_a_study_that_takes_no_answers(ada, status):
    Study.objects.update(status=status)
    withdraw(appraiser=ada.appraiser)
    assert not Appraiser.objects.exists()


def test_twice_is_once(ada, ben):
    assert withdraw(appraiser=ada.appraiser)
    assert withdraw(appraiser=ada.appraiser) is None
    assert Withdrawal.objects.count() == 1
    assert Appraiser.objects.get() == ben.appraiser


@pytest.mark.parametrize(("day", "gone"), [(9, True), (10, True), (11, False)])
def test_it_is_possible_until_the_end_of_the_last_day(ada, day, gone):
    Study.objects.update(withdraw_until=date(2026, 4, 10))
    try:
        withdraw(appraiser=ada.appraiser, now=datetime(2026, 4, day, 23, 59, tzinfo=UTC))
    except StudyClosed:
        assert not gone
    assert Appraiser.objects.exists() is not gone


# -- pages -------------------------------------------------------------------------------------


def seal(page):
    return re.search(r'name="seal" value="([^"]+)"', page.content.decode())[1]


def test_the_page_explains_withdrawal_and_opening_it_erases_nothing(client, ada):
    for assignment in ada.appraiser.assignments.all()[:3]:
        record_judgment(appraiser=ada.appraiser, assignment_key=assignment.key, choice="left")
    said = client.get(f"{ada.url}withdraw/").content.decode()
    assert "your 3 answers, with their times" in said
    assert "A note that somebody left this study" in said
    assert Judgment.objects.count() == 3


@pytest.mark.parametrize("entry", ["open", "personal"])
def test_the_page_says_that_a_personal_link_stays_used(client, ada, entry):
    Study.objects.update(entry=entry)
    said = client.get(f"{ada.url}withdraw/").content.decode()
    assert ("Your personal link stays marked as used on that day" in said) is (entry == "personal")


def test_without_the_box_nothing_is_erased(client, ada):
    page = client.post(f"{ada.url}withdraw/")
    assert page.status_code == 400
    assert "Nothing was erased" in page.content.decode()
    assert Appraiser.objects.exists()


def test_the_page_after_it_is_kind_and_knows_nobody(client, ada):
    fields = {"understood": "1", "seal": seal(client.get(f"{ada.url}withdraw/"))}
    sent = client.post(f"{ada.url}withdraw/", fields)
    assert sent["Location"] == "/s/films/erased/?lang=en"
    assert "Your answers have been erased." in client.get(sent["Location"]).content.decode()
    assert client.get(ada.url).status_code == 404
    assert client.get(f"{ada.url}withdraw/").status_code == 404


def test_a_doubled_click_leads_to_the_same_page(client, ada):
    fields = {"understood": "1", "seal": seal(client.get(f"{ada.url}withdraw/"))}
    first, second = (client.post(f"{ada.url}withdraw/", fields) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Withdrawal.objects.count() == 1


def test_an_unknown_link_is_not_reported_as_erased(client, ada):
    page = client.get(f"{ada.url}withdraw/")
    for sealed in ("", "made:up", seal(page)):
        sent = client.post("/a/guessed-token/withdraw/", {"understood": "1", "seal": sealed})
        assert sent.status_code == 404
    assert Appraiser.objects.exists()


def test_after_the_last_day_the_page_says_until_when_it_was(client, ada):
    Study.objects.update(withdraw_until=date(2026, 4, 10))
    page = client.post(f"{ada.url}withdraw/", {"understood": "1"})
    assert "That was possible until 10 Apr 2026" in page.content.decode()
    assert Appraiser.objects.exists()


def test_every_page_of_an_appraiser_links_to_withdrawal(client, ada):
    way = f'href="{ada.url}withdraw/"'
    assert way in client.get(ada.url).content.decode()
    assert way in client.get(f"{ada.url}break/").content.decode()
    for assignment in ada.appraiser.assignments.all():
        record_judgment(appraiser=ada.appraiser, assignment_key=assignment.key, choice="left")
    assert way in client.get(ada.url).content.decode()


def test_a_break_shows_the_private_link(client, ada):
    assert f"http://testserver{ada.url}" in client.get(f"{ada.url}break/").content.decode()
