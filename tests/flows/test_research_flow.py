"""Rita follows a study from its draft to its results in a real browser."""

import pytest
from playwright.sync_api import expect

from recommender.models import Job
from survey.models import Study
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from tests.factories import JobFactory, StudyFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft():
    """Both arms are still being published."""
    study = StudyFactory(slug="draft", status=Study.Status.DRAFT)
    study.questions.all().delete()
    for arm in study.arms.all():
        arm.publish_job = JobFactory(kind=Job.Kind.PUBLISH)
        arm.save()
    return study


def test_the_login_leads_to_the_results_that_were_asked_for(page, live_server, study, rita, faults):
    rita.set_password("correct horse")
    rita.save()
    page.goto(f"{live_server.url}/research/films/")
    page.get_by_label("User name").fill("rita")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{live_server.url}/research/films/")
    expect(page.get_by_role("heading", name="No judgments yet.")).to_be_visible()


def test_a_draft_that_is_watched_offers_its_launch_by_itself(
    page, live_server, draft, sign_in, rita, faults
):
    sign_in(rita)
    page.goto(f"{live_server.url}/research/draft/")
    expect(page.get_by_text("Waiting for a worker").first).to_be_visible()
    Job.objects.update(status="done")
    page.get_by_role("button", name="Launch the study").click()
    expect(page.get_by_text("The study is open.")).to_be_visible()


def test_the_headline_is_above_its_figure_and_both_above_the_rest(
    page, live_server, study, sign_in, rita
):
    appraiser, _ = join_study(study=study)
    for assignment in appraiser.assignments.all():
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice="left")
    sign_in(rita)
    page.goto(f"{live_server.url}/research/films/")
    places = [page.locator(part) for part in (".answer", ".interval", "#trust", "#systems")]
    tops = [place.bounding_box()["y"] for place in places]
    assert tops == sorted(tops)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all judgments").click()
    assert download.value.suggested_filename == "films-judgments.csv"
