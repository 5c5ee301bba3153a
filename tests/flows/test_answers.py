"""Answers beyond left and right, in a real browser: third ones, more to say, a change of mind."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from survey.models import Appraiser, Judgment
from survey.services import joining
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.withdrawing import withdraw
from tests.factories import StudyFactory
from tests.flows.large_profile import rate_many
from tests.flows.settling import settle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVERYTHING = {
    "third_answer": "tie",
    "ask_familiarity": True,
    "ask_confidence": True,
    "ask_comment": True,
}
#: What was entered, as far as it is kept in the tab.
DRAFTS = "Object.keys(sessionStorage).filter((key) => key.startsWith('draft:'))"


@pytest.fixture
def start(live_server):
    """Somebody new in a study like this, some questions answered; the private address."""

    def begin(answered=0, **values):
        study = StudyFactory(**{"questions_per_appraiser": 3} | values)
        rate_many(study, 40)
        who, token = join_study(study=study)
        joining.mark_instructed(appraiser=who)
        for assignment in who.assignments.order_by("position")[:answered]:
            record_judgment(appraiser=who, assignment_key=assignment.key, choice="left")
        return f"{live_server.url}/a/{token}/"

    return begin


def expect_heading(page, words):
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def choices():
    return list(Judgment.objects.order_by("pk").values_list("choice", flat=True))


def test_a_tie_can_be_answered(page, start, faults):
    page.goto(start(third_answer="tie"))
    page.get_by_role("button", name="Both fit equally well or badly").click()
    expect_heading(page, "Question 2 of 3")
    settle(page)
    page.keyboard.press("0")
    expect_heading(page, "Question 3 of 3")
    assert choices() == ["tie", "tie"]


def test_the_third_answer_weighs_as_much_as_the_others(page, start):
    page.goto(start(third_answer="unsure"))
    looks = []
    for side in ("left", "right", "unsure"):
        button = page.locator(f"button[value={side}]")
        style = (
            "e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.font] }"
        )
        box = button.bounding_box()
        looks.append((button.evaluate(style), round(box["width"]), box["height"]))
    assert looks[0] == looks[1] == looks[2]


def test_the_third_answer_is_equally_near_to_both_movies(page, start):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(start(third_answer="tie"))
    left, third, right = (
        page.locator(f"button[value={side}]").bounding_box() for side in ("left", "tie", "right")
    )
    middle = third["x"] + third["width"] / 2
    assert middle == pytest.approx((left["x"] + right["x"] + right["width"]) / 2, abs=1)


def test_the_choice_and_each_extra_input_are_groups(page, start):
    page.goto(start(**EVERYTHING))
    choice = page.get_by_role("radiogroup", name="Which recommendation is more relevant")
    assert {radio.get_attribute("name") for radio in choice.get_by_role("radio").all()} == {
        "choice"
    }
    titles = page.locator(".card-title").all_inner_texts()
    for title, side in zip(titles, ("left", "right"), strict=True):
        known = page.get_by_role("group", name=f"How well do you know “{title}”?")
        names = [radio.get_attribute("name") for radio in known.get_by_role("radio").all()]
        assert names == [f"{side}_familiarity"] * 4


@pytest.mark.parametrize("size", [(1280, 720), (1366, 600), (360, 740), (320, 568)])
def test_the_way_on_is_in_sight_and_the_profile_too(page, start, size):
    """Where the question lies over the profile, it leaves two fifths of the screen."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(start(**EVERYTHING))
    page.locator("[name=choice]").first.check()
    expect(page.get_by_role("button", name="Next")).to_be_in_viewport(ratio=1)
    if size[0] < 900:
        assert page.locator(".question").bounding_box()["height"] <= 0.6 * size[1]
    page.get_by_label("Anything you want to add?").focus()
    bottom = page.locator("textarea").bounding_box()
    assert bottom["y"] + bottom["height"] <= page.locator(".next").bounding_box()["y"]


def test_key_0_does_nothing_without_a_third_answer(page, start, faults):
    page.goto(start())
    settle(page)
    page.keyboard.press("0")
    page.wait_for_timeout(200)
    expect_heading(page, "Question 1 of 3")
    assert choices() == []


