"""The admin shows everything of a study and changes nothing that was judged."""

import pytest
from django.urls import reverse

from survey import selectors, services
from survey.models import Judgment, Study
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def judgment(ada):
    key = selectors.question_page(ada.appraiser).assignment_key
    services.record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
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


def test_no_page_shows_what_opens_a_private_link(boss, ada, judgment):
    for row in (ada.appraiser, judgment.assignment):
        page = boss.get(address(row, "change")).content.decode()
        assert ada.appraiser.token_digest not in page
        assert str(judgment.assignment.key) not in page


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


def test_the_words_of_a_draft_can_be_mended_and_nothing_else(boss, study):
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
        services.record_judgment(
            appraiser=ada.appraiser, assignment_key=assignment.key, choice="left"
        )
    with django_assert_max_num_queries(16):
        boss.get(reverse("admin:survey_judgment_changelist"))
    with django_assert_max_num_queries(16):
        boss.get(reverse("admin:survey_assignment_changelist"))
