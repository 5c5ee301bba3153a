"""Every page that an appraiser can meet, as a browser in some language gets it.

What is data (titles, the study's words, options) bears no letters here, so that every letter on a
page is one that this site wrote.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from django.core.cache import caches
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from recommender.models import Dataset, Item
from survey.models import Appraiser, Question, Study
from survey.selectors.question import question_page
from survey.services.answering import confirm_answers, record_judgment
from survey.services.inviting import make_invitations, revoke_invitations
from survey.services.joining import join_study, mark_instructed
from survey.services.withdrawing import withdraw
from tests.factories import StudyFactory
from tests.survey.form_data import fields

ITEMS: list[dict[str, Any]] = [
    {"name": "one", "text": "5001?", "kind": "choice", "options": ["1", "2"], "screens_out": ["2"]},
    {"name": "two", "text": "5002?", "kind": "number", "minimum": 1.5, "maximum": 2000},
    {"name": "three", "text": "5003?", "kind": "text", "required": False},
    {"name": "four", "text": "5004?", "kind": "scale", "labels": ["6", "7"]},
]
RIGHT = {"item-one": "1", "item-two": "3", "item-three": "", "item-four": "1"}
EXTRAS = {"left_familiarity": "seen", "right_familiarity": "known", "confidence": "4"}
ASKED = {"ask_familiarity": True, "ask_confidence": True, "ask_comment": True}
CODES = ("done", "screened", "failed")
Page = tuple[str, str]


def panel(name: str = "", url: str = "", code: str = "") -> dict[str, Any]:
    end = {key: value for key, value in (("url", url), ("code", code)) if value}
    described = {"parameters": ["p"], "person": "p", "outcomes": dict.fromkeys(CODES, end)}
    return described | ({"name": name} if name else {})


class Walk:
    """Makes studies, and keeps each page under a name."""

    def __init__(self, accept: str) -> None:
        self.accept = accept
        self.client = Client(headers={"Accept-Language": accept})
        self.made = 0

    def study(self, **values: Any) -> Study:
        self.made += 1
        words = {"title": "2000", "consent_text": "3000", "instructions": "4000"}
        own = {"slug": f"s{self.made}", "questions_per_appraiser": 3} | words | values
        study = StudyFactory(**own)
        movies = list(Item.objects.filter(dataset=study.dataset).order_by("pk"))
        for movie in movies:
            movie.title = f"{1000 + (movie.position or 0)} (22)"
        # Nouns and names of sites are data too.
        links = [["Web", "https://1.example/{title}"], ["5", "https://2.example/{title}"]]
        Dataset.objects.filter(pk=study.dataset_id).update(
            item_words={"en": ["6", "7"]}, links=links
        )
        Item.objects.bulk_update(movies, ["title"])
        return study

    def person(self, study: Study, **values: Any) -> tuple[Appraiser, str]:
        who, token = join_study(study=study, **values)
        return who, f"/a/{token}/"

    def reader(self, study: Study, **values: Any) -> tuple[Appraiser, str]:
        """One who has read the instructions."""
        who, url = self.person(study, **values)
        mark_instructed(appraiser=who)
        return who, url

    def get(self, url: str) -> str:
        return text(self.client.get(url))

    def post(self, url: str, sent: dict[str, str]) -> str:
        return text(self.client.post(url, sent, follow=True))

    def answer(self, who: Appraiser, url: str, choice: str = "left", **more: str) -> str:
        page = question_page(fresh(who))
        assert page is not None
        return self.post(f"{url}answer/", fields(page, choice, **more))

    def judge_all(self, who: Appraiser, *, rightly: bool = True) -> None:
        for row in who.assignments.filter(judgment=None, returned_at=None):
            other = "right" if row.expected == "left" else "left"
            choice = (row.expected or "left") if rightly else other
            record_judgment(appraiser=who, assignment_key=row.key, choice=choice)


def text(response: HttpResponseBase) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def fresh(who: Appraiser) -> Appraiser:
    return Appraiser.objects.select_related("study").get(pk=who.pk)


@cache
def every_page(accept: str) -> dict[str, str]:
    """Name -> HTML of every page, for a browser that asks for this language; walked once."""
    walk = Walk(accept)
    parts: list[Callable[[Walk], Iterator[Page]]] = [
        ways_in, refusals, answering, changing, ends, leaving, errors,
    ]  # fmt: skip
    return {name: page for part in parts for name, page in part(walk)}


def ways_in(walk: Walk) -> Iterator[Page]:
    for label, values in {
        "": {},
        " of a trial": {"status": Study.Status.PILOT},
        " of a panel": {"entry": "panel", "panel": panel()},
        " of a named panel": {"entry": "panel", "panel": panel("77")},
    }.items():
        study = walk.study(**values)
        yield f"start{label}", walk.get(f"/s/{study.slug}/?p=1")
        yield f"consent{label}", walk.get(f"/s/{study.slug}/consent/?p=1")
    for label, questions in (("", 15), (" after the end", 1)):
        study = walk.study(questions_per_appraiser=questions)
        url = walk.client.post(f"/s/{study.slug}/consent/").headers["Location"]
        if questions == 1:
            who = Appraiser.objects.get(study=study)
            Appraiser.objects.filter(pk=who.pk).update(instructed_at=timezone.now())
            walk.judge_all(who)
        yield f"on the same device{label}", walk.get(f"/s/{study.slug}/")
    one = walk.study(questions_per_appraiser=1)
    yield "start for one question", walk.get(f"/s/{one.slug}/")
    personal = walk.study(entry="personal")
    (link,) = make_invitations(study=personal, count=1)
    yield "consent of a personal link", walk.get(f"/i/{link.token}/consent/")
    yield "instructions", walk.get(walk.person(one)[1])
    before = walk.study(before=ITEMS)
    yield "instructions before a questionnaire", walk.get(walk.person(before)[1])
    _, url = walk.reader(before)
    yield "questionnaire", walk.get(url)
    for label, sent in {
        "left out": {},
        "wrong": RIGHT | {"item-one": "9", "item-two": "+"},
        "low": RIGHT | {"item-two": "1"},
        "high": RIGHT | {"item-two": "2001"},
        "long": RIGHT | {"item-three": "1" * 4001},
    }.items():
        yield f"questionnaire {label}", walk.post(f"{url}responses/", {"part": "before"} | sent)
    for entry in (
        {},
        {"entry": "panel", "panel": panel()},
        {"entry": "panel", "panel": panel("77")},
    ):
        study = walk.study(before=ITEMS, **entry)
        _, url = walk.reader(study, **entry and {"panel": {"p": ["1"]}})
        for status in (Study.Status.PAUSED, Study.Status.CLOSED):
            Study.objects.filter(pk=study.pk).update(status=status)
            sent = {"part": "before"} | RIGHT | {"item-three": "1"}
            yield f"questionnaire {status} {entry}", walk.post(f"{url}responses/", sent)


def refusals(walk: Walk) -> Iterator[Page]:
    for status in (Study.Status.CLOSED, Study.Status.PAUSED):
        for entry in ({}, *({"entry": "panel", "panel": panel(name)} for name in ("", "77"))):
            study = walk.study(status=status, **entry)
            yield f"{status} to a visitor {entry}", walk.get(f"/s/{study.slug}/?p=1")
    for minutes in (1, 30, 60, 120):
        for entry in ({}, {"entry": "panel", "panel": panel()}):
            study = walk.study(return_after=minutes, quota=1, **entry)
            walk.person(study, **entry and {"panel": {"p": ["1"]}})
            yield f"full for {minutes} {entry}", walk.get(f"/s/{study.slug}/?p=2")
    for name in ("", "77"):
        study = walk.study(quota=0, entry="panel", panel=panel(name))
        yield f"full {name}", walk.get(f"/s/{study.slug}/?p=1")
        slug = walk.study(entry="panel", panel=panel(name)).slug
        for sent in ("", "p=", "p=1&p=2", f"p={'1' * 300}", "p={{1}}", "p=%00"):
            yield f"panel {name} sends {sent[:9]!r}", walk.get(f"/s/{slug}/?{sent}")
    personal = walk.study(entry="personal")
    yield "no personal link", walk.get(f"/s/{personal.slug}/")
    revoked, spent = make_invitations(study=personal, count=2)
    revoke_invitations(study=personal, numbers={revoked.number})
    yield "revoked", walk.get(f"/i/{revoked.token}/")
    guest, url = walk.person(personal, invitation=spent.token)
    yield "withdraw by a personal link", walk.get(f"{url}withdraw/")
    withdraw(appraiser=guest)
    yield "spent", walk.get(f"/i/{spent.token}/")
    draft = walk.study(entry="personal", status=Study.Status.DRAFT)
    (early,) = make_invitations(study=draft, count=1)
    yield "not open yet", walk.get(f"/i/{early.token}/")


def answering(walk: Walk) -> Iterator[Page]:
    course = {"n_practice": 1, "n_checks": 1, "checks_to_pass": 1, "n_repeats": 1}
    for third in ("", "tie", "unsure"):
        for label, asked in (("", {}), (" with extras", ASKED)):
            study = walk.study(third_answer=third, **course, **asked)
            who, url = walk.reader(study)
            for place in range(1, 7):
                yield f"question {place} {third}{label}", walk.get(url)
                walk.answer(who, url, **EXTRAS)
    study = walk.study(**ASKED)
    who, url = walk.reader(study)
    yield "answer without anything", walk.answer(who, url, "")
    yield "answer that is none", walk.answer(who, url, "9", comment="1" * 3000)
    yield "answer too late", too_late(walk)
    yield from profiles(walk)
    yield "meanwhile", meanwhile(walk)


def profiles(walk: Walk) -> Iterator[Page]:
    study = walk.study()
    movies = list(Item.objects.filter(dataset=study.dataset).order_by("pk"))
    _, url = walk.reader(study)
    for label, profile in {
        "large": [[movie.pk, 5 - 0.5 * (nth // 3)] for nth, movie in enumerate(movies)],
        "of one movie": [[movies[3].pk, 1]],
    }.items():
        Question.objects.filter(study=study).update(profile=profile)
        caches["profiles"].clear()
        yield f"profile {label}", walk.get(url)
    rated = [[movie.pk, 5 - 0.5 * (nth // 3)] for nth, movie in enumerate(movies)]
    Question.objects.filter(study=study).update(profile=rated)
    for lowest in (-10, 0):
        scale = {"scale_minimum": lowest, "scale_maximum": 10, "scale_step": 0.01}
        Dataset.objects.filter(pk=study.dataset_id).update(**scale)
        caches["profiles"].clear()
        yield f"profile on a scale from {lowest}", walk.get(url)
    Item.objects.filter(dataset=study.dataset).update(year=None)
    caches["profiles"].clear()
    yield "profile without years", walk.get(url)


def too_late(walk: Walk) -> str:
    study = walk.study(ask_comment=True)
    who, url = walk.reader(study)
    page = question_page(who)
    assert page is not None
    Study.objects.filter(pk=study.pk).update(status=Study.Status.CLOSED)
    return walk.post(f"{url}answer/", fields(page, "left", comment="9"))


def meanwhile(walk: Walk) -> str:
    study = walk.study(n_profiles=4, questions_per_appraiser=4, quota=2)
    who, url = walk.reader(study)
    shown = question_page(who)
    assert shown is not None
    long_ago = timezone.now() - timedelta(hours=3)
    Appraiser.objects.filter(pk=who.pk).update(seen_at=long_ago, consented_at=long_ago)
    for _ in range(2):
        walk.judge_all(walk.person(study)[0])
    return walk.post(f"{url}answer/", fields(shown, "left"))


def changing(walk: Walk) -> Iterator[Page]:
    for rule in ("previous", "finish"):
        for label, asked in (("", {"third_answer": "tie"}), (" with extras", ASKED)):
            study = walk.study(changes=rule, **asked)
            who, url = walk.reader(study)
            walk.answer(who, url, "left", **EXTRAS)
            yield f"{rule}: question after{label}", walk.get(url)
            yield f"{rule}: change{label}", walk.get(f"{url}answers/1/")
            yield f"{rule}: answers{label}", walk.get(f"{url}answers/")
            yield f"{rule}: no such answer", walk.get(f"{url}answers/9/")
            walk.judge_all(who)
            yield f"{rule}: review{label}", walk.get(url)
            confirm_answers(appraiser=fresh(who))
            yield f"{rule}: final", walk.get(f"{url}answers/1/")
    for label, asked in (("with a check", {"n_checks": 1}), ("all repeated", {"n_repeats": 99})):
        who, url = walk.reader(walk.study(changes="finish", **asked))
        walk.answer(who, url)
        yield f"answers, {label}", walk.get(f"{url}answers/")
        yield f"one that stays, {label}", walk.get(f"{url}answers/9/")
        walk.judge_all(who)
        yield f"review, {label}", walk.get(url)
    who, url = walk.reader(walk.study(changes="finish"))
    walk.judge_all(who)
    Study.objects.filter(pk=who.study_id).update(status=Study.Status.CLOSED)
    yield "review when closed", walk.get(url)
    who, url = walk.reader(walk.study())
    walk.answer(who, url)
    yield "never", walk.get(f"{url}answers/1/")


def ends(walk: Walk) -> Iterator[Page]:
    study = walk.study(after=[{"builtin": "sus"}, {"builtin": "resque-short"}])
    who, url = walk.reader(study)
    walk.judge_all(who)
    yield "questionnaire after", walk.get(url)
    yield "questionnaire after, left out", walk.post(f"{url}responses/", {"part": "after"})
    ways: dict[str, dict[str, Any]] = {"": {}, " of a trial": {"status": Study.Status.PILOT}}
    for name in ("", "77"):
        for url, code in (("https://1.example/", ""), ("", "1"), ("https://1.example/", "1")):
            described = panel(name, url, code)
            ways[f" of panel {name} {url} {code}"] = {
                "entry": "panel",
                "panel": described,
                "retain_until": timezone.now().date() + timedelta(days=77) if name else None,
            }
    checks = {"n_checks": 1, "checks_to_pass": 1, "before": ITEMS[:1]}
    for label, values in ways.items():
        study = walk.study(**checks, **values)
        kind = "pilot" if study.status == Study.Status.PILOT else "real"
        for nth, end in enumerate(CODES):
            came = {"panel": {"p": [str(nth)]}} if "entry" in values else {}
            who, url = walk.reader(study, kind=kind, **came)
            said = "2" if end == "screened" else "1"
            walk.post(f"{url}responses/", {"part": "before", "item-one": said})
            if end != "screened":
                walk.judge_all(who, rightly=end == "done")
            yield f"thanks: {end}{label}", walk.get(url)
            assert fresh(who).outcome == end
            yield f"withdraw: {end}{label}", walk.get(f"{url}withdraw/")
            if came:
                gone = walk.post(f"{url}withdraw/", {"understood": "1"})
                yield f"erased: {end}{label}", gone
                yield f"came again: {end}{label}", walk.get(f"/s/{study.slug}/?p={nth}")
        _, away = walk.reader(study, kind=kind, **came and {"panel": {"p": ["9"]}})
        for status in (Study.Status.CLOSED, Study.Status.PAUSED):
            Study.objects.filter(pk=study.pk).update(status=status, launched_at=timezone.now())
            yield f"{status} meanwhile{label}", walk.get(away)


def leaving(walk: Walk) -> Iterator[Page]:
    tomorrow = timezone.now().date() + timedelta(days=1)
    study = walk.study(before=ITEMS, withdraw_until=tomorrow)
    _, url = walk.person(study)
    yield "break", walk.get(f"{url}break/")
    yield "withdraw until", walk.get(f"{url}withdraw/")
    yield "withdraw without the box", walk.post(f"{url}withdraw/", {})
    yield "erased", walk.post(f"{url}withdraw/", {"understood": "1"})
    _, url = walk.person(study)
    yesterday = timezone.now().date() - timedelta(days=2)
    Study.objects.filter(pk=study.pk).update(withdraw_until=yesterday)
    yield "withdraw too late", walk.get(f"{url}withdraw/")
    full = walk.study(n_profiles=4, questions_per_appraiser=4, quota=1)
    _, url = walk.reader(full)
    Appraiser.objects.filter(study=full).update(seen_at=timezone.now() - timedelta(days=1))
    walk.judge_all(walk.person(full)[0])
    yield "full when coming back", walk.get(url)


def errors(walk: Walk) -> Iterator[Page]:
    yield "not found", walk.get("/a/unknown/")
    yield "no such study", walk.get("/s/unknown/")
    strict = Client(enforce_csrf_checks=True, headers={"Accept-Language": walk.accept})
    yield "not safe", text(strict.post(f"/s/{walk.study().slug}/consent/"))
    with translation.override(walk.accept):
        # Only between two clicks: who comes by such a link finds nothing.
        yield "unknown link", render_to_string("survey/uninvited.html", {"reason": "unknown"})
        for name in ("400.html", "403.html"):
            yield name, render_to_string(name)
        for minutes in (1, 30):
            yield f"too often {minutes}", render_to_string("429.html", {"minutes": minutes})
