"""Fills a study with judgments of simulated appraisers, which never mix with real ones."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from numpy.random import Generator

from survey.errors import StudyError
from survey.management.studies import USAGE, StudyCommand
from survey.models import Appraiser, Arm, Assignment, Judgment, Response, Study
from survey.pairing import Stream, generator
from survey.protocol import questionnaires
from survey.services.answering import confirm_answers, record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.responding import respond
from survey.services.visiting import mark_shown

SECONDS_READING = 45.0
SECONDS_A_QUESTION = 30.0  # the median; as with people, a few answers take much longer
SPREAD = 0.6  # standard deviation of the logarithm of these times
MINUTES_BETWEEN = 4.0
MOST = 10_000


@dataclass(frozen=True)
class Behaviour:
    """How simulated appraisers answer: at most ``answers`` main questions.

    The arm ``favourite`` wins ``share`` of its questions; a share ``abandon`` of the appraisers
    stops before the end.
    """

    answers: int
    favourite: int | None
    share: float
    abandon: float


class Command(StudyCommand):
    help = "Let simulated appraisers judge a running study; they take no places of real ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--appraisers", type=int, required=True, metavar="N")
        parser.add_argument(
            "--questions", default="all", help="main questions that each answers (default: all)"
        )
        parser.add_argument(
            "--prefer", metavar="ARM:SHARE", help="such as autoencoder:0.65 (default: none)"
        )
        parser.add_argument(
            "--abandon", default="0", metavar="SHARE", help="of appraisers who stop early"
        )
        parser.add_argument("--seed", type=int, help="default: the study's seed")

    def run(self, study: Study, options: dict[str, Any]) -> None:
        wanted = _parse_count("--appraisers", options["appraisers"], MOST)
        answers = study.questions_per_appraiser
        if options["questions"] != "all":
            answers = _parse_count("--questions", options["questions"], answers)
        favourite, share = _parse_preference(study, options["prefer"])
        abandon = _parse_share("--abandon", options["abandon"], "such as 0.2")
        behaviour = Behaviour(answers, favourite, share, abandon)
        seed = study.seed if options["seed"] is None else options["seed"]
        if seed < 0:
            raise CommandError("--seed takes a number from 0 up.", returncode=USAGE)
        now = timezone.now()
        made: Counter[str] = Counter()
        try:
            for left in reversed(range(wanted)):
                end = now - timedelta(minutes=MINUTES_BETWEEN * left)
                made += take_part(study, behaviour, seed=seed, end=end)
        except StudyError as error:
            raise CommandError(f"{error} Only a running study can be judged.") from error
        total, main = made.total(), made[Assignment.Kind.MAIN]
        extra = f" and {total - main} answers that do not count" if total > main else ""
        people = "1 simulated appraiser" if wanted == 1 else f"{wanted} simulated appraisers"
        self.stdout.write(f"{people} made {main} judgments{extra} in {study.slug}.")


@transaction.atomic
def take_part(study: Study, behaviour: Behaviour, *, seed: int, end: datetime) -> Counter[str]:
    """One appraiser from consent to the last answer; the number of answers of each kind.

    The same study and seed give the same choices; the last answer comes shortly before ``end``.
    """
    appraiser, _token = join_study(study=study, kind=Appraiser.Kind.SIMULATED, now=end)
    rng = generator(seed, Stream.SIMULATION, appraiser.number)
    asked = _questions(appraiser, behaviour.answers)
    pause = timedelta(minutes=float(rng.uniform(0, MINUTES_BETWEEN)))
    if behaviour.abandon and rng.random() < behaviour.abandon:
        asked = asked[: int(rng.integers(len(asked)))]
    moments = _times(rng, len(asked), end - pause)
    Appraiser.objects.filter(pk=appraiser.pk).update(consented_at=moments[0], seen_at=moments[-1])
    mark_instructed(appraiser=appraiser, now=moments[1])
    _fill_in(appraiser, Response.Part.BEFORE, rng, moments[1])
    for assignment, shown, answered in zip(asked, moments[1:], moments[2:], strict=False):
        mark_shown(appraiser=appraiser, assignment_key=assignment.key, now=shown)
        record_judgment(
            appraiser=appraiser,
            assignment_key=assignment.key,
            choice=assignment.expected or _choose(assignment, behaviour, rng),
            now=answered,
        )
    if len(asked) == appraiser.assignments.count():
        confirm_answers(appraiser=appraiser, now=moments[-1])
        _fill_in(appraiser, Response.Part.AFTER, rng, moments[-1])
    return Counter(assignment.kind for assignment in asked)


def _questions(appraiser: Appraiser, answers: int) -> list[Assignment]:
    """The assignments up to that many main questions; all of them if there are fewer."""
    own = appraiser.assignments.select_related("question").defer("question__profile")
    asked = list(own.order_by("position"))
    main = [place for place, row in enumerate(asked) if row.kind == Assignment.Kind.MAIN]
    return asked if answers >= len(main) else asked[: main[answers - 1] + 1]


def _fill_in(appraiser: Appraiser, part: str, rng: Generator, now: datetime) -> None:
    """Answer every required item of a questionnaire in some valid way."""
    study = appraiser.study
    items = questionnaires.asked_items(
        study.before if part == Response.Part.BEFORE else study.after
    )
    sent = {item.name: _any_answer(item, rng) for item in items if item.required}
    if items:
        respond(appraiser=appraiser, part=part, items=items, sent=sent, now=now)


def _any_answer(item: questionnaires.AskedItem, rng: Generator) -> str:
    if item.one_of:
        # Avoid answers that would screen the appraiser out.
        values = [each.value for each in item.options if each.value not in item.screens_out]
        values = values or [each.value for each in item.options]
        return values[int(rng.integers(len(values)))]
    if item.kind == "number":
        low = 0.0 if item.minimum is None else item.minimum
        return str(low if item.maximum is None else min(low, item.maximum))
    return "simulated"


def _times(rng: Generator, questions: int, end: datetime) -> list[datetime]:
    """The times of consent, of the first question, and of each answer, the last one at ``end``."""
    typical = [SECONDS_READING] + [SECONDS_A_QUESTION] * questions
    spent = [seconds * float(rng.lognormal(0.0, SPREAD)) for seconds in typical]
    return [end - timedelta(seconds=sum(spent[place:])) for place in range(len(spent) + 1)]


def _choose(assignment: Assignment, behaviour: Behaviour, rng: Generator) -> str:
    """Left or right; a fair coin unless one of the two is the favourite."""
    question = assignment.question
    share = 0.5
    if behaviour.favourite in {question.first_arm_id, question.second_arm_id}:
        on_left = assignment.left_arm_id == behaviour.favourite
        share = behaviour.share if on_left else 1 - behaviour.share
    return Judgment.Choice.LEFT if rng.random() < share else Judgment.Choice.RIGHT


def _parse_preference(study: Study, text: str | None) -> tuple[int | None, float]:
    """The arm named by ``ARM:SHARE`` and how often it wins."""
    if text is None:
        return None, 0.5
    name, _, number = text.rpartition(":")
    share = _parse_share("--prefer", number, "ARM:SHARE, such as autoencoder:0.65")
    arms = list(study.arms.select_related("trained_model"))
    named = [arm for arm in arms if name in _arm_names(arm)]
    if len(named) != 1:
        known = ", ".join(sorted(f"{arm.trained_model_id or 'CSV'} ({arm.label})" for arm in arms))
        raise CommandError(
            f"--prefer {name!r} does not name exactly one arm. Available: {known}.",
            returncode=USAGE,
        )
    return named[0].pk, share


def _arm_names(arm: Arm) -> set[str]:
    if arm.trained_model_id is None:
        return {arm.label, arm.upload_name}
    model = arm.model
    return {arm.label, model.system, f"{model.system}:{model.preset}", str(model.pk)}


def _parse_share(flag: str, text: str, form: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(f"{flag} takes a share from 0 to 1: {form}.", returncode=USAGE)
    return share


def _parse_count(flag: str, text: object, largest: int) -> int:
    number = int(str(text)) if str(text).isdecimal() else 0
    if not 1 <= number <= largest:
        raise CommandError(f"{flag} takes a number from 1 to {largest}.", returncode=USAGE)
    return number
