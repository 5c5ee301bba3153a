"""Profiles are made once for everybody, and only as many are kept as there is room for."""

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from survey.selectors.question import question_page
from survey.services.joining import begin
from survey.views.profile_cache import Fragments, profile_html, profiles


def keep(fragments, key, length=4):
    return fragments.get(key, lambda: SafeString(str(key) * length))


def made(fragments, key):
    """Whether it has to be made (anew)."""
    calls = []
    fragments.get(key, lambda: calls.append(key) or SafeString("made"))
    return bool(calls)


def test_what_is_kept_is_not_made_again():
    fragments = Fragments(room=100)
    assert keep(fragments, "a") == "aaaa"
    assert not made(fragments, "a")


def test_the_least_recently_used_go_first():
    fragments = Fragments(room=12)
    for key in "abc":
        keep(fragments, key)
    keep(fragments, "a")
    keep(fragments, "d")
    assert list(fragments.kept) == ["c", "a", "d"]
    assert fragments.used == 12


def test_what_is_larger_than_the_room_is_not_kept():
    fragments = Fragments(room=12)
    keep(fragments, "a")
    assert keep(fragments, "b", 13) == "b" * 13
    assert list(fragments.kept) == ["a"]


@pytest.mark.django_db
def test_a_profile_is_kept_for_each_language(study, ada, django_assert_num_queries):
    question = question_page(ada.appraiser).question_id
    html = {}
    for language in ("en-gb", "de"):
        with translation.override(language), django_assert_num_queries(2):
            html[language] = profile_html(study, question)
        with translation.override(language), django_assert_num_queries(0):
            assert profile_html(study, question) == html[language]
    assert len(profiles.kept) == 2


@pytest.mark.django_db
def test_nothing_of_a_person_or_a_side_is_in_what_is_kept(client, ada):
    begin(appraiser=ada.appraiser)
    page = question_page(ada.appraiser)
    client.get(ada.url)
    (html,) = profiles.kept.values()
    for secret in (ada.token, page.assignment_key, page.shown, "csrf"):
        assert secret not in html
