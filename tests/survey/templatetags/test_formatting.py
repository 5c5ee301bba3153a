"""How numbers are read out on pages."""

from urllib.parse import parse_qs, urlsplit

import pytest

from recommender.models import Dataset, Item
from survey.templatetags import formatting


@pytest.mark.parametrize(
    ("stars", "halves"), [(5, 10), (4.5, 9), (0.5, 1), (3.3, 7), (0.1, 1), (7, ""), (10, "")]
)
def test_stars_are_drawn_in_halves_on_a_scale_of_five(stars, halves):
    assert formatting.half_stars(stars) == halves


def test_one_star_is_singular():
    assert [formatting.stars_in_words(stars) for stars in (1.0, 4.5)] == ["1 star", "4.5 stars"]


@pytest.mark.parametrize(
    ("title", "main", "rest"),
    [("Alien", "Alien", ""), ("Amelie (Le fabuleux destin)", "Amelie", "(Le fabuleux destin)")],
)
def test_alternative_titles_are_separated(title, main, rest):
    assert (formatting.without_aside(title), formatting.aside(title)) == (main, rest)


@pytest.mark.parametrize(
    ("words", "said"),
    [([], ""), (["War"], "War"), (["War", "Crime", "Drama"], "War, Crime and Drama")],
)
def test_words_are_listed_as_in_a_sentence(words, said):
    assert formatting.listed(words) == said


def test_a_genre_is_never_broken_at_its_hyphen():
    assert formatting.genres(["Drama", "Sci-Fi"]) == "Drama, Sci\u2011Fi"


def test_a_percentage_keeps_its_sign_on_the_line():
    assert formatting.percent(0.71667) == "71.7\u202f%"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (8, "8 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_duration_is_in_the_two_largest_units(seconds, said):
    assert formatting.duration(seconds) == said


@pytest.mark.parametrize(
    "read",
    [
        formatting.percent,
        formatting.figure,
        formatting.duration,
        formatting.plain,
        formatting.memory,
        formatting.format_count,
        formatting.percent_only,
    ],
)
def test_unknown_values_are_a_dash(read):
    assert read(None) == "–"


def test_a_tiny_p_value_is_not_printed_as_zero():
    assert [formatting.p_value(p) for p in (0.00004, 0.0312)] == ["below 0.001", "0.031"]


def test_links_search_for_the_first_title_and_the_year():
    movie = Item(title="Das Boot (The Boat)", year=1981)
    (_, web), (_, imdb) = formatting.look_up_addresses(movie, Dataset())
    web, imdb = urlsplit(web), urlsplit(imdb)
    assert (web.hostname, parse_qs(web.query)) == ("www.google.com", {"q": ["Das Boot 1981 movie"]})
    assert (imdb.hostname, parse_qs(imdb.query)) == ("www.imdb.com", {"q": ["Das Boot 1981"]})


def test_a_link_leads_to_the_exact_page_where_the_id_is_known():
    movie = Item(title="Das Boot", external_ids={"imdb": "tt0082096"})
    assert dict(formatting.look_up_addresses(movie, Dataset()))["IMDb"] == (
        "https://www.imdb.com/title/tt0082096/"
    )
    book = Item(title="Emma", external_id="0141439580")
    assert dict(formatting.look_up_addresses(book, Dataset(item_kind="book")))["Open Library"] == (
        "https://openlibrary.org/isbn/0141439580"
    )
