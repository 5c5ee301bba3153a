"""All bytes that an appraiser ever gets: no name of a system, no number of a row, no score, no lot.

Everything secret in this study is a word or a number that stands nowhere else.
"""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from recommender.models import Recommendation
from survey.models import Appraiser, Arm, Assignment, Question, UploadedRecommendation
from tests.factories import StudyFactory, TrainedModelFactory
from tests.survey.form_data import fields, named, without_drawn

pytestmark = pytest.mark.django_db

SCORE, SEED, ROW = 3.1415926, 271828182, 770_000
AGE = {"name": "age", "text": "How old are you?", "kind": "number"}


@pytest.fixture
def study():
    """Three arms, one of them uploaded, and everything that a study may ask for."""
    study = StudyFactory(
        slug="secret",
        pk=ROW + 1,
        seed=SEED,
        arms=False,
        questions=False,
        questions_per_appraiser=6,
        third_answer="tie",
        ask_familiarity=True,
        ask_confidence=True,
        ask_comment=True,
        changes="finish",
        n_practice=1,
        n_checks=1,
        n_repeats=1,
        before=[AGE],
        after=[{**AGE, "name": "mood"}],
    )
    arms = []
    for place, system in enumerate(("autoencoder", "user-knn")):
        made = TrainedModelFactory(pk=ROW + 10 + place, dataset=study.dataset, system=system)
        arms.append(
            Arm(pk=ROW + 20 + place, position=place, label=f"Quokka {place}", trained_model=made)
        )
    arms.append(Arm(pk=ROW + 22, position=2, label="Quokka 2", upload_name="wombat"))
    arms[2].upload_checksum = "5ca1ab1e" * 8
    for arm in arms:
        arm.study = study
        arm.save()
    movies = list(study.dataset.items.order_by("position"))
    for number in range(1, 13):
        first, second = ((0, 1), (0, 2), (1, 2))[number % 3]
        question = Question(pk=ROW + 100 + number, study=study, number=number, user=88_000 + number)
        question.profile = [[movie.pk, 4.0] for movie in movies[10:16]]
        question.first_arm, question.second_arm = arms[first], arms[second]
        question.first_item, question.second_item = movies[first], movies[second]
        question.save()
        for arm, movie in zip(arms[:2], movies, strict=False):
            Recommendation.objects.create(
                trained_model=arm.trained_model, user=question.user, item=movie, score=SCORE
            )
        UploadedRecommendation.objects.create(
            arm=arms[2], user=question.user, item=movies[2], rank=1, score=SCORE
        )
    return study


class Visit:
    """A walk through the whole study; ``sent`` is every byte that came, headers and all."""

    def __init__(self):
        self.client, self.sent = Client(), []

    def keep(self, reply):
        head = [f"{reply.status_code}", str(reply.headers), str(reply.cookies)]
        self.sent.append("\n".join([*head, reply.content.decode()]))
        return reply

    def get(self, url):
        return self.keep(self.client.get(url))

    def post(self, url, data=None):
        return self.keep(self.client.post(url, data or {}))

    def files(self):
        """Styles, scripts and pictures that the pages name, and scripts that those import."""
        wanted = {name for page in self.sent for name in re.findall(r'"/static/([^"]+)"', page)}
        for name in sorted(wanted):
            with open(finders.find(name), encoding="utf-8") as opened:  # noqa: PTH123
                yield name, opened.read()


def walk(visit):
    visit.get("/s/secret/")
    visit.post("/s/secret/")
    visit.get("/s/secret/consent/")
    url = visit.post("/s/secret/consent/")["Location"]
    visit.get(url)
    visit.post(f"{url}begin/")
    visit.get(url)
    visit.post(f"{url}responses/", {"part": "before", "item-age": ""})
    visit.post(f"{url}responses/", {"part": "before", "item-age": "41"})
    more = {"left_familiarity": "seen", "right_familiarity": "known", "confidence": "3"}
    for _ in range(9):
        page = visit.get(url).context["page"]
        visit.post(f"{url}answer/", fields(page))
        visit.post(f"{url}answer/", fields(page, "right", **more))
        visit.post(f"{url}answer/", fields(page, "left", **more))
    for rest in ("answers/", "answers/2/", "break/", "withdraw/", ""):
        visit.get(url + rest)
    visit.post(f"{url}confirm/")
    visit.post(f"{url}responses/", {"part": "after", "item-mood": "7"})
    assert "Your completion code" in visit.get(url).content.decode()
    return url


def secrets(study):
    names = {"autoencoder", "knn", "neighbour", "compact", "time-90-10", "quokka", "wombat"}
    names |= {"5ca1ab1e", "3.14", "1415926", str(SEED), str(ROW)[:3] + "0", "8800"}
    for arm in study.arms.exclude(trained_model=None):
        names |= {arm.trained_model.artefact, str(arm.trained_model.job_id)}
    keys = {arm.pk for arm in study.arms.all()} | set(study.questions.values_list("pk", flat=True))
    return {name.lower() for name in names} | {str(key) for key in keys}


def test_no_byte_of_a_whole_study_names_a_system_a_row_a_score_or_a_seed(study):
    visit = Visit()
    url = walk(visit)
    visit.post(f"{url}withdraw/", {"understood": "1"})
    assert Assignment.objects.count() == 0
    said = "\n".join(visit.sent)
    assert named(secrets(study), said) == []
    words = r"\b(?:arms?|models?|algorithms?|scores?|ranks?|seeds?)\b"
    assert re.findall(words, without_drawn(said).lower()) == []


def test_keys_that_are_drawn_are_drawn(study):
    """Version 4 UUIDs: nothing in them is counted up, or made of what they stand for."""
    walk(Visit())
    keys = list(Appraiser.objects.get().assignments.values_list("key", flat=True))
    assert {key.version for key in keys} == {4}
    assert len({str(key)[:8] for key in keys}) == len(keys)


def test_no_script_style_or_picture_names_one_either(study):
    visit = Visit()
    walk(visit)
    found = dict(visit.files())
    assert {"js/answer.js", "css/judge.css"} <= found.keys()
    told = [(file, name) for name in secrets(study) for file, text in found.items() if name in text]
    assert told == []
    words = re.compile(r"\b(?:arm|model|algorithm|score|rank)s?\b", re.IGNORECASE)
    assert [(file, words.findall(text)) for file, text in found.items() if words.search(text)] == []
