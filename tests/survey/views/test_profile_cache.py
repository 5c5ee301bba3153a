"""Profiles are rendered once for all appraisers."""

from unittest.mock import patch

import pytest
from django.utils import translation

from survey.selectors.question import question_page
from survey.services.joining import mark_instructed
from survey.views import profile_cache
from survey.views.profile_cache import profile_html


@pytest.mark.django_db
def test_a_profile_is_kept_for_each_language(study, ada, django_assert_num_queries):
    question = question_page(ada.appraiser)["question_id"]
    html = {}
    for language in ("en-gb", "de"):
        with translation.override(language), django_assert_num_queries(2):
            html[language] = profile_html(study, question)
        with translation.override(language), django_assert_num_queries(0):
            assert profile_html(study, question) == html[language]


@pytest.mark.django_db
def test_a_profile_has_the_nouns_and_links_that_its_data_set_has_now(study, ada):
    question = question_page(ada.appraiser)["question_id"]
    translation.activate("en-gb")
    assert "books" not in profile_html(study, question)
    study.dataset.item_kind = "book"
    assert "books" in profile_html(study, question)
    study.dataset.links = [["Shop", "https://shop.example/?q={title}"]]
    assert "https://shop.example/?q=" in profile_html(study, question)


@pytest.mark.django_db
def test_a_title_without_an_address_is_no_link(study, ada):
    question = question_page(ada.appraiser)["question_id"]
    study.dataset.links = [["Shop", "https://shop.example/{isbn}"]]
    html = profile_html(study, question)
    assert 'href=""' not in html
    assert '<span class="movie-title">' in html


@pytest.mark.django_db
def test_nothing_of_a_person_or_a_side_is_in_what_is_kept(client, study, ada):
    mark_instructed(appraiser=ada.appraiser)
    page = question_page(ada.appraiser)
    client.get(ada.url)
    with patch.object(profile_cache, "_render", side_effect=AssertionError("rendered again")):
        html = profile_cache.profile_html(study, page["question_id"])
    for secret in (ada.token, page["assignment_key"], page["shown"], "csrf"):
        assert secret not in html


@pytest.mark.django_db
def test_a_profile_is_rendered_although_redis_is_away(settings, study, ada):
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache"}
    settings.CACHES = settings.CACHES | {"profiles": away | {"LOCATION": "redis://127.0.0.1:9"}}
    assert "profile" in profile_html(study, question_page(ada.appraiser)["question_id"])
