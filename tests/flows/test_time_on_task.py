"""How long a question was looked at: what is seen counts, what is hidden does not."""

import time

import pytest
from playwright.sync_api import expect

from survey.models import Judgment
from survey.services.joining import join_study, mark_instructed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Chromium without a window shows every tab at once: the browser's word is replaced, not the page's.
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def question(page, live_server, study, faults):
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    page.goto(f"{live_server.url}/a/{token}/")
    return page


def choose(page):
    page.locator("button[value=left]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 2 of 15")
    return told(Judgment.objects.get())


def told(judgment):
    """By the browser how long the question was seen, by the server how long it lay there."""
    passed = judgment.answered_at - judgment.assignment.shown_at
    return judgment.visible_ms, 1000 * passed.total_seconds()


def test_the_time_on_the_screen_comes_with_the_answer(question):
    question.wait_for_timeout(700)
    visible, passed = choose(question)
    assert 700 <= visible <= passed + 5


def test_a_hidden_tab_does_not_count(question):
    start = time.monotonic()
    question.evaluate(HIDE, True)
    question.wait_for_timeout(2000)
    question.evaluate(HIDE, False)
    hidden = 1000 * (time.monotonic() - start)
    visible, passed = choose(question)
    assert hidden >= 2000
    assert 0 < visible <= passed - 1990


def test_a_page_opened_in_the_background_counts_from_when_it_is_seen(page, live_server, study):
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.seen})")
    page.goto(f"{live_server.url}/a/{token}/")
    page.wait_for_timeout(1500)
    page.evaluate("window.seen = 1; document.dispatchEvent(new Event('visibilitychange'))")
    visible, passed = choose(page)
    assert 0 < visible <= passed - 1490


def test_a_reload_keeps_the_time_that_was_spent(question):
    question.wait_for_timeout(800)
    question.reload()
    visible, passed = choose(question)
    assert 800 <= visible <= passed + 5


def test_the_next_question_starts_at_nothing(question):
    question.wait_for_timeout(1500)
    choose(question)
    question.locator("button[value=left]").click()
    expect(question.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")
    visible, passed = told(Judgment.objects.order_by("pk").last())
    assert 0 < visible <= passed + 5
