"""Launching, changing the status of a study, and a crowd that judges."""

import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction

from tests.races.threads import at_once

PEOPLE, QUOTA, QUESTIONS, LAUNCHERS = 20, 16, 15, 6


def launch_race() -> dict[str, Any]:
    from survey.models import Study
    from survey.services.launching import launch_study
    from tests.survey.drafts import prepared, publish

    draft = prepared("race")
    publish(draft)
    seen = [Study.objects.get(pk=draft.pk) for _ in range(LAUNCHERS)]
    ends = at_once(lambda one=one: launch_study(study=one).status for one in seen)
    return {"ends": Counter(ends), "questions": draft.questions.count()}


def step_race() -> dict[str, Any]:
    """Pause and close, each several times, from the same running study."""
    from survey.models import Study
    from survey.services.launching import move_study
    from tests.factories import StudyFactory

    study = StudyFactory(slug="steps")
    seen = [Study.objects.get(pk=study.pk) for _ in range(LAUNCHERS)]
    ends = at_once(
        lambda one=one, to=to: move_study(study=one, to=to).status
        for one, to in zip(seen, ["paused", "closed"] * LAUNCHERS, strict=False)
    )
    study.refresh_from_db()
    steps = list(study.events.values_list("to_status", flat=True))
    return {"ends": Counter(ends), "status": study.status, "steps": steps}


def stamp_race() -> dict[str, Any]:
    """Somebody joins while a step in the study's life waits for the same row."""
    from survey.models import Study
    from survey.services.joining import join_study
    from survey.services.launching import move_study, pilot_study
    from tests.survey.drafts import prepared, publish

    draft = prepared("stamps")
    publish(draft)
    pilot = pilot_study(study=draft)

    def join_first(kind: str, to: str) -> bool:
        study, held = Study.objects.get(pk=pilot.pk), threading.Event()

        def join() -> datetime:
            with transaction.atomic():
                Study.objects.select_for_update(no_key=True).get(pk=pilot.pk)
                held.set()
                time.sleep(0.3)  # long enough for the step to come to the same row
                return join_study(study=pilot, kind=kind)[0].consented_at

        def step() -> datetime:
            held.wait()
            move_study(study=study, to=to)
            return study.closed_at or study.launched_at

        joined, taken = at_once([join, step])
        return bool(joined < taken == study.events.last().at)

    return {"launch": join_first("pilot", "running"), "close": join_first("real", "closed")}


def discard_race() -> dict[str, Any]:
    """A trial is discarded while its people answer and others join."""
    from survey.models import Appraiser, Judgment, Study
    from survey.services.answering import record_judgment
    from survey.services.joining import join_study
    from survey.services.launching import pilot_study
    from survey.services.status import end_pilot
    from tests.survey.drafts import prepared, publish

    draft = prepared("trial")
    publish(draft)
    pilot = pilot_study(study=draft)
    inside = [join_study(study=pilot, kind="pilot")[0] for _ in range(3)]
    recorded = []

    def answer(who: Appraiser) -> str:
        for key in who.assignments.values_list("key", flat=True):
            record_judgment(appraiser=who, assignment_key=key, choice="left")
            recorded.append(key)
        return "answered"

    def join() -> str:
        join_study(study=Study.objects.get(pk=pilot.pk), kind="pilot")
        return "joined"

    actions = [lambda who=who: answer(who) for who in inside]
    ends = at_once([*actions, join, lambda: end_pilot(study=pilot).status])
    left = [
        model.objects.filter(**{path: pilot}).count()
        for model, path in ((Judgment, "assignment__appraiser__study"), (Appraiser, "study"))
    ]
    note = pilot.events.last().note
    return {
        "end": ends[-1],
        "others": sorted(set(ends[:-1])),
        "left": left,
        "said": [note, f"trial answers discarded: {len(recorded)}"],
    }


def judging() -> dict[str, Any]:
    from survey.models import Appraiser, Assignment, Judgment
    from survey.services.answering import record_judgment
    from survey.services.joining import join_study
    from tests.factories import StudyFactory

    study = StudyFactory(slug="crowd", quota=QUOTA)

    def join() -> Appraiser:
        return join_study(study=study)[0]

    def answer(appraiser: Appraiser, *, backwards: bool) -> Counter[str]:
        """Every question, as one of two tabs of the same person, who disagrees with herself."""
        choice = "left" if backwards else "right"
        order = "-position" if backwards else "position"
        keys = list(appraiser.assignments.order_by(order).values_list("key", flat=True))
        return Counter(
            record_judgment(appraiser=appraiser, assignment_key=key, choice=choice).value
            for key in keys
        )

    joined = at_once([join] * PEOPLE)
    inside = [one for one in joined if isinstance(one, Appraiser)]
    tabs = at_once(
        lambda who=who, backwards=backwards: answer(who, backwards=backwards)
        for who in inside
        for backwards in (False, True)
    )
    first = study.arms.get(position=0)
    left = Assignment.objects.filter(appraiser__study=study, left_arm=first)
    return {
        "joined": Counter(one if isinstance(one, str) else "joined" for one in joined),
        "numbers": sorted(one.number for one in inside),
        "outcomes": sum((tab for tab in tabs if isinstance(tab, Counter)), Counter()),
        "errors": [tab for tab in tabs if isinstance(tab, str)],
        "judgments": Judgment.objects.count(),
        "finished": Appraiser.objects.exclude(finished_at=None).count(),
        "left": sorted(Counter(left.values_list("appraiser", flat=True)).values()),
        "asked": sorted(Counter(Assignment.objects.values_list("question", flat=True)).values()),
    }


def run() -> dict[str, Any]:
    races = {"launch": launch_race(), "steps": step_race(), "discard": discard_race()}
    return races | {"judging": judging(), "stamps": stamp_race()}
