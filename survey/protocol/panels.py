"""Panels: what they send with each person, and where people go back to; pure, no database.

``Study.panel`` holds the fields of ``Panel`` as JSON, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from survey.errors import NotInvited, StudyError
from survey.protocol.problems import StrictModel, validated

LONGEST_VALUE = 200
LONGEST_URL = 2000
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


class PanelOutcome(StrictModel):
    code: str = Field("", pattern="^[A-Za-z0-9_-]{0,60}$")
    """letters, digits, - and _, at most 60"""
    url: str = ""
    """the address to go back to"""


class PanelOutcomes(StrictModel):
    done: PanelOutcome
    """a code, a url or both for people who completed"""
    screened: PanelOutcome
    """a code, a url or both for people who were screened out"""
    failed: PanelOutcome
    """a code, a url or both for people who failed the attention checks"""


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
        for field, names in (("person", [self.person]), ("placeholders", self.placeholders)):
            if unknown := sorted(set(names) - set(self.parameters)):
                known = ", ".join(self.parameters)
                raise StudyError(f"{field} has no parameter {unknown[0]!r}. Choose from: {known}.")
        outcomes = [getattr(self.outcomes, name) for name in OUTCOMES]
        for name, outcome in zip(OUTCOMES, outcomes, strict=True):
            _check_outcome(f"outcomes.{name}", outcome, self.parameters)
        codes = [outcome.code for outcome in outcomes if outcome.code]
        ways = {(outcome.code, outcome.url) for outcome in outcomes}
        if len(set(codes)) < len(codes) or len(ways) < len(OUTCOMES):
            raise StudyError(
                "outcomes: the panel cannot tell two of them apart. Give done, screened and failed "
                "different codes."
            )
        return self


def _check_outcome(name: str, outcome: PanelOutcome, parameters: Sequence[str]) -> None:
    if not outcome.code and not outcome.url:
        raise StudyError(f"{name} is empty. Give a code, a url to go back to, or both.")
    known = sorted([*parameters, "code"] if outcome.code else parameters)
    if outcome.url and (problem := _url_problem(outcome.url, known)):
        raise StudyError(f"{name}.url = {outcome.url!r} is not possible. {problem}")


def _url_problem(url: str, names: Sequence[str]) -> str:
    """Why an address may lead anywhere but to a page of the panel, whatever the values are; ""."""
    # Browsers drop tabs and line ends in an address and read \\ as /, which makes it another one.
    if not (url.isascii() and url.isprintable()) or set(url) & set(' "<>\\^`|'):
        return "Percent-encode spaces and special characters."
    if len(url) > LONGEST_URL:
        return f"Use at most {LONGEST_URL} characters."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "Write an address such as https://panel.example/back."
    local = parts.scheme == "http" and host in {"localhost", "127.0.0.1"}
    if parts.scheme != "https" and not local:
        return "Begin with https://."
    if not host or "@" in parts.netloc or set(parts.netloc) & set("{}"):
        return "Write the panel's host itself, without a user name or a placeholder."
    unknown = [name for name in PLACEHOLDER.findall(url) if name not in names]
    if unknown or set(PLACEHOLDER.sub("", url)) & set("{}"):
        known = ", ".join(f"{{{name}}}" for name in names)
        return f"Use no braces but those of the placeholders {known}."
    return ""


def prolific_panel(*, done: str, screened: str, failed: str) -> dict[str, Any]:
    """Prolific's parameters, and its return address with the code of each outcome.

    Source: https://docs.prolific.com/api-reference/studies/the-study-object
    """
    codes = {"done": done, "screened": screened, "failed": failed}
    return {
        "name": "Prolific",
        "parameters": list(PROLIFIC_PARAMETERS),
        "person": PROLIFIC_PARAMETERS[0],
        "placeholders": {name: f"{{{{%{name}%}}}}" for name in PROLIFIC_PARAMETERS},
        "outcomes": {name: {"code": codes[name], "url": PROLIFIC_URL} for name in OUTCOMES},
    }


def expand_preset(panel: Any) -> Any:
    """The panel in full where ``panel`` is a preset with its codes, else ``panel`` itself.

    {"preset": "prolific", "done": …, "screened": …, "failed": …}. StudyError.
    """
    if not isinstance(panel, Mapping) or "preset" not in panel:
        return panel
    codes = {name: value for name, value in panel.items() if name != "preset"}
    if panel["preset"] != "prolific" or set(codes) != set(OUTCOMES):
        raise StudyError(
            "panel: the only preset is 'prolific', with the three codes "
            f"{', '.join(OUTCOMES)}. Give these, or the panel's parameters, person and outcomes."
        )
    return prolific_panel(**codes)


def check_panel(panel: Mapping[str, Any]) -> None:
    """StudyError unless people can come from this panel and go back to it."""
    try:
        validated(Panel, panel)
    except StudyError as error:
        raise StudyError(f"The panel: {error}") from error


def read_arrival(panel: Mapping[str, Any], sent: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The panel's parameters by name. NotInvited, with the reason, unless each one has a value.

    ``sent`` maps the names in an address to all their values; names of others are ignored.
    """
    names: list[str] = panel["parameters"]
    if not any(sent.get(name) for name in names):
        raise NotInvited("This study is for people sent by a panel.", reason="panel")
    return {name: _read_value(name, sent.get(name, ())) for name in names}


def fill_address(url: str, values: Mapping[str, str]) -> str:
    """``url`` with each {name} replaced by its value, percent-encoded in full."""
    return PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), url)


def return_address(panel: Mapping[str, Any], *, outcome: str, parameters: Mapping[str, str]) -> str:
    """Where a person with this outcome goes back to; "" where the panel takes only a code."""
    end = panel["outcomes"][outcome]
    return fill_address(end.get("url", ""), {**parameters, "code": end.get("code", "")})


def link_for_panel(panel: Mapping[str, Any], study_url: str) -> str:
    """The study's address to enter at the panel, with its placeholder for each parameter."""
    placeholders = panel.get("placeholders", {})
    pairs = [f"{name}={placeholders.get(name, f'[{name}]')}" for name in panel["parameters"]]
    return f"{study_url}?{'&'.join(pairs)}"


def _read_value(name: str, values: Sequence[str]) -> str:
    given = [value.strip() for value in values]
    if not any(given):
        raise NotInvited(f"The panel sent no {name}.", reason="missing")
    if len(given) > 1:
        raise NotInvited(f"The panel sent {name} more than once.", reason="doubled")
    (value,) = given
    if len(value) > LONGEST_VALUE:
        raise NotInvited(f"The panel sent a {name} that is too long.", reason="long")
    if UNFILLED.search(value) or value.lower() in {*EMPTY_VALUES, name.lower()}:
        raise NotInvited(f"The panel did not fill in {name}.", reason="unfilled")
    if not value.isprintable() or "\N{REPLACEMENT CHARACTER}" in value or DOTS.fullmatch(value):
        raise NotInvited(f"The panel sent a {name} that cannot be read.", reason="unreadable")
    return value
