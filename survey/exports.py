"""Judgments as rows of a table, ready for a CSV file; a study's design, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import F

from survey import selectors
from survey.errors import StudyError
from survey.models import Appraiser, Judgment, Study

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
]
#: A spreadsheet takes a cell that begins so for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def judgment_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every judgment in the order of appraisers and positions, all kinds.

    One query whose rows are read as they are asked for. Times are ISO 8601 in UTC and the
    server's; ``visible_ms`` is the browser's, empty where it sent none that can be true.
    """
    yield HEADER
    arms = {arm.pk: as_text(arm.label) for arm in study.arms.all()}
    rows = Judgment.objects.filter(assignment__appraiser__study=study).values(
        "choice",
        "chosen_arm",
        "answered_at",
        "visible_ms",
        question=F("assignment__question__number"),
        first=F("assignment__question__first_arm"),
        second=F("assignment__question__second_arm"),
        kind=F("assignment__appraiser__kind"),
        number=F("assignment__appraiser__number"),
        position=F("assignment__position"),
        left=F("assignment__left_arm"),
        shown_at=F("assignment__shown_at"),
    )
    for row in rows.order_by("kind", "number", "position").iterator(chunk_size=2000):
        right = row["second"] if row["left"] == row["first"] else row["first"]
        yield [
            as_text(study.slug),
            str(row["question"]),
            Appraiser(kind=row["kind"], number=row["number"]).pseudonym,
            row["kind"],
            str(row["position"]),
            arms[row["left"]],
            arms[right],
            row["choice"],
            arms[row["chosen_arm"]],
            moment(row["shown_at"]),
            moment(row["answered_at"]),
            "" if row["visible_ms"] is None else str(row["visible_ms"]),
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
    content = selectors.design(study)
    return {
        "study": study.slug,
        "status": study.status,
        "design_hash": study.design_hash,
        "hash_of": "SHA-256 of 'design' as JSON with sorted keys, no white space, in UTF-8",
        "unchanged": selectors.digest(content) == study.design_hash,
        "events": [
            {"at": moment(event.at), "status": event.to_status, "note": event.note}
            for event in study.events.all()
        ],
        "design": content,
    }


def as_text(value: str) -> str:
    """Free text that no spreadsheet takes for a formula: an apostrophe goes in front of one."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def moment(value: datetime | None) -> str:
    """2026-03-02T12:00:00.000000Z, or nothing."""
    if value is None:
        return ""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
