"""The admin shows everything of a study and changes nothing that was judged."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from survey.models import (
    Appraiser,
    Invitation,
    Judgment,
    JudgmentRevision,
    Response,
    Study,
    Withdrawal,
)
from survey.selectors.question import question_page
from survey.services.answering import record_judgment
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def judgment(ada):
    key = question_page(ada.appraiser)["assignment_key"]
    record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    return Judgment.objects.get()


def address(row, page):
    return reverse(f"admin:survey_{row._meta.model_name}_{page}", args=[row.pk])


def test_every_list_and_every_row_can_be_looked_at(boss, judgment):
    assignment = judgment.assignment
    rows = [judgment, assignment, assignment.question, assignment.appraiser, assignment.left_arm]
    for row in [*rows[:-1], assignment.appraiser.study]:
        name = f"admin:survey_{row._meta.model_name}_changelist"
        assert boss.get(reverse(name)).status_code == 200
        assert boss.get(address(row, "change")).status_code == 200


def test_a_judgment_is_neither_changed_nor_deleted_nor_added(boss, judgment):
    change = {"choice": "right", "chosen_arm": judgment.chosen_arm_id}
    assert boss.post(address(judgment, "change"), change).status_code == 403
    assert boss.post(address(judgment, "delete"), {"post": "yes"}).status_code == 403
    assert boss.get(reverse("admin:survey_judgment_add")).status_code == 403
    judgment.refresh_from_db()
    assert judgment.choice == "left"


def test_no_admin_page_shows_a_private_link(boss, ada, judgment):
    for row in (ada.appraiser, judgment.assignment):
        page = boss.get(address(row, "change")).content.decode()
        assert ada.appraiser.token_digest not in page
        assert str(judgment.assignment.key) not in page


def test_no_page_says_which_of_a_panel_s_people_gave_which_answers(boss, ada):
    sent = {"PID": "person-4711"}
    Appraiser.objects.update(panel_person=sent["PID"], panel=sent, latest_panel=sent)
    page = boss.get(address(ada.appraiser, "change")).content.decode()
    assert ada.appraiser.completion_code in page
    assert "person-4711" not in page


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("appraiser", "panel_person=person-4711"),
        ("appraiser", "panel__PID=person-4711"),
        ("appraiser", "invitation={invitation}"),
        ("appraiser", "invitation__label=Ada"),
        ("invitation", "appraiser={appraiser}"),
        ("invitation", "used_at__gt=2026-01-01"),
    ],
)
def test_no_filter_in_an_address_finds_hidden_fields(boss, ada, study, model, asked):
    invitation = Invitation.objects.create(
        study=study, number=1, label="Ada", created_at=NOW, used_at=NOW, appraiser=ada.appraiser
    )
    keys = {"invitation": invitation.pk, "appraiser": ada.appraiser.pk}
    page = reverse(f"admin:survey_{model}_changelist")
    assert boss.get(f"{page}?{asked.format(**keys)}").status_code == 400
    assert boss.get(f"{page}?study__id__exact={study.pk}").status_code == 200


def test_a_completion_code_is_for_those_who_run_studies(client, ada):
    looker = UserFactory(is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(looker)
    code = ada.appraiser.completion_code
    assert code not in client.get(address(ada.appraiser, "change")).content.decode()
    looker.user_permissions.add(Permission.objects.get(codename="change_study"))
    assert code in client.get(address(ada.appraiser, "change")).content.decode()


def test_the_newer_tables_can_be_looked_at_and_hold_no_secret(boss, ada, judgment, study):
    invitation = Invitation.objects.create(
        study=study, number=1, digest="d" * 64, label="Ben", created_at=NOW
    )
    response = Response.objects.create(
        appraiser=ada.appraiser, part="after", item="sus-1", question="Easy?", answer="4",
        answered_at=NOW,
    )  # fmt: skip
    withdrawal = Withdrawal.objects.create(study=study, kind="real", on=NOW.date(), n_judgments=3)
    for row in (invitation, response, withdrawal, JudgmentRevision.objects.first()):
        assert (
            boss.get(reverse(f"admin:survey_{row._meta.model_name}_changelist")).status_code == 200
        )
        assert "d" * 64 not in boss.get(address(row, "change")).content.decode()
        assert boss.post(address(row, "delete"), {"post": "yes"}).status_code == 403
    assert boss.get(reverse("admin:survey_uploadedrecommendation_changelist")).status_code == 200


def words(study, title):
    """The study's admin form with another title, and its arms' empty management form."""
    return {
        "title": title,
        "consent_text": study.consent_text,
        "instructions": study.instructions,
        "seed": "99",
        "arms-TOTAL_FORMS": "0",
        "arms-INITIAL_FORMS": "0",
    }


def test_only_the_texts_of_a_draft_can_be_edited(boss, study):
    Study.objects.update(status="draft", launched_at=None)
    boss.post(address(study, "change"), words(study, "Better words"))
    study.refresh_from_db()
    assert (study.title, study.seed) == ("Better words", 7)


def test_a_launched_study_stays_as_it_is(boss, study):
    boss.post(address(study, "change"), words(study, "Other words"))
    study.refresh_from_db()
    assert study.title == "Which film fits better?"


def test_a_list_asks_no_query_for_each_row(boss, ada, django_assert_max_num_queries):
    for assignment in ada.appraiser.assignments.all():
        record_judgment(appraiser=ada.appraiser, assignment_key=assignment.key, choice="left")
    with django_assert_max_num_queries(16):
        boss.get(reverse("admin:survey_judgment_changelist"))
    with django_assert_max_num_queries(16):
        boss.get(reverse("admin:survey_assignment_changelist"))