def test_ada_changes_her_last_answer_and_continues(page, start, faults):
    page.goto(start(answered=1, changes="previous"))
    page.get_by_role("link", name="Change my last answer").click()
    expect_heading(page, "Question 1 of 3: change your answer")
    expect(page.locator("button[value=left]")).to_contain_text("Your answer: keep it")
    page.locator("button[value=right]").click()
    expect_heading(page, "Question 2 of 3")
    assert choices() == ["right"]
    assert Judgment.objects.get().revision == 2


def test_ada_looks_her_answers_over_before_they_are_final(page, start, faults):
    page.goto(start(answered=3, changes="finish", third_answer="tie"))
    expect_heading(page, "That was the last question.")
    page.get_by_role("link", name="Change the answer to question 2").click()
    page.get_by_role("button", name="Both fit equally well or badly").click()
    expect_heading(page, "That was the last question.")
    expect(page.get_by_role("listitem").nth(1)).to_contain_text("Both fit equally well or badly")
    page.get_by_role("button", name="These answers are final").click()
    expect(page.get_by_label("Your completion code")).to_be_visible()
    assert choices() == ["left", "tie", "left"]


def test_a_change_in_a_second_tab_is_not_undone_by_the_first(page, context, start):
    url = start(answered=1, changes="previous")
    other = context.new_page()
    for tab in (page, other):
        tab.goto(f"{url}answers/1/")
    page.locator("button[value=right]").click()
    expect_heading(page, "Question 2 of 3")
    other.locator("button[value=left]").click()
    expect_heading(other, "Question 2 of 3")
    assert choices() == ["right"]


def test_every_input_can_be_used_by_keyboard(page, start, faults):
    page.goto(start(**EVERYTHING))
    settle(page)
    page.keyboard.press("2")
    expect(page.locator("[name=choice][value=right]")).to_be_checked()
    page.keyboard.press("1")
    expect(page.locator("[name=choice][value=left]")).to_be_focused()
    for _ in range(3):  # two links to look the other movie up, then what is known of the first
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # the second of four
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("I saw 1 or 2 of them.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect_heading(page, "Question 2 of 3")
    kept = ("choice", "left_familiarity", "right_familiarity", "confidence", "comment")
    said = Judgment.objects.values_list(*kept).get()
    assert said == ("left", "known", "seen", 4, "I saw 1 or 2 of them.")
    assert Judgment.objects.get().client_at is not None


def test_a_digit_key_never_changes_the_extra_inputs(page, start):
    page.goto(start(**EVERYTHING))
    settle(page)
    page.keyboard.press("2")
    page.locator("[name=confidence]").first.focus()
    page.keyboard.press("1")
    expect(page.locator("[name=choice][value=right]")).to_be_checked()


def test_all_of_it_works_without_javascript(new_context, start):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(start(**EVERYTHING, changes="previous"))
    page.get_by_role("radio", name="Both fit equally well or badly").check()
    for side in ("left", "right"):
        page.locator(f"[name={side}_familiarity][value=unknown]").check()
    page.locator("[name=confidence][value='5']").check()
    page.get_by_label("Anything you want to add?").fill("Without a script.")
    page.get_by_role("button", name="Next").click()
    expect_heading(page, "Question 2 of 3")
    page.get_by_role("link", name="Change my last answer").click()
    expect(page.get_by_label("Anything you want to add?")).to_have_value("Without a script.")
    page.locator("[name=choice][value=left]").check()
    page.get_by_role("button", name="Keep this answer").click()
    expect_heading(page, "Question 2 of 3")
    assert choices() == ["left"]


def test_the_browser_asks_for_what_is_missing_before_anything_is_sent(page, start):
    page.goto(start(**EVERYTHING))
    settle(page)
    page.keyboard.press("1")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("[name=left_familiarity]").first).to_be_focused()
    expect_heading(page, "Question 1 of 3")


