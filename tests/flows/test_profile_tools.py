"""Finding one's way in a stranger's 240 movies: search, filter, order."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from survey.services.joining import join_study, mark_instructed
from tests.flows.large_profile import rate_many

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALLEST = {"width": 320, "height": 568}


@pytest.fixture
def question(study):
    """The private link of somebody whose first question has a profile of 240 movies."""
    rate_many(study, 240)
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    return f"/a/{token}/"


@pytest.fixture
def profile(page, live_server, question, faults):
    page.goto(live_server.url + question)
    return page.locator(".profile")


def shown(profile):
    """The movies that are left, when all of them are in their place."""
    expect(profile).not_to_have_attribute("aria-busy", "true")
    return profile.locator(".movies > li:not([hidden])")


def headings(profile):
    expect(profile).not_to_have_attribute("aria-busy", "true")
    return [
        text.strip() for text in profile.locator(".star-group:not([hidden]) h3").all_text_contents()
    ]


def stars(profile):
    return [float(re.match(r"[\d.]+", text)[0]) for text in headings(profile)]


def test_a_title_is_found_without_accents_and_announced(profile):
    profile.get_by_role("searchbox", name="Search the titles").fill("amelie night")
    expect(shown(profile)).to_have_count(4)
    expect(profile.get_by_role("status")).to_have_text("4 of 240 movies")
    expect(profile.get_by_role("link", name="Night of Amélie 16", exact=True)).to_be_visible()


def test_filters_by_genre_and_decade_are_combined(profile):
    profile.get_by_role("combobox", name="Genre").select_option("Film-Noir")
    in_genre = shown(profile).count()
    profile.get_by_role("combobox", name="Decade").select_option("1990s")
    both = shown(profile)
    assert 0 < both.count() < in_genre < 240
    for row in both.all_text_contents():
        assert "Film‑Noir" in row
        assert re.search(r"\b199\d\b", row)


def test_groups_stay_while_the_order_is_by_stars(profile):
    assert stars(profile) == sorted(stars(profile), reverse=True)
    profile.get_by_role("searchbox").fill("river")
    expect(profile.locator(".star-group:not([hidden]) .group-count").first).to_have_text(
        re.compile(r"^\d+ of \d+$")
    )
    profile.get_by_role("combobox", name="Order").select_option("Fewest stars")
    assert stars(profile) == sorted(stars(profile))
    expect(shown(profile)).to_have_count(30)


def test_sorted_by_title_movies_are_grouped_by_letter_with_their_stars(profile):
    profile.get_by_role("combobox", name="Order").select_option("Title")
    letters = [text[0] for text in headings(profile)]
    assert letters == ["G", "L", "N", "O", "P", "R", "S", "W"]
    titles = shown(profile).locator(".movie-title").all_text_contents()
    folded = [title.lower().replace("é", "e") for title in titles]
    assert folded == sorted(folded)
    assert re.match(r"[\d.]+\s*Garden of", shown(profile).first.text_content())
    expect(profile.get_by_role("status")).to_have_text("All 240 movies. Order: Title.")


@pytest.mark.parametrize(("order", "backwards"), [("Newest", True), ("Oldest", False)])
def test_sorted_by_year_movies_are_grouped_by_decade(profile, order, backwards):
    profile.get_by_role("combobox", name="Order").select_option(order)
    years = [int(year) for year in shown(profile).locator(".movie-year").all_text_contents()]
    assert years == sorted(years, reverse=backwards)
    assert len(headings(profile)) == 9
    profile.get_by_role("combobox", name="Order").select_option("Most stars")
    assert stars(profile) == sorted(stars(profile), reverse=True)
    expect(shown(profile)).to_have_count(240)


def test_a_search_without_results_says_so_and_is_reset_by_one_button(profile):
    search = profile.get_by_role("searchbox")
    search.fill("no such movie")
    expect(profile.get_by_role("status")).to_have_text("Nothing found among 240 movies.")
    expect(shown(profile)).to_have_count(0)
    profile.get_by_role("button", name="Show all movies").click()
    expect(shown(profile)).to_have_count(240)
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    expect(profile.get_by_role("button", name="Show all movies")).to_be_hidden()


def test_enter_in_the_search_field_leaves_the_page_as_it_is(page, profile):
    address = page.url
    profile.get_by_role("searchbox").fill("river")
    page.keyboard.press("Enter")
    expect(shown(profile)).to_have_count(30)
    assert page.url == address


def test_a_bar_leads_to_its_stars_whatever_was_searched_and_sorted(profile):
    profile.get_by_role("combobox", name="Order").select_option("Title")
    profile.get_by_role("searchbox").fill("no such movie")
    profile.get_by_role("link", name="1 star:").click()
    expect(profile.get_by_role("heading", name=re.compile("^1 star"))).to_be_in_viewport()
    expect(shown(profile)).to_have_count(240)


def test_a_search_from_far_down_scrolls_to_the_results(page, profile):
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    profile.get_by_role("searchbox").fill("winter")
    expect(shown(profile).first).to_be_in_viewport()


def test_without_javascript_the_numbers_are_shown_and_the_tools_are_hidden(
    new_context, live_server, question
):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(live_server.url + question)
    best = page.locator(".tastes section").filter(has_text="Best genres")
    expect(best.get_by_role("listitem").first).to_contain_text("Film-Noir")
    page.get_by_text("All genres and decades").click()
    expect(page.get_by_text("Genres, best rated first")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.locator(".movies > li")).to_have_count(240)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("found", ["amelie", "no such movie"])
def test_the_tools_are_for_everybody_on_every_screen(page, profile, scheme, found):
    page.emulate_media(color_scheme=scheme)
    page.get_by_text("All genres and decades").click()
    profile.get_by_role("combobox", name="Order").select_option("Newest")
    profile.get_by_role("searchbox").fill(found)
    for screen in ({"width": 1280, "height": 800}, SMALLEST):
        page.set_viewport_size(screen)
        report = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}})
        assert report.violations_count == 0, report.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_field_with_the_focus_is_not_behind_the_question_on_a_small_screen(page, profile):
    page.set_viewport_size(SMALLEST)
    search = profile.get_by_role("searchbox")
    page.evaluate("scrollTo(0, 0)")
    while not search.evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    field, dock = search.bounding_box(), page.locator("#question").bounding_box()
    assert field["y"] + field["height"] <= dock["y"]


def test_on_a_small_screen_the_results_are_above_the_question(page, profile):
    page.set_viewport_size(SMALLEST)
    profile.get_by_role("searchbox").fill("winter")
    first = shown(profile).first.bounding_box()
    assert first["y"] + first["height"] <= page.locator("#question").bounding_box()["y"]
    expect(profile.get_by_role("searchbox")).to_be_in_viewport(ratio=1)
