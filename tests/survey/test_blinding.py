"""Nothing that is sent with a question tells which of the two arms recommended which movie.

Both arms of the study draw from one shuffled list, so only position, markup, ids, lengths, order
and time could betray them. Three learners are given all of these, and pages of other people with
the answer; and the same with a leak put in, which they have to find.
"""

import random
import re
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from django.test import Client
from scipy.stats import binom, binomtest

from survey.models import Question
from survey.services.joining import join_study, mark_instructed
from tests.factories import StudyFactory
from tests.survey.blinding_classifier import LEARNERS, features, hits
from tests.survey.form_data import fields

pytestmark = [pytest.mark.django_db, pytest.mark.long]

#: Chance reaches this less than once in a million runs. The keys and the time are real.
RARE = 1e-6
PRACTICE, CHECKS, REPEATS = 1, 2, 2


def blind_study(people, each):
    """Profiles of six movies; on each, both arms' movies are drawn from the same list."""
    study = StudyFactory(
        slug="blind",
        n_profiles=people * each,
        questions_per_appraiser=each,
        quota=people,
        questions=False,
        third_answer="tie",
        changes="previous",
        n_practice=PRACTICE,
        n_checks=CHECKS,
        n_repeats=REPEATS,
    )
    draw = random.Random(5)
    movies = list(study.dataset.items.values_list("pk", flat=True))
    first, second = study.arms.all()
    drawn = [draw.sample(movies, 8) for _ in range(people * each)]
    Question.objects.bulk_create(
        Question(
            study=study,
            number=number,
            user=number,
            profile=[[movie, 5.0 - place / 2] for place, movie in enumerate(rated)],
            first_arm=first,
            first_item_id=left,
            second_arm=second,
            second_item_id=right,
        )
        for number, (left, right, *rated) in enumerate(drawn, start=1)
    )
    return study


@dataclass(frozen=True)
class Page:
    """A question as it was sent: all bytes, how long it took, and what must not be known."""

    body: str
    headers: dict[str, str]
    seconds: list[float]
    first_left: bool
    person: int


def pages_of(study):
    """Every page with a question of a whole study, and the answer that followed it."""
    first = study.arms.all()[0].pk
    for person in range(study.quota):
        who, token = join_study(study=study)
        mark_instructed(appraiser=who)
        left = dict(who.assignments.values_list("key", "left_arm"))
        left = {str(key): arm == first for key, arm in left.items()}
        client, url = Client(), f"/a/{token}/"
        client.get(f"{url}break/")  # what only the first request of a process does is done
        for _ in range(len(left)):
            start = time.perf_counter()
            page = client.get(url)
            shown = time.perf_counter()
            asked = page.context["page"]
            reply = client.post(f"{url}answer/", fields(asked, "left"))
            seconds = [shown - start, time.perf_counter() - shown]
            headers = {**page.headers, **{f"then {k}": v for k, v in reply.headers.items()}}
            headers = {name: said.replace(token, "") for name, said in headers.items()}
            body = page.content.decode().replace(token, "")
            yield Page(body, headers, seconds, left[asked["assignment_key"]], person)


def numbers(pages):
    return np.array([features(page.body, page.headers, page.seconds) for page in pages])


def told(rows, pages):
    """learner -> how many of the pages it tells right by these rows of numbers."""
    labels = np.array([page.first_left for page in pages])
    people = np.array([page.person for page in pages])
    return {name: hits(rows, labels, people, learner) for name, learner in LEARNERS.items()}


# -- leaks, each of which somebody could build in without noticing --------------------------------


def other_order(page):
    """The attributes of the first arm's card stand in another order."""
    start = '<div class="card" role="group"'
    place = page.body.index(start)
    if not page.first_left:
        place = page.body.index(start, place + 1)
    turned = '<div role="group" class="card"' + page.body[place + len(start) :]
    return replace(page, body=page.body[:place] + turned)


def even_keys(page):
    """Keys end in an even digit where the first arm stands left."""
    found = re.search(r'name="assignment" value="[^"]*(.)"', page.body)
    digit = int(found[1], 16) // 2 * 2 + (not page.first_left)
    body = f"{page.body[: found.start(1)]}{digit:x}{page.body[found.end(1) :]}"
    return replace(page, body=body)


def later(page):
    """The second arm's movie is looked up for long."""
    seconds = [page.seconds[0] * (1 if page.first_left else 10), page.seconds[1]]
    return replace(page, seconds=seconds)


def tagged(page):
    """A cache header differs."""
    return replace(page, headers={**page.headers, "ETag": "a" if page.first_left else "b"})


LEAKS = [other_order, even_keys, later, tagged]


def judge(study, record_property, *, share):
    """All learners fail on what was sent; and one finds each leak, on all pages or a share."""
    pages = list(pages_of(study))
    rows, n = numbers(pages), len(pages)
    low, high = binom.interval(0.99, n, 0.5) / np.float64(n)
    right = told(rows, pages)
    found = {name: round(count / n, 3) for name, count in right.items()}
    said = f"{n} pages: {found}; chance {low:.3f} to {high:.3f} (99 %)"
    record_property("told", said)
    for name, count in right.items():
        assert binomtest(count, n, alternative="greater").pvalue > RARE, (name, said)
    partly = np.random.default_rng(3).random(n) < share
    controls = {}
    for leak in LEAKS:
        leaking = numbers([leak(page) for page in pages])
        most = max(told(np.where(partly[:, None], leaking, rows), pages).values())
        controls[leak.__name__] = round(most / n, 3)
        assert binomtest(most, n, alternative="greater").pvalue < RARE, controls
    record_property("controls", str(controls))
    print(f"\n{said}; with a leak on {share:.0%} of the pages: {controls}")
    return pages


def test_no_classifier_tells_the_arms_apart_but_each_planted_leak_is_found(record_property):
    judge(blind_study(people=10, each=12), record_property, share=1.0)


@pytest.mark.slow
def test_nor_over_1000_questions_while_a_leak_on_every_third_page_is_found(record_property):
    pages = judge(blind_study(people=20, each=50), record_property, share=1 / 3)
    assert len(pages) == 20 * (50 + PRACTICE + CHECKS + REPEATS)
