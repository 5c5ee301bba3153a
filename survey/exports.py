"""Judgments as rows of a table, ready for a CSV file; a study's design, ready for JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, QuerySet

from survey.errors import StudyError
from survey.models import Appraiser, Judgment, JudgmentRevision, Study
from survey.selectors import recruiting
from survey.selectors.design import design, digest
from survey.selectors.questionnaires import responses
from survey.services.inviting import PersonalLink

HEADER = [
    "study",
    "question",
    "appraiser",
    "kind",
    "position",
    "left_arm",
    "right_arm",
    "choice",
    "chosen_arm",
    "shown_at",
    "answered_at",
    "visible_ms",
    "assignment_kind",
    "expected",
    "left_familiarity",
    "right_familiarity",
    "confidence",
    "comment",
    "client_at",
    "revision",
    "outcome",
]
HISTORY_HEADER = [
    "study",
    "question",
    "appraiser",
    "kind",
    "position",
    "assignment_kind",
    "revision",
    "left_arm",
    "right_arm",
    "choice",
    "chosen_arm",
    "left_familiarity",
    "right_familiarity",
    "confidence",
    "comment",
    "answered_at",
    "client_at",
    "visible_ms",
]
RESPONSES_HEADER = [
    "study",
    "appraiser",
    "kind",
    "outcome",
    "language",
    "part",
    "item",
    "question",
    "answer",
    "answered_at",
]
#: Where a cell may begin that a spreadsheet takes for a formula, and runs. Not at the start alone:
#: a program set to another separator than ours splits at it, and quotes that stand in the middle of
#: what it takes for a cell do not hold it together, nor the lines of a text.
FORMULA = re.compile(r'^(?=[\t\r\n])|(?:^|(?<=[;|\t\r\n]))(?=(?:[^\S\t\r\n]|")*[=+\-@＝＋－＠])')


def judgment_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every judgment in the order of appraisers and positions, all kinds.

    Two queries, whose rows are read as they are asked for. Times are ISO 8601 in UTC and the
    server's; ``client_at`` and ``visible_ms`` are the browser's, empty where it sent none that can
    be true. ``chosen_arm`` is empty for a third answer, ``outcome`` for one who has not finished.
    """
    yield HEADER
    for row in _answers(study, Judgment.objects.all()):
        yield [row[name] for name in HEADER]


def history_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every answer that was ever given, changed ones too, in the same order."""
    yield HISTORY_HEADER
    for row in _answers(study, JudgmentRevision.objects.annotate(revision=F("number"))):
        yield [row[name] for name in HISTORY_HEADER]


def _answers(study: Study, answers: QuerySet[Any]) -> Iterator[dict[str, str]]:
    """Judgments or entries of their history, ready to be written, by the names of the columns."""
    arms = {arm.pk: as_text(arm.label) for arm in study.arms.all()}
    rows = answers.filter(assignment__appraiser__study=study).values(
        *("choice", "chosen_arm", "left_familiarity", "right_familiarity", "confidence"),
        *("comment", "answered_at", "client_at", "visible_ms", "revision"),
        question=F("assignment__question__number"),
        first=F("assignment__question__first_arm"),
        second=F("assignment__question__second_arm"),
        kind=F("assignment__appraiser__kind"),
        person=F("assignment__appraiser__number"),
        outcome=F("assignment__appraiser__outcome"),
        assignment_kind=F("assignment__kind"),
        expected=F("assignment__expected"),
        position=F("assignment__position"),
        left=F("assignment__left_arm"),
        shown_at=F("assignment__shown_at"),
    )
    for row in rows.order_by("kind", "person", "position", "revision").iterator(chunk_size=2000):
        right = row["second"] if row["left"] == row["first"] else row["first"]
        plain = {name: "" if value is None else str(value) for name, value in row.items()}
        times = {name: moment(row[name]) for name in ("shown_at", "answered_at", "client_at")}
        yield (
            plain
            | times
            | {
                "study": as_text(study.slug),
                "appraiser": Appraiser(kind=row["kind"], number=row["person"]).pseudonym,
                "left_arm": arms[row["left"]],
                "right_arm": arms[right],
                "chosen_arm": arms.get(row["chosen_arm"], ""),
                "comment": as_text(row["comment"]),
            }
        )


def response_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every answer to the questionnaires by appraiser and item, all kinds.

    With the words that were asked; ``outcome`` is empty for one who has not finished.
    """
    yield RESPONSES_HEADER
    for row in responses(study):
        who = row.appraiser
        yield [
            as_text(study.slug),
            who.pseudonym,
            who.kind,
            who.outcome,
            who.language,
            row.part,
            row.item,
            as_text(row.question),
            as_text(row.answer),
            moment(row.answered_at),
        ]


def design_document(study: Study) -> dict[str, Any]:
    """Everything that was frozen, ready for JSON. StudyError for a draft.

    ``design_hash`` was recorded when the study was frozen (empty in a study older than that);
    ``unchanged`` says whether the design, as it is now, still has it.
    """
    if study.status == Study.Status.DRAFT:
        raise StudyError(
            f"The study {study.slug!r} is a draft: nothing is frozen yet. Pilot or launch it first."
        )
    content = design(study)
    return {
        "study": study.slug,
        "status": study.status,
        "design_hash": study.design_hash,
        "hash_of": "SHA-256 of 'design' as JSON with sorted keys, no white space, in UTF-8",
        "unchanged": digest(content) == study.design_hash,
        "events": [
            {"at": moment(event.at), "status": event.to_status, "note": event.note}
            for event in study.events.all()
        ],
        "design": content,
    }


def panel_rows(study: Study) -> Iterator[list[str]]:
    """Whom the panel has to pay: its own parameters, how it ended, and the code that was shown.

    The only place where a panel's names leave the database. Neither pseudonym nor time is in it,
    and the order is that of the panel's names: only an outcome that a single person has leads from
    here to anybody's answers.
    """
    names: list[str] = study.panel.get("parameters", [])
    ends = study.panel.get("outcomes", {})
    yield ["study", "kind", *names, "outcome", "code"]
    for person in recruiting.sent_by_panel(study):
        yield [
            as_text(study.slug),
            person.kind,
            *(as_text(person.panel.get(name, "")) for name in names),
            person.outcome or recruiting.UNFINISHED,
            as_text(ends.get(person.outcome, {}).get("code", "")),
        ]


def link_rows(links: Iterable[PersonalLink], address: Callable[[str], str]) -> Iterator[list[str]]:
    """Personal links just made, each with its whole address."""
    yield ["number", "label", "link"]
    for link in links:
        yield [str(link.number), as_text(link.label), address(link.token)]


def as_text(value: str) -> str:
    """Free text in which no spreadsheet finds a formula: an apostrophe goes in front of each."""
    return FORMULA.sub("'", value)


def moment(value: datetime | None) -> str:
    """2026-03-02T12:00:00.000000Z, or nothing."""
    if value is None:
        return ""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
