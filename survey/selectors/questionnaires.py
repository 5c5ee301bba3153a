"""The questionnaires of a study as they are asked, and their answers; reads only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import QuerySet
from django.utils.translation import gettext

from survey.models import Appraiser, Response, Study
from survey.protocol import questionnaires
from survey.protocol.questionnaires import AskedItem
from survey.stats.questionnaires import Mean, mean, sus_score

Part = Response.Part


def items_of(study: Study, part: str, language: str = "en") -> list[AskedItem]:
    """The items of one part, in the words of a language."""
    raw = study.before if part == Part.BEFORE else study.after
    return questionnaires.asked_items(raw, language, gettext)


@dataclass(frozen=True)
class ItemResult:
    """What was answered to an item: ``n`` answers, their mean (scales and numbers), the counts.

    ``counts`` are (answer, how many), in the order of the options; empty for numbers and texts.
    """

    name: str
    text: str
    kind: str
    n: int
    mean: Mean | None
    counts: list[tuple[str, int]]


@dataclass(frozen=True)
class PartResult:
    """One questionnaire's answers by the appraisers of one kind.

    ``sus`` is the mean score of those who answered all ten items of the System Usability Scale,
    from 0 to 100; None where it is not asked or nobody did.
    """

    part: str
    n: int
    items: list[ItemResult]
    sus: Mean | None


def questionnaire_results(study: Study, *, kind: str) -> list[PartResult]:
    """The answers to the study's questionnaires by those whose judgments count.

    Left out are those who were screened out or failed the checks, as in the headline.
    """
    given: dict[str, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for part, item, who, answer in _responses(study, kind).values_list(
        "part", "item", "appraiser", "answer"
    ):
        given[part][item][who] = answer
    return [
        _part(part, items_of(study, part), given[part])
        for part, raw in ((Part.BEFORE, study.before), (Part.AFTER, study.after))
        if raw
    ]


def responses(study: Study) -> Iterator[Response]:
    """Every response of a study in the order of appraisers and items; read as it is asked for."""
    rows = Response.objects.filter(appraiser__study=study).select_related("appraiser")
    order = ("appraiser__kind", "appraiser__number", "pk")
    return rows.order_by(*order).iterator(chunk_size=2000)


def _responses(study: Study, kind: str) -> QuerySet[Response]:
    of_kind = Response.objects.filter(appraiser__study=study, appraiser__kind=kind)
    left_out = (Appraiser.Outcome.SCREENED, Appraiser.Outcome.FAILED)
    return of_kind.exclude(appraiser__outcome__in=left_out).order_by("pk")


def _part(part: str, items: list[AskedItem], given: dict[str, dict[int, str]]) -> PartResult:
    people = {who for answers in given.values() for who in answers}
    return PartResult(
        part=str(part),
        n=len(people),
        items=[_item(item, [text for text in given[item.name].values() if text]) for item in items],
        sus=_sus(items, given),
    )


def _item(item: AskedItem, answers: list[str]) -> ItemResult:
    numbers = [] if item.kind in {"choice", "text"} else [_number(text) for text in answers]
    tally = Counter(answers)
    return ItemResult(
        name=item.name,
        text=item.text,
        kind=item.kind,
        n=len(answers),
        mean=mean([number for number in numbers if number is not None]) if numbers else None,
        counts=[(option.label, tally[option.value]) for option in item.options],
    )


def _sus(items: list[AskedItem], given: dict[str, dict[int, str]]) -> Mean | None:
    names = [item.name for item in items if item.builtin == "sus"]
    if len(names) != 10:
        return None
    # An item may be left out where a study does not require it.
    said = [{who for who, text in given[name].items() if text} for name in names]
    answered = set.intersection(*said)
    scores = [sus_score([int(given[name][who]) for name in names]) for who in sorted(answered)]
    return mean(scores) if scores else None


def _number(text: str) -> float | None:
    try:
        return float(Decimal(text))
    except InvalidOperation:
        return None
