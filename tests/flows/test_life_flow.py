"""Rita tries a study out, and opens it for good."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from survey.models import Appraiser
from survey.services.launching import move_study
from tests.survey.drafts import prepared, publish

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALLEST = {"width": 320, "height": 568}


@pytest.fixture
def draft(transactional_db):
    study = prepared()
    publish(study)
    return study


def test_a_study_goes_from_a_trial_to_real_answers(page, live_server, draft, sign_in, rita, faults):
    sign_in(rita)
    results, start = f"{live_server.url}/research/films/", f"{live_server.url}/s/films/"
    page.goto(results)
    page.get_by_role("button", name="Open a trial").click()
    expect(page.get_by_role("heading", name="No trial answers yet.")).to_be_visible()

    page.goto(start)
    expect(page.get_by_text("This is a trial.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with question 1").click()
    for number in range(1, 11):
        expect(page.get_by_role("heading", name=f"Question {number} of 10")).to_be_visible()
        page.get_by_role("button", name="Choose").first.click()
    expect(page.get_by_text("This was a trial.")).to_be_visible()

    page.goto(results)
    expect(page.get_by_text("Pilot judgments.")).to_be_visible()
    page.get_by_role("button", name="Launch the study").click()
    expect(page.get_by_text("The study is open.")).to_be_visible()
    page.goto(start)
    expect(page.get_by_text("This is a trial.")).to_have_count(0)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I agree and take part").click()
    expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    kinds = Appraiser.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["pilot", "real"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_a_study_s_life(
    page, live_server, draft, sign_in, rita, scheme
):
    sign_in(rita)
    page.emulate_media(color_scheme=scheme)
    steps = [
        (None, ["/research/films/"]),
        ("pilot", ["/research/films/", "/s/films/"]),
        ("running", ["/research/films/"]),
        ("paused", ["/research/films/", "/s/films/"]),
        ("closed", ["/research/films/", "/research/"]),
    ]
    found = {}
    for status, paths in steps:
        if status:
            move_study(study=draft, to=status, by="rita")
        for path in paths:
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(live_server.url + path)
            report = Axe().run(page)
            if report.violations_count:
                found[status, path] = report.generate_report()
            page.set_viewport_size(SMALLEST)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[status, path] = "wider than the smallest screen"
    assert found == {}