def test_a_connection_lost_at_the_click_loses_nothing_entered(page, context, start):
    page.goto(start(ask_confidence=True, ask_comment=True))
    page.get_by_text("This one").last.click()
    page.locator("#question").get_by_text("4", exact=True).click()
    page.get_by_label("Anything you want to add?").fill("Both are by the same director.")
    context.set_offline(True)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Anything you want to add?")).to_have_count(0)
    context.set_offline(False)
    page.go_back()
    expect(page.get_by_label("Anything you want to add?")).to_have_value(
        "Both are by the same director."
    )
    expect(page.locator("input[name=choice][value=right]")).to_be_checked()
    page.get_by_role("button", name="Next").click()
    expect_heading(page, "Question 2 of 3")
    expect(page.get_by_label("Anything you want to add?")).to_have_value("")
    answer = Judgment.objects.get()
    assert (answer.choice, answer.confidence) == ("right", 4)
    assert answer.comment == "Both are by the same director."


def test_what_was_corrected_survives_a_lost_connection_too(page, context, start):
    items = [
        {"name": "age", "text": "How old are you?", "kind": "number"},
        {"name": "taste", "text": "What do you like?", "kind": "text"},
    ]
    link = start(before=items)
    page.goto(link)
    page.get_by_label("How old are you?").fill("young")
    page.get_by_label("What do you like?").fill("Comedies.")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("What do you like?").fill("Comedies, and much else.")
    context.set_offline(True)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("What do you like?")).to_have_count(0)
    context.set_offline(False)
    page.goto(link)
    expect(page.get_by_label("What do you like?")).to_have_value("Comedies, and much else.")


def test_a_change_of_an_answer_survives_a_lost_connection_too(page, context, start):
    link = start(answered=1, changes="previous", ask_comment=True)
    page.goto(link)
    page.get_by_role("link", name="Change my last answer").click()
    expect_heading(page, "Question 1 of 3: change your answer")
    page.locator("[name=choice][value=right]").check()
    page.get_by_label("Anything you want to add?").fill("On second thoughts.")
    context.set_offline(True)
    page.get_by_role("button", name="Keep this answer").click()
    expect(page.get_by_label("Anything you want to add?")).to_have_count(0)
    context.set_offline(False)
    page.goto(f"{link}answers/1/")
    expect(page.get_by_label("Anything you want to add?")).to_have_value("On second thoughts.")
    expect(page.locator("input[name=choice][value=right]")).to_be_checked()


def test_nothing_entered_is_left_in_the_browser_at_the_end(page, start):
    page.goto(start(questions_per_appraiser=1, ask_comment=True))
    page.get_by_label("Anything you want to add?").fill("A thought.")
    page.get_by_text("This one").last.click()
    page.get_by_role("button", name="Next").click()
    expect_heading(page, "Thank you. That was all.")
    page.wait_for_load_state()  # the script that deletes drafts runs after the heading is shown
    assert page.evaluate(DRAFTS) == []


def test_nothing_entered_is_left_in_a_tab_whose_person_was_erased(page, start):
    link = start(ask_comment=True)
    page.goto(link)
    page.get_by_label("Anything you want to add?").fill("A thought.")
    withdraw(appraiser=Appraiser.objects.get())
    page.get_by_text("This one").last.click()
    page.get_by_role("button", name="Next").click()
    expect_heading(page, "There is nothing under this link.")
    page.wait_for_load_state()
    assert page.evaluate(DRAFTS) == []


def test_a_translated_page_says_so_with_the_answer(page, start):
    page.goto(start())
    page.evaluate("document.documentElement.lang = 'fr'")
    page.locator("button[value=left]").click()
    expect_heading(page, "Question 2 of 3")
    page.locator("button[value=left]").click()
    expect_heading(page, "Question 3 of 3")
    found = Judgment.objects.order_by("pk").values_list("page_language", flat=True)
    assert list(found) == ["fr", "en-gb"]


def test_the_room_for_a_comment_is_counted(page, start, faults):
    page.goto(start(ask_comment=True))
    page.locator("[name=choice]").first.check()
    page.get_by_label("Anything you want to add?").fill("x" * 990)
    expect(page.get_by_text("Room for 1,010 more characters.")).to_be_visible()


