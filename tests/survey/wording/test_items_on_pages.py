"""No page calls a book a movie, in any language."""

import re
from html import unescape

import pytest
from django.test import Client

from recommender.models import Dataset
from survey.protocol.fields import LANGUAGES, Protocol
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.withdrawing import withdraw
from survey.wording.of_study import StudyTexts, write_texts
from tests.factories import StudyFactory
from tests.flows.large_profile import rate_many

pytestmark = pytest.mark.django_db

MOVIE = re.compile(r"movie|\bfilm|películ|电影|imdb", re.IGNORECASE)
ASKED = Protocol(ask_familiarity=True, ask_comment=True, n_checks=1, checks_to_pass=1)


def words(response):
    page = re.sub(r"<(script|link|style)[^>]*>", "", response.content.decode())
    page = re.sub(r'\b(class|id|for|name|href|value)="[^"]*"', "", page)
    return unescape(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "naming", [{"item_kind": "book"}, {"item_words": {"en": ["podcast", "podcasts"]}}]
)
def test_no_page_of_other_items_mentions_movies(naming, language):
    texts = write_texts(StudyTexts(), questions=3, protocol=ASKED, about_movies=False)
    study = StudyFactory(
        slug="other",
        questions_per_appraiser=3,
        **dict(ASKED) | texts.given | {"translations": texts.translations},
    )
    rate_many(study, 40)
    Dataset.objects.filter(pk=study.dataset_id).update(**naming)
    for item in study.dataset.items.all():
        item.title, item.genres = item.title.replace("Film", "Volume"), ["Drama"]
        item.save(update_fields=["title", "genres"])
    client = Client(headers={"Accept-Language": language})
    pages = [client.get("/s/other/"), client.get("/s/other/consent/")]
    who, token = join_study(study=study, language=language)
    url = f"/a/{token}/"
    pages.append(client.get(url))
    mark_instructed(appraiser=who)
    pages.append(client.get(url))
    pages.append(client.post(f"{url}answer/", {}))
    for assignment in who.assignments.order_by("position"):
        other = "right" if assignment.expected == "left" else "left"
        record_judgment(appraiser=who, assignment_key=assignment.key, choice=other)
    pages += [client.get(url), client.get(f"{url}withdraw/")]
    withdraw(appraiser=who)
    found = [MOVIE.findall(words(page)) for page in pages]
    assert found == [[]] * len(pages)
