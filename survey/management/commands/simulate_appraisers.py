"""Fill a study with judgments of simulated appraisers, marked as such and never mixed in."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from numpy.random import Generator

from survey.errors import StudyError
from survey.management.studies import USAGE, find_study
from survey.models import Appraiser, Arm, Assignment, Judgment, Response, Study
from survey.pairing import Stream, generator
from survey.protocol import questionnaires
from survey.services.answering import confirm_answers, record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.responding import respond
from survey.services.visiting import mark_shown

SECONDS_READING = 45.0
SECONDS_A_QUESTION = 30.0  # the median; a few take much longer, as people do
SPREAD = 0.6  # of the logarithm of these times
MINUTES_BETWEEN = 4.0
MOST = 10_000


@dataclass(frozen=True)
class Manner:
    """How simulated people answer: ``answers`` main questions at most, preferring one arm.

    The favourite wins ``share`` of the questions it is in; a share ``abandon`` of the people
    stops somewhere on the way.
    """

    answers: int
    favourite: int | None = None
    share: float = 0.5
    abandon: float = 0.0


class Command(BaseCommand):
    help = "Let simulated appraisers judge a running study; they take no place of a real one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--appraisers", type=int, required=True, metavar="N")
        parser.add_argument("--questions", default="all", help="answered by each (default: all)")
        parser.add_argument(
            "--prefer", metavar="ARM:SHARE", help="such as autoencoder:0.65 (default: no taste)"
        )
        parser.add_argument(
            "--abandon", default="0", metavar="SHARE", help="of people who stop on the way"
        )
        parser.add_argument("--seed", type=int, help="default: the study's own")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        wanted = parse_count("--appraisers", options["appraisers"], MOST)
        answers = study.questions_per_appraiser
        if options["questions"] != "all":
            answers = parse_count("--questions", options["questions"], answers)
        favourite, share = _parse_preference(study, options["prefer"])
        abandon = parse_share("--abandon", options["abandon"], "such as 0.2")
        manner = Manner(answers, favourite, share, abandon)
        seed = study.seed if options["seed"] is None else options["seed"]
        if seed < 0:
            raise CommandError("--seed takes a number from 0 up.", returncode=USAGE)
        now = timezone.now()
        made: Counter[str] = Counter()
        try:
            for left in reversed(range(wanted)):
                end = now - timedelta(minutes=MINUTES_BETWEEN * left)
                made += take_part(study, manner, seed=seed, end=end)
        except StudyError as error:
            raise CommandError(f"{error} Only a running study can be judged.") from error
        total, main = made.total(), made[Assignment.Kind.MAIN]
        beside = f" and {total - main} answers that do not count" if total > main else ""
        people = "1 simulated appraiser" if wanted == 1 else f"{wanted} simulated appraisers"
        self.stdout.write(f"{people} made {main} judgments{beside} in {study.slug}.")


@transaction.atomic
def take_part(study: Study, manner: Manner, *, seed: int, end: datetime) -> Counter[str]:
    """One appraiser from consent to the last answer; how many answers of each kind.

    The same study and seed give the same choices; the times lead up to shortly before ``end``.
    """
    appraiser, _token = join_study(study=study, kind=Appraiser.Kind.SIMULATED, now=end)
    rng = generator(seed, Stream.SIMULATION, appraiser.number)
    asked = questions_to_answer(appraiser, manner.answers)
    pause = timedelta(minutes=float(rng.uniform(0, MINUTES_BETWEEN)))
    if manner.abandon and rng.random() < manner.abandon:
        asked = asked[: int(rng.integers(len(asked)))]
    moments = times(rng, len(asked), end - pause)
    Appraiser.objects.filter(pk=appraiser.pk).update(consented_at=moments[0], seen_at=moments[-1])
    mark_instructed(appraiser=appraiser, now=moments[1])
    fill_in(appraiser, Response.Part.BEFORE, rng, moments[1])
    for assignment, shown, answered in zip(asked, moments[1:], moments[2:], strict=False):
        mark_shown(appraiser=appraiser, assignment_key=assignment.key, now=shown)
        record_judgment(
            appraiser=appraiser,
            assignment_key=assignment.key,
            choice=assignment.expected or choose(assignment, manner, rng),
            now=answered,
        )
    if len(asked) == appraiser.assignments.count():
        confirm_answers(appraiser=appraiser, now=moments[-1])
        fill_in(appraiser, Response.Part.AFTER, rng, moments[-1])
    return Counter(assignment.kind for assignment in asked)


def questions_to_answer(appraiser: Appraiser, answers: int) -> list[Assignment]:
    """What is asked up to that many main questions; everything where there are no more."""
    own = appraiser.assignments.select_related("question").defer("question__profile")
    asked = list(own.order_by("position"))
    main = [place for place, row in enumerate(asked) if row.kind == Assignment.Kind.MAIN]
    return asked if answers >= len(main) else asked[: main[answers - 1] + 1]


def fill_in(appraiser: Appraiser, part: str, rng: Generator, now: datetime) -> None:
    """Any possible answer to every item of a questionnaire that is not free to be left out."""
    study = appraiser.study
    items = questionnaires.asked_items(
        study.before if part == Response.Part.BEFORE else study.after
    )
    sent = {item.name: any_answer(item, rng) for item in items if item.required}
    if items:
        respond(appraiser=appraiser, part=part, items=items, sent=sent, now=now)


def any_answer(item: questionnaires.AskedItem, rng: Generator) -> str:
    if item.one_of:
        # Nobody is screened out: one who was asked to judge does so.
        values = [each.value for each in item.options if each.value not in item.screens_out]
        values = values or [each.value for each in item.options]
        return values[int(rng.integers(len(values)))]
    if item.kind == "number":
        low = 0.0 if item.minimum is None else item.minimum
        return str(low if item.maximum is None else min(low, item.maximum))
    return "simulated"


def times(rng: Generator, questions: int, end: datetime) -> list[datetime]:
    """Consent, the first question shown, then each answer, the last at ``end``."""
    typical = [SECONDS_READING] + [SECONDS_A_QUESTION] * questions
    spent = [seconds * float(rng.lognormal(0.0, SPREAD)) for seconds in typical]
    return [end - timedelta(seconds=sum(spent[place:])) for place in range(len(spent) + 1)]


def choose(assignment: Assignment, manner: Manner, rng: Generator) -> str:
    """Left or right; between two that are not the favourite, and without one, as a coin falls."""
    question = assignment.question
    share = 0.5
    if manner.favourite in {question.first_arm_id, question.second_arm_id}:
        on_left = assignment.left_arm_id == manner.favourite
        share = manner.share if on_left else 1 - manner.share
    return Judgment.Choice.LEFT if rng.random() < share else Judgment.Choice.RIGHT


def _parse_preference(study: Study, text: str | None) -> tuple[int | None, float]:
    """The arm that ``ARM:SHARE`` names, and how often it wins; without one, none and a half."""
    if text is None:
        return None, 0.5
    name, _, number = text.rpartition(":")
    share = parse_share("--prefer", number, "ARM:SHARE, such as autoencoder:0.65")
    arms = list(study.arms.select_related("trained_model"))
    named = [arm for arm in arms if name in arm_names(arm)]
    if len(named) != 1:
        known = ", ".join(sorted(f"{arm.trained_model_id or 'CSV'} ({arm.label})" for arm in arms))
        raise CommandError(
            f"--prefer {name!r} names no one arm. There is: {known}.", returncode=USAGE
        )
    return named[0].pk, share


def arm_names(arm: Arm) -> set[str]:
    if arm.trained_model_id is None:
        return {arm.label, arm.upload_name}
    model = arm.model
    return {arm.label, model.system, f"{model.system}:{model.preset}", str(model.pk)}


def parse_share(flag: str, text: str, form: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(f"{flag} takes a share from 0 to 1: {form}.", returncode=USAGE)
    return share


def parse_count(flag: str, text: object, largest: int) -> int:
    number = int(str(text)) if str(text).isdecimal() else 0
    if not 1 <= number <= largest:
        raise CommandError(f"{flag} takes a number from 1 to {largest}.", returncode=USAGE)
    return number
