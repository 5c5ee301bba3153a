"""What a screen reader says of a profile: every part by its role and its name."""

import re

import pytest
from playwright.sync_api import expect

from survey.services.joining import join_study, mark_instructed
from tests.flows.large_profile import rate_many

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def profile(page, live_server, study, faults):
    """The first question's profile of 40 movies."""
    rate_many(study, 40)
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    page.goto(f"{live_server.url}/a/{token}/")
    return page.get_by_role("region", name="This person’s movies", exact=True)


def test_the_profile_is_a_region_with_its_name_and_headings(profile):
    headings = profile.get_by_role("heading").all_inner_texts()
    assert headings[:5] == [
        "This person’s movies", "Best genres", "Worst genres", "Best decades", "Worst decades",
    ]  # fmt: skip
    expect(profile.get_by_role("heading", name=re.compile(r"^5 stars ?2 movies$"))).to_be_visible()


def test_the_bars_are_a_navigation_whose_links_say_stars_and_movies_once(profile):
    bars = profile.get_by_role("navigation", name="How the stars are spread", exact=True)
    expect(bars.get_by_role("link", name="5 stars: 2 movies", exact=True)).to_be_visible()
    expect(bars.get_by_role("link", name="1 star: 1 movie", exact=True)).to_be_visible()


def test_a_genre_is_a_list_item_with_its_figures_in_words(profile):
    best = profile.get_by_role("list").first
    expect(best).to_match_aria_snapshot("""
      - list:
        - listitem: /^Film.Noir 3.8 stars on average, 12 movies$/
    """)


def test_the_tools_are_a_search_whose_fields_have_names(profile):
    tools = profile.get_by_role("search", name="This person’s movies", exact=True)
    expect(tools.get_by_role("searchbox", name="Search the titles", exact=True)).to_be_visible()
    for name in ("Genre", "Decade", "Order"):
        expect(tools.get_by_role("combobox", name=name, exact=True)).to_be_visible()


def test_the_links_of_a_movie_say_where_they_lead(profile):
    row = profile.get_by_role("listitem").filter(has_text="Night of Amélie 16")
    expect(row.get_by_role("link")).to_have_count(2)
    expect(row.get_by_role("link", name="Night of Amélie 16", exact=True)).to_be_visible()
    expect(
        row.get_by_role("link", name="Night of Amélie 16 on IMDb (new tab)", exact=True)
    ).to_be_visible()
