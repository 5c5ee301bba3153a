"""Ada walks through a study in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from survey.models import Judgment
from tests.factories import StudyFactory

# From the start again, for it may be over, and held in the middle.
HALF_SETTLED = """() => {
  const buttons = document.querySelectorAll(".cards .button");
  for (const button of buttons) button.style.animation = "none";
  document.getAnimations();
  for (const button of buttons) button.style.animation = "";
  for (const settling of document.getAnimations()) {
    settling.pause();
    settling.currentTime = 200;
  }
}"""

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def begin(page, live_server, slug="films"):
    page.goto(f"{live_server.url}/s/{slug}/")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with question 1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Question 1 of ")


def answer(page, number, side="left", total=15):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Question {number} of {total}")
    page.locator(f"button[value={side}]").click()


def test_from_consent_to_code(page, live_server, study, faults):
    begin(page, live_server)
    for number in range(1, 16):
        answer(page, number, "left" if number % 3 else "right")
    code = page.get_by_label("Your completion code")
    expect(code).to_have_value(study.appraisers.get().completion_code)
    assert Judgment.objects.filter(choice="right").count() == 5
    assert Judgment.objects.count() == 15


def test_it_all_works_without_javascript(new_context, live_server):
    StudyFactory(slug="short", questions_per_appraiser=3)
    page = new_context(java_script_enabled=False).new_page()
    begin(page, live_server, "short")
    for number in range(1, 4):
        answer(page, number, total=3)
    expect(page.get_by_label("Your completion code")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_reload_and_return_go_on_at_the_right_place(page, new_context, live_server, study):
    begin(page, live_server)
    answer(page, 1)
    answer(page, 2)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")
    link = page.url
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")
    other_device = new_context().new_page()
    other_device.goto(link)
    expect(other_device.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")


def test_going_back_shows_the_question_that_is_next(page, live_server, study):
    begin(page, live_server)
    answer(page, 1)
    answer(page, 2)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 3 of 15")
    assert Judgment.objects.count() == 2


def test_a_double_click_is_one_answer(page, live_server, study):
    """The second click may come when the next question stands there already."""
    begin(page, live_server)
    button = page.locator("button[value=left]")
    page.evaluate(HALF_SETTLED)
    box = button.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 1 of 15")
    assert not Judgment.objects.exists()
    page.evaluate("for (const settling of document.getAnimations()) settling.finish()")
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 2 of 15")
    assert Judgment.objects.count() == 1


def test_the_keyboard_reaches_the_question_past_the_profile(page, live_server, study):
    begin(page, live_server)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the question")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    for _ in range(3):  # two links to look the movie up, then its button
        page.keyboard.press("Tab")
    expect(page.locator("button[value=left]")).to_be_focused()


def test_the_private_link_can_be_copied(page, context, live_server, study, faults):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/s/films/consent/")
    page.get_by_role("button", name="I agree and take part").click()
    # It is said for two seconds only: whoever looks later than that has to be told.
    page.get_by_role("status").evaluate(
        "status => { window.told = new Promise((tell) => {"
        " const watch = new MutationObserver(() => tell(status.textContent));"
        " watch.observe(status, { childList: true }); }); }"
    )
    page.get_by_role("button", name="Copy link").click()
    assert page.evaluate("window.told") == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_each_movie_can_be_looked_up_in_a_new_tab(page, live_server, study):
    begin(page, live_server)
    looked_up = page.locator(".card").first.get_by_role("link", name=re.compile("IMDb"))
    assert looked_up.get_attribute("href").startswith("https://www.imdb.com/find/?q=Film+")
    assert looked_up.get_attribute("target") == "_blank"
