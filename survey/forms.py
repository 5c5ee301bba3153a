"""The forms of the pages: what they may send, and what to say where that is wrong."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from survey.errors import StudyError
from survey.models import Judgment, Study
from survey.services.answering import COMMENT_LIMIT
from survey.services.inviting import numbers_in

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: The extras of an answer, under the names of their fields.
FAMILIARITY = ("left_familiarity", "right_familiarity")
FAMILIARITIES = [
    (Judgment.Familiarity.SEEN.value, _("seen it")),
    (Judgment.Familiarity.KNOWN.value, _("know of it")),
    (Judgment.Familiarity.LOOKED_UP.value, _("looked it up")),
    (Judgment.Familiarity.UNKNOWN.value, _("never heard of it")),
]
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")


class JudgmentForm(forms.Form):
    """An answer to one question of ``study``, with the extras that this study asks for.

    It is checked as it is made: ``answer`` holds the arguments of ``record_judgment``, or None
    if something is wrong. Impossible measurements of the page's script are dropped silently.
    """

    assignment = forms.UUIDField()
    shown = forms.CharField(required=False, max_length=64)
    revision = forms.Field(required=False)
    visible_ms = forms.Field(required=False)
    client_at = forms.Field(required=False)
    page_language = forms.Field(required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data)
        self.study = study
        answers = filter(None, ("left", "right", study.third_answer))
        self.fields["choice"] = forms.ChoiceField(choices=[(each, each) for each in answers])
        if study.ask_familiarity:
            for name in FAMILIARITY:
                self.fields[name] = forms.ChoiceField(choices=Judgment.Familiarity.choices)
        if study.ask_confidence:
            steps = [(str(step), str(step)) for step in range(1, 6)]
            self.fields["confidence"] = forms.TypedChoiceField(
                choices=steps, coerce=int, empty_value=None, required=False
            )
        if study.ask_comment:
            self.fields["comment"] = forms.Field(required=False)
        self.answer = self._arguments() if self.is_valid() else None

    def clean_visible_ms(self) -> int | None:
        """Milliseconds, or None for anything but a plain number of at most nine digits."""
        return _plain_number(self.cleaned_data["visible_ms"], digits=9)

    def clean_revision(self) -> int:
        """The newest revision that the page showed; 0 if there was none."""
        number = _plain_number(self.cleaned_data["revision"] or "0", digits=5)
        return -1 if number is None else number

    def clean_client_at(self) -> datetime | None:
        """A time with its zone, or None."""
        try:
            moment = parse_datetime(str(self.cleaned_data["client_at"] or ""))
        except ValueError:
            return None
        return moment if moment is not None and timezone.is_aware(moment) else None

    def clean_page_language(self) -> str:
        """A language tag such as zh-Hans, or ""."""
        tag = str(self.cleaned_data["page_language"] or "")
        return tag if LANGUAGE_TAG.fullmatch(tag) else ""

    def clean_comment(self) -> str:
        """Line ends as the page counts them, and no NUL, which databases refuse."""
        text = str(self.cleaned_data["comment"] or "").replace("\r\n", "\n").replace("\x00", "")
        if len(text.strip()) > COMMENT_LIMIT:
            raise forms.ValidationError("too long", code="max_length")
        return text.strip()

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        # "I cannot tell" needs no confidence.
        needed = self.study.ask_confidence and said.get("choice") != Judgment.Choice.UNSURE
        if needed and "confidence" not in self.errors and not said.get("confidence"):
            self.add_error("confidence", "missing")
        return said

    @property
    def assignment_key(self) -> UUID | None:
        """The assignment that was answered, even if other fields are wrong."""
        return self.cleaned_data.get("assignment")

    def _arguments(self) -> dict[str, Any]:
        said = self.cleaned_data
        names = ("choice", "shown", "revision", "visible_ms", "client_at", "page_language")
        asked = (*names, *FAMILIARITY, "confidence", "comment")
        kept = {name: said[name] for name in asked if name in said}
        return {"assignment_key": said["assignment"], **kept}

    def entered(self) -> dict[str, str]:
        """The entered values, for the page that asks again."""
        names = ("choice", *FAMILIARITY, "confidence", "comment")
        return {name: str(self.data.get(name, "")) for name in names}

    def problems(self) -> list[_StrPromise]:
        """What to do about each error, in the order of the page."""
        unknown = _("That was not one of the answers. Please choose again.")
        missing = _("Please choose again: no answer had arrived.")
        words = {
            ("assignment", "choice", "shown"): unknown if self.data.get("choice") else missing,
            FAMILIARITY: _("Please say how well you know each of the two."),
            ("confidence",): _("Please say how sure you are."),
            ("comment",): _("The comment is too long. Please shorten it a little."),
        }
        return [each for names, each in words.items() if not self.errors.keys().isdisjoint(names)]


class CloneForm(forms.Form):
    slug = forms.SlugField(max_length=60)
    draw = forms.ChoiceField(choices=[("same", "The same profiles"), ("new", "Other profiles")])


class MakeLinksForm(forms.Form):
    """How many personal links to make, and one label a line; labels alone give the number."""

    ticket = forms.CharField(max_length=100)
    count = forms.IntegerField(
        required=False,
        error_messages={"invalid": "How many links? Write a whole number."},
    )
    labels = forms.CharField(required=False)

    def clean_labels(self) -> list[str]:
        lines = (line.strip() for line in self.cleaned_data["labels"].splitlines())
        return [line for line in lines if line]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if "count" in said and said["count"] is None:
            said["count"] = len(said.get("labels", []))
        if said.get("count") == 0:
            self.add_error("count", "How many links? Write a number, or labels.")
        return said


class RevokeLinksForm(forms.Form):
    numbers = forms.CharField(
        max_length=1000, error_messages={"required": "Which links? Write their numbers."}
    )

    def clean_numbers(self) -> set[int]:
        try:
            return numbers_in(self.cleaned_data["numbers"])
        except StudyError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def _plain_number(sent: object, *, digits: int) -> int | None:
    """The number, or None for anything but at most ``digits`` plain digits."""
    text = str(sent or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None