def test_a_question_comes_again_with_its_sides_swapped(page, start):
    page.goto(start(questions_per_appraiser=4, n_repeats=1))
    pairs = []
    for number in range(1, 6):
        expect_heading(page, f"Question {number} of 5")
        pairs.append(page.locator(".card-title").all_inner_texts())
        page.locator("button[value=left]").click()
    expect(page.get_by_label("Your completion code")).to_be_visible()
    who = Appraiser.objects.get()
    again = who.assignments.get(kind="repeat")
    first = who.assignments.get(kind="main", question=again.question)
    assert pairs[again.position - 1] == pairs[first.position - 1][::-1]


# -- for everybody ---------------------------------------------------------------------------------

STATES = {
    "third": {"third_answer": "tie", "changes": "previous", "answered": 1},
    "practice": {"n_practice": 1},
    "after practice": {"n_practice": 1, "answered": 1},
    "everything": {**EVERYTHING, "changes": "finish", "answered": 1},
    "over": {"changes": "finish", "answered": 3},
}


def looks(page, url, found, name):
    for size in ({"width": 1280, "height": 800}, {"width": 320, "height": 568}):
        page.set_viewport_size(size)
        page.goto(url)
        if radios := page.locator("[name=choice][type=radio]").all():
            radios[0].check()
        report = Axe().run(page)
        if report.violations_count:
            found[f"{name} {size}"] = report.generate_report()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[f"{name} {size} width"] = "wider than the screen"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_option_looks_right_and_is_accessible(page, start, scheme):
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name, state in STATES.items():
        url = start(**state)
        looks(page, url, found, name)
        if "changes" in state:
            looks(page, f"{url}answers/1/", found, f"{name}, changing")
        if state.get("changes") == "finish":
            looks(page, f"{url}answers/", found, f"{name}, listed")
    looks(page, f"{start(answered=1)}answers/1/", found, "kept")
    assert found == {}


def test_every_target_is_large_enough_to_be_hit(page, start):
    """24 px each way, as WCAG 2.2 asks; a link in a line of text has the line's height."""
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(start(**EVERYTHING, changes="finish", answered=1))
    page.locator("[name=choice]").first.check()
    small = page.evaluate("""() => [...document.querySelectorAll(
        ".question button, .question label:has(input), .question textarea, .question a")]
      .map(e => [e.textContent.trim(), e.getBoundingClientRect()])
      .filter(([, box]) => box.height && Math.min(box.width, box.height) < 24)
      .map(([words, box]) => `${words}: ${box.width} x ${box.height}`)""")
    assert small == []


@pytest.mark.parametrize("size", [(360, 740), (640, 400), (1280, 800)])
@pytest.mark.parametrize("state", ["everything", "after practice"])
def test_the_focused_element_is_never_hidden_by_the_question(page, start, size, state):
    """640 x 400 is a screen of 1280 x 800 at 200 %."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(start(**STATES[state]))
    if radios := page.locator("[name=choice][type=radio]").all():
        radios[0].check()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.locator(".profile a").first.focus()
    hidden = []
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden += page.evaluate("""() => {
          const e = document.activeElement, box = e.getBoundingClientRect();
          const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          const own = [e, ...(e.labels ?? [])];
          const seen = at && own.some(part => part.contains(at) || at.contains(e));
          return seen ? [] : [e.outerHTML.slice(0, 80)];
        }""")
    assert hidden == []


def test_a_choice_moves_nothing_under_the_hand(page, start):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(start(**EVERYTHING))
    settle(page)
    page.evaluate("scrollTo(0, 500)")
    settle(page)
    page.evaluate("window.row = document.elementFromPoint(100, 60).closest('li, section')")
    before = page.evaluate("row.getBoundingClientRect().top")
    page.locator("label.pick").first.click()
    expect(page.locator("[name=confidence]").first).to_be_visible()
    page.keyboard.press("Tab")
    settle(page)
    assert page.evaluate("row.getBoundingClientRect().top") == pytest.approx(before, abs=1)


def test_the_selection_is_visible_with_forced_colours(page, start):
    page.emulate_media(forced_colors="active")
    page.goto(start(**EVERYTHING))
    page.locator("[name=choice]").first.check()
    outline = "e => getComputedStyle(e).outlineStyle"
    assert page.locator("label.pick").first.evaluate(outline) == "solid"
    assert page.locator("label.pick").nth(1).evaluate(outline) == "none"
