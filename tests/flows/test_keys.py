"""Judging by keyboard alone, and only when it is meant."""

import pytest
from playwright.sync_api import expect

from survey.models import Judgment
from survey.services.joining import join_study, mark_instructed
from tests.flows.large_profile import rate_many
from tests.flows.settling import settle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def question(study):
    rate_many(study, 40)
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    return f"/a/{token}/"


@pytest.fixture
def judging(page, live_server, question, faults):
    """The first question, long enough on the screen for keys to count."""
    page.goto(live_server.url + question)
    settle(page)
    return page


def expect_question(page, number):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Question {number} of 15")


def choices():
    return list(Judgment.objects.order_by("pk").values_list("choice", flat=True))


def test_a_whole_study_can_be_judged_with_two_keys(judging):
    for number in range(1, 16):
        expect_question(judging, number)
        settle(judging)
        judging.keyboard.press("2" if number % 3 else "1")
    expect(judging.get_by_label("Your completion code")).to_be_visible()
    assert choices().count("left") == 5
    assert len(choices()) == 15


def test_arrows_move_between_the_cards_and_enter_chooses(judging):
    left, right = (judging.locator(f"button[value={side}]") for side in ("left", "right"))
    judging.keyboard.press("ArrowRight")
    expect(right).to_be_focused()
    judging.keyboard.press("ArrowLeft")
    expect(left).to_be_focused()
    judging.keyboard.press("ArrowRight")
    judging.keyboard.press("Enter")
    expect_question(judging, 2)
    assert choices() == ["right"]


def test_switched_off_keys_stay_off_on_the_next_page(judging, live_server):
    judging.get_by_role("checkbox", name="Keys").uncheck()
    for page_again in (False, True):
        if page_again:
            judging.reload()
            settle(judging)
        judging.keyboard.press("1")
        judging.keyboard.press("ArrowLeft")
        judging.wait_for_timeout(200)
        expect(judging.locator("button[value=left]")).not_to_be_focused()
        expect_question(judging, 1)
    assert choices() == []
    judging.get_by_role("checkbox", name="Keys").check()
    judging.keyboard.press("1")
    expect_question(judging, 2)


@pytest.mark.parametrize("field", ["searchbox", "combobox"])
def test_a_digit_in_a_field_is_a_digit(judging, field):
    judging.get_by_role(field).first.focus()
    for key in ("1", "2", "ArrowRight"):
        judging.keyboard.press(key)
    judging.wait_for_timeout(200)
    expect(judging.get_by_role(field).first).to_be_focused()
    assert choices() == []


@pytest.mark.parametrize("key", ["Control+1", "Alt+2", "0", "3"])
def test_other_keys_answer_nothing(judging, key):
    judging.keyboard.press(key)
    judging.wait_for_timeout(200)
    expect_question(judging, 1)
    assert choices() == []


def test_a_key_pressed_twice_or_held_answers_one_question(judging):
    on_the_way = []

    def hold(route):
        on_the_way.append(route)

    judging.route("**/a/**", hold, times=1)
    with judging.expect_request("**/a/**"):
        judging.keyboard.press("1")
    judging.keyboard.press("1")
    judging.keyboard.down("1")
    judging.keyboard.down("1")
    on_the_way[0].continue_()
    expect_question(judging, 2)
    judging.keyboard.down("1")  # still held while the next question shows
    settle(judging)
    judging.keyboard.down("1")
    judging.wait_for_timeout(200)
    expect_question(judging, 2)
    assert choices() == ["left"]


def test_a_key_counts_only_when_the_question_has_been_seen(page, live_server, question):
    page.add_init_script(
        # Behind what the page itself does when it is shown, and in the same moment.
        "window.pressed = new Promise((done) => {"
        " addEventListener('load', () => addEventListener('pageshow', () => {"
        " const press = new KeyboardEvent('keydown', { key: '1', bubbles: true });"
        " done(document.body.dispatchEvent(press)); })); })"
    )
    page.goto(live_server.url + question)
    assert page.evaluate("window.pressed")
    page.wait_for_timeout(300)
    expect_question(page, 1)
    assert choices() == []


def test_a_touch_screen_has_neither_hint_nor_keys(new_context, live_server, question):
    screen = {"width": 360, "height": 740}
    page = new_context(has_touch=True, is_mobile=True, viewport=screen).new_page()
    page.goto(live_server.url + question)
    settle(page)
    expect(page.locator("[data-keys]")).to_be_hidden()
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    expect_question(page, 1)
    page.locator("button[value=left]").tap()
    expect_question(page, 2)
