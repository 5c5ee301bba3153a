"""Rows of a study's CSV exports, and its design ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, QuerySet

from survey.errors import StudyError
from survey.models import Appraiser, Invitation, Judgment, JudgmentRevision, Study
from survey.selectors import recruiting
from survey.selectors.design import digest, study_design
from survey.selectors.questionnaires import responses

HEADER = [
    "study", "question", "appraiser", "kind", "position", "left_arm", "right_arm", "choice",
    "chosen_arm", "shown_at", "answered_at", "visible_ms", "assignment_kind", "expected",
    "left_familiarity", "right_familiarity", "confidence", "comment", "client_at", "revision",
    "outcome", "page_language",
]  # fmt: skip
HISTORY_HEADER = [
    "study", "question", "appraiser", "kind", "position", "assignment_kind", "revision",
    "left_arm", "right_arm", "choice", "chosen_arm", "left_familiarity", "right_familiarity",
    "confidence", "comment", "answered_at", "client_at", "visible_ms", "page_language",
]  # fmt: skip
RESPONSES_HEADER = [
    "study", "appraiser", "kind", "outcome", "language", "part", "item", "question", "answer",
    "answered_at",
]  # fmt: skip
#: A spreadsheet runs a cell that begins with one of these as a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: At the start of a file it tells spreadsheets that the file is UTF-8.
BOM = "\ufeff"
RAW_HELP = "write every text exactly as stored; do not open such a file in a spreadsheet"


def guard_formulas(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows with an apostrophe before each cell that a spreadsheet would run as a formula."""
    for row in rows:
        yield [f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in row]


def judgment_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every judgment of every kind, ordered by appraiser and position.

    Takes two queries; the rows are read in chunks. Times are the server's, ISO 8601 in UTC, except
    ``client_at`` and ``visible_ms``, which are the browser's and empty where it sent no plausible
    value. ``page_language`` is that of the page when the answer was sent; a browser that translates
    pages changes it. ``chosen_arm`` is empty for a third answer, ``outcome`` until the appraiser
    has finished.
    """
    yield HEADER
    for row in _answers(study, Judgment.objects.all()):
        yield [row[name] for name in HEADER]


def history_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every answer ever given, including changed ones, in the same order."""
    yield HISTORY_HEADER
    for row in _answers(study, JudgmentRevision.objects.annotate(revision=F("number"))):
        yield [row[name] for name in HISTORY_HEADER]


def _answers(study: Study, answers: QuerySet[Any]) -> Iterator[dict[str, str]]:
    """Judgments or entries of their history as text, keyed by column."""
    arms = {arm.pk: arm.label for arm in study.arms.all()}
    rows = answers.filter(assignment__appraiser__study=study).values(
        *("choice", "chosen_arm", "left_familiarity", "right_familiarity", "confidence"),
        *("comment", "answered_at", "client_at", "visible_ms", "revision"),
        "page_language",
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
        yield {name: "" if value is None else str(value) for name, value in row.items()} | {
            "study": study.slug,
            "appraiser": Appraiser(kind=row["kind"], number=row["person"]).pseudonym,
            "left_arm": arms[row["left"]],
            "right_arm": arms[right],
            "chosen_arm": arms.get(row["chosen_arm"], ""),
            **{name: format_utc(row[name]) for name in ("shown_at", "answered_at", "client_at")},
        }


def response_rows(study: Study) -> Iterator[list[str]]:
    """The header, then every questionnaire response of every kind, by appraiser and item.

    ``question`` is the wording that was shown; ``outcome`` is empty until the appraiser finished.
    """
    yield RESPONSES_HEADER
    for row in responses(study):
        who = row.appraiser
        yield [
            *(study.slug, who.pseudonym, who.kind, who.outcome, who.language),
            *(row.part, row.item, row.question, row.answer, format_utc(row.answered_at)),
        ]


def design_document(study: Study) -> dict[str, Any]:
    """Everything that was frozen, ready for JSON. Raises StudyError for a draft.

    ``design_hash`` was recorded when the study was frozen (empty if that was before designs were
    hashed); ``unchanged`` says whether the current design still has this hash.
    """
    if study.status == Study.Status.DRAFT:
        raise StudyError(
            f"The study {study.slug!r} is a draft: nothing is frozen yet. Pilot or launch it first."
        )
    content = study_design(study)
    return {
        "study": study.slug,
        "status": study.status,
        "design_hash": study.design_hash,
        "hash_of": "SHA-256 of 'design' as JSON with sorted keys, no white space, in UTF-8",
        "unchanged": digest(content) == study.design_hash,
        "events": [
            {"at": format_utc(event.at), "status": event.to_status, "note": event.note}
            for event in study.events.all()
        ],
        "design": content,
    }


def panel_rows(study: Study) -> Iterator[list[str]]:
    """The panel's parameters, outcome and completion code of each person it sent.

    ``latest_…`` are the parameters of the person's latest visit, since a panel may send them again
    in another session.

    The only export of the panel's ids. It holds neither pseudonyms nor times and is sorted by the
    panel's ids, so that only an outcome shared by nobody else links a row to someone's answers.
    """
    names: list[str] = study.panel.get("parameters", [])
    outcomes = study.panel.get("outcomes", {})
    others = [name for name in names if name != study.panel["person"]]
    yield ["study", "kind", *names, "outcome", "code", *(f"latest_{name}" for name in others)]
    for person in recruiting.sent_by_panel(study):
        code = outcomes.get(person.outcome, {}).get("code", "")
        parameters = [person.panel.get(name, "") for name in names]
        outcome = person.outcome or recruiting.UNFINISHED
        newest = person.latest_panel or person.panel
        latest = [newest.get(name, "") for name in others]
        yield [study.slug, person.kind, *parameters, outcome, code, *latest]


def link_rows(links: Iterable[Invitation], full_url: Callable[[str], str]) -> Iterator[list[str]]:
    """Personal links that were just made, each with its full address."""
    yield ["number", "label", "link"]
    for link in links:
        yield [str(link.number), link.label, full_url(link.token)]


def format_utc(value: datetime | None) -> str:
    """2026-03-02T12:00:00.000000Z, or ""."""
    if value is None:
        return ""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
