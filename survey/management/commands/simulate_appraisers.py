"""Fill a study with judgments of simulated appraisers, marked as such and never mixed in."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from numpy.random import Generator

from survey import services
from survey.errors import StudyError
from survey.management.studies import USAGE, find_study
from survey.models import Appraiser, Arm, Assignment, Judgment, Study
from survey.pairing import Stream, generator

SECONDS_READING = 45.0
SECONDS_A_QUESTION = 30.0  # the median; a few take much longer, as people do
SPREAD = 0.6  # of the logarithm of these times
MINUTES_BETWEEN = 4.0
MOST = 10_000


class Command(BaseCommand):
    help = "Let simulated appraisers judge a running study; they take no place of a real one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--appraisers", type=int, required=True, metavar="N")
        parser.add_argument("--questions", default="all", help="answered by each (default: all)")
        parser.add_argument(
            "--prefer", metavar="ARM:SHARE", help="such as autoencoder:0.65 (default: no taste)"
        )
        parser.add_argument("--seed", type=int, help="default: the study's own")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        wanted = whole_number("--appraisers", options["appraisers"], MOST)
        answers = study.questions_per_appraiser
        if options["questions"] != "all":
            answers = whole_number("--questions", options["questions"], answers)
        shares = preference(study, options["prefer"])
        seed = study.seed if options["seed"] is None else options["seed"]
        if seed < 0:
            raise CommandError("--seed takes a number from 0 up.", returncode=USAGE)
        now = timezone.now()
        try:
            for left in reversed(range(wanted)):
                end = now - timedelta(minutes=MINUTES_BETWEEN * left)
                judge(study, seed=seed, answers=answers, shares=shares, end=end)
        except StudyError as error:
            raise CommandError(f"{error} Only a running study can be judged.") from error
        total = wanted * answers
        self.stdout.write(f"{wanted} simulated appraisers made {total} judgments in {study.slug}.")


@transaction.atomic
def judge(
    study: Study, *, seed: int, answers: int, shares: dict[int, float], end: datetime
) -> None:
    """One appraiser from consent to the last of ``answers``; ``shares`` are of each arm's wins.

    The same study and seed give the same choices; the times lead up to shortly before ``end``.
    """
    appraiser, _token = services.join_study(study=study, kind=Appraiser.Kind.SIMULATED, now=end)
    rng = generator(seed, Stream.SIMULATION, appraiser.number)
    assignments = appraiser.assignments.select_related("question").defer("question__profile")
    asked = list(assignments.order_by("position")[:answers])
    pause = timedelta(minutes=float(rng.uniform(0, MINUTES_BETWEEN)))
    moments = times(rng, len(asked), end - pause)
    Appraiser.objects.filter(pk=appraiser.pk).update(consented_at=moments[0])
    services.begin(appraiser=appraiser, now=moments[1])
    for assignment, shown, answered in zip(asked, moments[1:], moments[2:], strict=False):
        key = assignment.key
        services.mark_shown(appraiser=appraiser, assignment_key=key, now=shown)
        services.record_judgment(
            appraiser=appraiser,
            assignment_key=key,
            choice=choose(assignment, shares, rng),
            now=answered,
        )


def times(rng: Generator, questions: int, end: datetime) -> list[datetime]:
    """Consent, the first question shown, then each answer, the last at ``end``."""
    typical = [SECONDS_READING] + [SECONDS_A_QUESTION] * questions
    spent = [seconds * float(rng.lognormal(0.0, SPREAD)) for seconds in typical]
    return [end - timedelta(seconds=sum(spent[place:])) for place in range(len(spent) + 1)]


def choose(assignment: Assignment, shares: dict[int, float], rng: Generator) -> str:
    """Left or right, by the share of the arm on the left."""
    wins = rng.random() < shares[assignment.left_arm_id]
    return Judgment.Choice.LEFT if wins else Judgment.Choice.RIGHT


def preference(study: Study, text: str | None) -> dict[int, float]:
    """How often each arm is chosen: a half, or what ``ARM:SHARE`` says and the rest."""
    arms = list(study.arms.select_related("trained_model"))
    if text is None:
        return {arm.pk: 0.5 for arm in arms}
    name, _, number = text.rpartition(":")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(
            f"--prefer {text!r} is not possible. Write ARM:SHARE with a share from 0 to 1, such "
            "as autoencoder:0.65.",
            returncode=USAGE,
        )
    named = [arm for arm in arms if name in names(arm)]
    if len(named) != 1:
        known = ", ".join(sorted(f"{arm.trained_model_id} ({arm.label})" for arm in arms))
        raise CommandError(
            f"--prefer {name!r} names no one arm. There is: {known}.", returncode=USAGE
        )
    return {arm.pk: share if arm == named[0] else 1 - share for arm in arms}


def names(arm: Arm) -> set[str]:
    model = arm.trained_model
    return {arm.label, model.system, f"{model.system}:{model.preset}", str(model.pk)}


def whole_number(flag: str, text: object, largest: int) -> int:
    number = int(str(text)) if str(text).isdecimal() else 0
    if not 1 <= number <= largest:
        raise CommandError(f"{flag} takes a number from 1 to {largest}.", returncode=USAGE)
    return number
