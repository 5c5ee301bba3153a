"""Fills a study with judgments of simulated appraisers, which never mix with real ones."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from numpy.random import Generator
from pydantic import Field

from recommender.core.systems import present_name
from recommender.management.lookup import USAGE
from recommender.options import StrictModel, add_flags
from survey.errors import StudyError
from survey.management.studies import StudyCommand
from survey.models import Appraiser, Arm, Assignment, Judgment, Response, Study
from survey.pairing import Stream, generator
from survey.protocol import questionnaires
from survey.protocol.problems import validated
from survey.protocol.summary import count_noun
from survey.services.answering import confirm_answers, record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.responding import respond
from survey.services.visiting import mark_shown

SECONDS_READING = 45.0
SECONDS_A_QUESTION = 30.0  # the median; as with people, a few answers take much longer
SPREAD = 0.6  # standard deviation of the logarithm of these times
MINUTES_BETWEEN = 4.0


class Behaviour(StrictModel):
    """How many simulated appraisers take part, and how they answer.

    The arm ``favourite`` wins ``share`` of its questions; a share ``abandon`` of the appraisers
    stops before the end.
    """

    appraisers: int = Field(ge=1, le=10_000)
    """people to simulate"""
    questions: int = Field(ge=1, le=2**15)
    """main questions that each answers (default: all)"""
    abandon: float = Field(0.0, ge=0, le=1)
    """share of them who stop early (default: 0)"""
    seed: int = Field(ge=0, le=2**63 - 1)
    """seed of their answers (default: the study's seed)"""
    favourite: int | None = None
    share: float = Field(0.5, ge=0, le=1)


class Command(StudyCommand):
    help = "Let simulated appraisers judge a running study; they take no places of real ones."
    error_status = USAGE

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_flags(parser, Behaviour, without={"favourite", "share"})
        parser.add_argument(
            "--prefer",
            type=arm_and_share,
            metavar="ARM:SHARE",
            help="such as autoencoder:0.65 (default: none)",
        )

    def run(self, study: Study, options: dict[str, Any]) -> None:
        most = study.questions_per_appraiser
        flags = {name: options[name] for name in Behaviour.model_fields.keys() & options.keys()}
        given = {"questions": most, "seed": study.seed}
        given |= {name: value for name, value in flags.items() if value is not None}
        if options["prefer"]:
            arm, share = options["prefer"]
            given |= {"favourite": find_arm(study, arm).pk, "share": share}
        behaviour = validated(Behaviour, given)
        if behaviour.questions > most:
            raise StudyError(f"The study asks {most} questions of each. Choose 1 to {most}.")
        now = timezone.now()
        made: Counter[str] = Counter()
        try:
            for left in reversed(range(behaviour.appraisers)):
                end = now - timedelta(minutes=MINUTES_BETWEEN * left)
                made += take_part(study, behaviour, end=end)
        except StudyError as error:
            raise CommandError(f"{error} Only a running study can be judged.") from error
        total, main = made.total(), made[Assignment.Kind.MAIN]
        extra = f" and {total - main} answers that do not count" if total > main else ""
        people = count_noun(behaviour.appraisers, "simulated appraiser")
        self.stdout.write(f"{people} made {main} judgments{extra} in {study.slug}.")


@transaction.atomic
def take_part(study: Study, behaviour: Behaviour, *, end: datetime) -> Counter[str]:
    """One appraiser from consent to the last answer; the number of answers of each kind.

    The same study and seed give the same choices; the last answer comes shortly before ``end``.
    """
    appraiser, _token = join_study(study=study, kind=Appraiser.Kind.SIMULATED, now=end)
    rng = generator(behaviour.seed, Stream.SIMULATION, appraiser.number)
    asked = _questions(appraiser, behaviour.questions)
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


def arm_and_share(text: str) -> tuple[str, float]:
    """The two parts of ARM:SHARE."""
    arm, _, share = text.rpartition(":")
    try:
        return arm, float(share)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not ARM:SHARE, such as autoencoder:0.65") from None


def find_arm(study: Study, name: str) -> Arm:
    """The arm of this label, system, system and preset, or id of a trained model. StudyError."""
    arms = list(study.arms.select_related("trained_model"))
    named = [arm for arm in arms if name in _arm_names(arm)]
    if len(named) != 1:
        known = ", ".join(sorted(f"{arm.trained_model_id or 'CSV'} ({arm.label})" for arm in arms))
        raise StudyError(f"--prefer {name!r} does not name exactly one arm. Available: {known}.")
    return named[0]


def _arm_names(arm: Arm) -> set[str]:
    if arm.trained_model_id is None:
        return {arm.label, arm.upload_name}
    model = arm.model
    systems = {model.system, present_name(model.system, model.preset)}
    presets = {f"{system}:{model.preset}" for system in systems}
    return {arm.label, str(model.pk), *systems, *presets}
