"""Panels: what they send with each person, and where people go back to; pure, no database.

``Study.panel`` holds the fields of ``Panel`` as JSON, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from recommender.options import StrictModel
from survey.errors import NotInvited, StudyError
from survey.protocol.problems import validated

LONGEST_VALUE = 200
PROLIFIC_URL = "https://app.prolific.com/submissions/complete?cc={code}"
PROLIFIC_PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
#: Names that the site's own addresses and forms use.
RESERVED = ("code", "csrfmiddlewaretoken", "lang", "ticket", "trial", "version")
#: Placeholders of panels: a person who brings one was not sent by the panel.
UNFILLED = re.compile(r"\{\{|\}\}|\$\{|\{%|%\}|\[%|%\]|\[\[|\]\]|<[^>]*>|^%.*%$|^\{.*\}$|^\[.*\]$")
#: What programs write for a missing value.
EMPTY_VALUES = {"undefined", "null", "none", "nan", "nil", "[object object]", "(null)", "n/a"}
#: Browsers take a path segment of dots for a parent folder.
DOTS = re.compile(r"\.+")


def _check_names(names: list[str]) -> list[str]:
    known = {name.lower() for name in names}
    if len(known) < len(names) or known & set(RESERVED):
        raise ValueError(f"Give each name once, and none of {', '.join(RESERVED)}.")
    return names


ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,59}$")]
#: Printable, and without the characters that end a value in an address.
PlaceholderText = Annotated[str, Field(max_length=100, pattern=r"^[^\s\p{C}&=#?]+$")]


def _check_url(url: str) -> str:
    """Refuses an address that could lead anywhere but to the panel's host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("Write an address such as https://panel.example/back.") from None
    is_local = parts.scheme == "http" and host in {"localhost", "127.0.0.1"}
    if url and parts.scheme != "https" and not is_local:
        raise ValueError("Begin with https://.")
    if url and (not host or "@" in parts.netloc or set(parts.netloc) & set("{}")):
        raise ValueError("Write the panel's host itself, without a user name or a placeholder.")
    return url


#: Browsers drop tabs and line ends in an address and read \\ as /, which makes it another one.
Url = Annotated[
    str,
    Field(max_length=2000, pattern=r"""^[!-~&&[^"<>\\^`|]]*$"""),
    AfterValidator(_check_url),
]


class PanelOutcome(StrictModel):
    code: str = Field("", pattern="^[A-Za-z0-9_-]{0,60}$")
    """letters, digits, - and _, at most 60"""
    url: Url = ""
    """an address of at most 2000 characters, with spaces and special characters percent-encoded"""

    @model_validator(mode="after")
    def _check_not_empty(self) -> Self:
        if not self.code and not self.url:
            raise ValueError("Give a code, a url to go back to, or both.")
        return self


ReturnWay = Annotated[PanelOutcome, Field(description="a code, a url to go back to, or both")]


class PanelOutcomes(StrictModel):
    done: ReturnWay
    screened: ReturnWay
    failed: ReturnWay


OUTCOMES = tuple(PanelOutcomes.model_fields)


class Panel(StrictModel):
    name: str = Field("", max_length=60, pattern=r"^[\P{C}]*$")
    """a name of at most 60 characters"""
    parameters: Annotated[list[ParameterName], AfterValidator(_check_names)] = Field(
        min_length=1, max_length=10
    )
    """a list of 1 to 10 names of parameters in the address, each a letter and then letters,
    digits, - or _, at most 60"""
    person: str
    """the parameter that identifies a person"""
    placeholders: dict[str, PlaceholderText] = {}
    """how the panel writes each parameter's value, such as {{%PROLIFIC_PID%}}"""
    outcomes: PanelOutcomes
    """the three outcomes done, screened and failed"""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        known = ", ".join(self.parameters)
        for field, names in (("person", {self.person}), ("placeholders", {*self.placeholders})):
            for unknown in sorted(names.difference(self.parameters)):
                raise StudyError(f"{field} has no parameter {unknown!r}. Choose from: {known}.")
        for name, outcome in self.outcomes:
            usable = sorted([*self.parameters, "code"] if outcome.code else self.parameters)
            if set(re.sub(rf"\{{({'|'.join(usable)})\}}", "", outcome.url)) & set("{}"):
                raise StudyError(
                    f"outcomes.{name}.url = {outcome.url!r} is not possible. Use no braces but "
                    f"those of the placeholders {', '.join(f'{{{each}}}' for each in usable)}."
                )
        ways = [outcome for _, outcome in self.outcomes]
        codes = [outcome.code for outcome in ways if outcome.code]
        if len(set(codes)) < len(codes) or len(set(ways)) < len(ways):
            raise StudyError(
                "outcomes: the panel cannot tell two of them apart. Give done, screened and failed "
                "different codes."
            )
        return self


