"""The judging page on rating scales other than stars, and its height while it is scrolled."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from recommender.models import Item
from survey.scales import RatingScale
from survey.services.joining import join_study, mark_instructed
from tests.flows.large_profile import rate_many

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STARS = RatingScale(0.5, 5, 0.5)
GAMES, PERCENT, JOKES = RatingScale(1, 10, 0.01), RatingScale(0, 100, 1), RatingScale(-10, 10, 0.01)
SCALES = pytest.mark.parametrize(
    "scale", [GAMES, PERCENT, JOKES], ids=["games", "percent", "jokes"]
)
WIDTHS = (320, 390, 1280, 1920)
#: Elements of the profile that reach out of its column, by their words.
OUTSIDE = """() => {
  const profile = document.querySelector(".profile").getBoundingClientRect();
  return [...document.querySelectorAll(".profile :not(.visually-hidden, wbr)")]
    .filter(one => one.checkVisibility() && !one.closest(".visually-hidden"))
    .filter(one => {
      const { left, right } = one.getBoundingClientRect();
      return left < profile.left - 0.5 || right > profile.right + 0.5 ||
        one.matches(".spread a, h3, .movie-stars") && one.scrollWidth > one.clientWidth + 1;
    })
    .map(one => `${one.tagName} ${one.className} ${one.textContent}`);
}"""
#: The heights of the page on the way down, by steps of half a screen, and on the way up.
HEIGHTS = """async () => {
  const found = new Set();
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const step = innerHeight / 2;
  for (let top = 0; top < document.documentElement.scrollHeight; top += step) {
    scrollTo(0, top);
    await drawn();
    found.add(document.documentElement.scrollHeight);
  }
  scrollTo(0, 0);
  await drawn();
  found.add(document.documentElement.scrollHeight);
  return [...found];
}"""


@pytest.fixture
def visit(page, live_server, study, faults):
    """Open a first question whose profile has that many movies on that scale."""

    def open_question(scale, n_movies):
        rate_many(study, n_movies, scale)
        for movie in Item.objects.filter(external_id__regex=r"^large-\d*3$"):
            movie.title += " and the Long Way Home from the Other End of the Street"
            movie.save()
        appraiser, token = join_study(study=study)
        mark_instructed(appraiser=appraiser)
        page.goto(f"{live_server.url}/a/{token}/")
        return page.locator(".profile")

    return open_question


def shown(profile):
    """The ratings of all rows, when all of them are in their place."""
    expect(profile).not_to_have_attribute("aria-busy", "true")
    marks = profile.locator("li:not([hidden]) > .movie-stars").all_text_contents()
    return [float(mark.replace("\u2212", "-")) for mark in marks]


@SCALES
def test_nothing_runs_out_of_its_column(page, visit, scale):
    visit(scale, 120)
    page.get_by_text("All genres and decades").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(OUTSIDE) == [], width


@SCALES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_headings_are_few_and_for_everybody(page, visit, scale, scheme):
    page.emulate_media(color_scheme=scheme)
    profile = visit(scale, 120)
    bars, headings = profile.locator(".spread a"), profile.locator(".star-group h3")
    assert 2 < bars.count() == headings.count() <= 10
    assert "star" not in profile.inner_text()
    assert Axe().run(page).violations_count == 0


@SCALES
def test_each_movie_of_a_bin_shows_its_rating_in_either_order(visit, scale):
    profile = visit(scale, 120)
    first = shown(profile)
    assert len(set(first)) > 20
    assert first == sorted(first, reverse=True)
    profile.get_by_role("combobox", name="Order").select_option("Worst rated")
    assert shown(profile) == sorted(first)
    profile.get_by_role("combobox", name="Order").select_option("Title")
    assert sorted(shown(profile)) == sorted(first)
    profile.get_by_role("searchbox").fill("amelie")
    assert 0 < len(shown(profile)) < 120


def test_a_bar_leads_to_the_movies_of_its_bin(visit):
    profile = visit(JOKES, 120)
    profile.get_by_role("link", name=re.compile("^0 to 2 on a scale from −10 to 10: ")).click()
    heading = profile.get_by_role("heading", name=re.compile("^0 to 2 on a scale"))
    expect(heading).to_be_in_viewport()


def test_rows_scroll_behind_the_heading_of_their_group(page, visit):
    page.set_viewport_size({"width": 1280, "height": 800})
    heading = visit(STARS, 240).locator(".star-group h3").first
    heading.evaluate("h3 => scrollTo(0, h3.getBoundingClientRect().top + 100)")
    on_top = """h3 => {
      const { left, top, height } = h3.getBoundingClientRect();
      return document.elementFromPoint(left + 4, top + height / 2).closest("h3") === h3;
    }"""
    assert heading.evaluate(on_top)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", [STARS, GAMES], ids=["stars", "games"])
def test_the_page_keeps_its_height_while_it_is_scrolled(page, visit, scale, width):
    page.set_viewport_size({"width": width, "height": 800})
    visit(scale, 240)
    assert len(page.evaluate(HEIGHTS)) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_profile_keeps_its_height_once_it_is_measured(page, visit, width):
    page.set_viewport_size({"width": width, "height": 800})
    profile = visit(GAMES, 900)
    measured(profile)
    assert len(page.evaluate(HEIGHTS)) == 1
    profile.get_by_role("combobox", name="Order").select_option("Title")
    measured(profile)
    assert len(page.evaluate(HEIGHTS)) == 1


def measured(profile):
    """Wait until all groups are; the gauge is there meanwhile."""
    expect(profile).to_have_class(re.compile("with-tools"))
    expect(profile).not_to_have_attribute("aria-busy", "true")
    expect(profile.locator(".gauge")).to_have_count(0)
