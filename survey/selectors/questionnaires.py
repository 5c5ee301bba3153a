"""The questionnaires of a study as they are asked, and their answers; reads only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

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


def questionnaire_results(study: Study, *, kind: str) -> list[dict[str, Any]]:
    """The answers to each questionnaire of the study by those whose judgments count.

    Left out are those who were screened out or failed the checks, as in the headline. ``sus`` is
    the mean score of those who answered all ten items of the System Usability Scale, from 0 to
    100; None where it is not asked or nobody did.
    """
    left_out = (Appraiser.Outcome.SCREENED, Appraiser.Outcome.FAILED)
    rows = Response.objects.filter(appraiser__study=study, appraiser__kind=kind).order_by("pk")
    rows = rows.exclude(appraiser__outcome__in=left_out)
    given: dict[str, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for part, item, who, answer in rows.values_list("part", "item", "appraiser", "answer"):
        given[part][item][who] = answer
    return [
        {
            "part": str(part),
            "n": len({who for answers in given[part].values() for who in answers}),
            "items": [_item(item, given[part][item.name].values()) for item in items],
            "sus": _sus(items, given[part]),
        }
        for part in Part
        if (items := items_of(study, part))
    ]


def responses(study: Study) -> Iterator[Response]:
    """Every response of a study in the order of appraisers and items; read as it is asked for."""
    rows = Response.objects.filter(appraiser__study=study).select_related("appraiser")
    order = ("appraiser__kind", "appraiser__number", "pk")
    return rows.order_by(*order).iterator(chunk_size=2000)


def _item(item: AskedItem, given: Iterable[str]) -> dict[str, Any]:
    """``n`` answers to an item, their ``mean`` (scales and numbers), how often each was given.

    ``counts`` are (answer, how many), in the order of the options; empty for numbers and texts.
    """
    answers = [text for text in given if text]
    numbers = [] if item.kind in {"choice", "text"} else [_number(text) for text in answers]
    tally = Counter(answers)
    return {
        "item": item,
        "n": len(answers),
        "mean": mean([number for number in numbers if number is not None]) if numbers else None,
        "counts": [(option.label, tally[option.value]) for option in item.options],
    }


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
