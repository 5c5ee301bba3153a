"""What a data set calls its items, and where it looks them up."""

import pytest

from recommender.core.errors import ConfigurationError
from recommender.naming import KINDS, LINKS, look_up, parse_link, parse_words


def test_every_kind_has_words_in_every_language_and_possible_links():
    assert {tuple(words) for words in KINDS.values()} == {("en", "de", "es", "zh-hans")}
    assert LINKS.keys() == KINDS.keys()
    for name, template in (link for links in LINKS.values() for link in links):
        assert parse_link(f"{name}={template}") == (name, template)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("podcast,podcasts", {"en": ("podcast", "podcasts")}),
        ("de=Podcast, Podcasts", {"de": ("Podcast", "Podcasts")}),
    ],
)
def test_own_words_are_of_a_language_or_of_all(text, words):
    assert parse_words(text) == words


@pytest.mark.parametrize("text", ["", "podcast", "a,b,c", "a,", "fr=a,b", "a\x00,b"])
def test_other_words_are_refused(text):
    with pytest.raises(ConfigurationError, match="podcast,podcasts"):
        parse_words(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("IMDb", "https://"),
        ("=https://a.example/{title}", "name"),
        ("A=http://a.example/{title}", "https://"),
        ("A=javascript:alert(1)", "https://"),
        ("A=https://{title}.example/", "https://"),
        ("A=https://a.example/{author}", "{author} is not known"),
        ("A=https://a.example/{}", "{} is not known"),
    ],
)
def test_an_impossible_link_is_refused(text, problem):
    with pytest.raises(ConfigurationError) as refused:
        parse_link(text)
    assert problem in str(refused.value)


def test_the_first_template_of_a_name_whose_values_are_known_counts():
    links = [("A", "https://a.example/{imdb}"), ("A", "https://a.example/?q={title}+{year}")]
    assert look_up(links, {"imdb": "tt1", "title": "x", "year": "1"}) == {
        "A": "https://a.example/tt1"
    }
    assert look_up(links, {"imdb": "", "title": "a/b c&d", "year": "1"}) == {
        "A": "https://a.example/?q=a%2Fb+c%26d+1"
    }
    assert look_up(links, {"title": "x"}) == {}


def test_a_value_in_a_path_stays_one_part_of_it():
    assert look_up([("A", "https://a.example/{title}/x")], {"title": "a/../b c"}) == {
        "A": "https://a.example/a%2F..%2Fb%20c/x"
    }