def prolific_panel(**codes: str) -> dict[str, Any]:
    """Prolific's parameters, and its return address with the code of each of ``OUTCOMES``.

    Source: https://docs.prolific.com/api-reference/studies/the-study-object
    """
    return {
        "name": "Prolific",
        "parameters": list(PROLIFIC_PARAMETERS),
        "person": PROLIFIC_PARAMETERS[0],
        "placeholders": {name: f"{{{{%{name}%}}}}" for name in PROLIFIC_PARAMETERS},
        "outcomes": {name: {"code": codes[name], "url": PROLIFIC_URL} for name in OUTCOMES},
    }


def expand_preset(panel: dict[str, Any]) -> dict[str, Any]:
    """The panel in full; {"preset": "prolific", "done": …, …} stands for Prolific. StudyError."""
    if "preset" not in panel:
        return panel
    if panel["preset"] != "prolific" or set(panel) != {"preset", *OUTCOMES}:
        raise StudyError(
            "panel: the only preset is 'prolific', with the three codes "
            f"{', '.join(OUTCOMES)}. Give these, or the panel's parameters, person and outcomes."
        )
    return prolific_panel(**{name: panel[name] for name in OUTCOMES})


def check_panel(panel: Mapping[str, Any]) -> None:
    """StudyError unless people can come from this panel and go back to it."""
    try:
        validated(Panel, panel)
    except StudyError as error:
        raise StudyError(f"The panel: {error}") from error


def read_arrival(panel: Mapping[str, Any], sent: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The panel's parameters by name. NotInvited, with the reason, unless each one has a value.

    ``sent`` maps the names in an address, in upper or lower case, to all their values; names of
    others are ignored.
    """
    names: list[str] = panel["parameters"]
    given = {
        name: [
            value for key, values in sent.items() if key.lower() == name.lower() for value in values
        ]
        for name in names
    }
    if not any(given.values()):
        raise NotInvited("This study is for people sent by a panel.", reason="panel")
    return {name: _read_value(name, values) for name, values in given.items()}


def return_address(panel: Mapping[str, Any], *, outcome: str, parameters: Mapping[str, str]) -> str:
    """Where a person with this outcome goes back to; "" where the panel takes only a code.

    Values that replace a {name} are percent-encoded in full.
    """
    end = panel["outcomes"][outcome]
    values = {**parameters, "code": end.get("code", "")}
    return PLACEHOLDER.sub(
        lambda found: quote(values.get(found[1], ""), safe=""), end.get("url", "")
    )


def link_for_panel(panel: Mapping[str, Any], study_url: str) -> str:
    """The study's address to enter at the panel, with its placeholder for each parameter."""
    placeholders = panel.get("placeholders", {})
    pairs = [f"{name}={placeholders.get(name, f'[{name}]')}" for name in panel["parameters"]]
    return f"{study_url}?{'&'.join(pairs)}"


def _read_value(name: str, values: Sequence[str]) -> str:
    given = {value.strip() for value in values}
    if not any(given):
        raise NotInvited(f"The panel sent no {name}.", reason="missing")
    if len(given) > 1:
        raise NotInvited(
            f"The panel sent {name} more than once, with different values.", reason="doubled"
        )
    (value,) = given
    if len(value) > LONGEST_VALUE:
        raise NotInvited(f"The panel sent a {name} that is too long.", reason="long")
    if UNFILLED.search(value) or value.lower() in {*EMPTY_VALUES, name.lower()}:
        raise NotInvited(f"The panel did not fill in {name}.", reason="unfilled")
    if not value.isprintable() or "\N{REPLACEMENT CHARACTER}" in value or DOTS.fullmatch(value):
        raise NotInvited(f"The panel sent a {name} that cannot be read.", reason="unreadable")
    return value
