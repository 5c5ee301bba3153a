"""What a panel sends along with a person, and where it wants her back; pure, no database.

A description is what ``Protocol.panel`` holds: {"name", "parameters", "person", "outcomes":
{"done" | "screened" | "failed": {"code", "url"}}}, with or without {"placeholders": {parameter:
how the panel writes it in an address}}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from survey.errors import NotInvited, StudyError

OUTCOMES = ("done", "screened", "failed")
LONGEST_VALUE = 200
LONGEST_URL = 2000
MOST_PARAMETERS = 10
PROLIFIC_URL = "https://app.prolific.com/submissions/complete?cc={code}"
PROLIFIC_PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
PLACE = re.compile(r"\{([^{}]*)\}")
#: Names that stand for something else in an address or a form of ours.
TAKEN = ("code", "csrfmiddlewaretoken", "lang", "ticket", "trial", "version")
#: What a panel writes where it puts a value later: whoever sends it on was not sent by a panel.
UNFILLED = re.compile(r"\{\{|\}\}|\$\{|\{%|%\}|\[%|%\]|\[\[|\]\]|<[^>]*>|^%.*%$|^\{.*\}$|^\[.*\]$")
#: What programs write for nothing.
NOTHING = {"undefined", "null", "none", "nan", "nil", "[object object]", "(null)", "n/a"}
#: A last part of a path that browsers take for a way up.
DOTS = re.compile(r"\.+")


def prolific(*, done: str, screened: str, failed: str) -> dict[str, Any]:
    """Prolific's three parameters and its address for those who come back with one of the codes.

    Source: https://docs.prolific.com/api-reference/studies/the-study-object
    """
    codes = {"done": done, "screened": screened, "failed": failed}
    return {
        "name": "Prolific",
        "parameters": list(PROLIFIC_PARAMETERS),
        "person": PROLIFIC_PARAMETERS[0],
        "placeholders": {name: f"{{{{%{name}%}}}}" for name in PROLIFIC_PARAMETERS},
        "outcomes": {end: {"code": codes[end], "url": PROLIFIC_URL} for end in OUTCOMES},
    }


def described(table: Mapping[str, Any]) -> dict[str, Any]:
    """A description as it is stored, from one in full or from a preset with its three codes.

    {"preset": "prolific", "done": …, "screened": …, "failed": …}. StudyError.
    """
    if "preset" not in table:
        return dict(table)
    codes = {name: value for name, value in table.items() if name != "preset"}
    if table["preset"] != "prolific":
        raise StudyError(
            f"There is no preset {table['preset']!r} of a panel. There is 'prolific'; another "
            "panel is described by its parameters, person and outcomes."
        )
    if set(codes) != set(OUTCOMES):
        raise StudyError(f"The preset 'prolific' needs three codes: {', '.join(OUTCOMES)}.")
    return prolific(**codes)


def check(panel: Any) -> None:
    """StudyError unless people can come from this panel and be sent back to it."""
    if not isinstance(panel, Mapping):
        raise StudyError("A panel is described by its parameters, person and outcomes.")
    known = {"name", "parameters", "person", "placeholders", "outcomes"}
    if unknown := sorted(set(panel) - known):
        raise StudyError(f"A panel has no {unknown[0]!r}. It has: {', '.join(sorted(known))}.")
    name = panel.get("name", "")
    if not isinstance(name, str) or len(name) > 60 or not name.isprintable():
        raise StudyError("A panel's name is a text of at most 60 characters.")
    parameters = _parameters(panel.get("parameters"))
    if panel.get("person") not in parameters:
        raise StudyError(
            "Say which of the panel's parameters names a person: person is one of "
            f"{', '.join(parameters)}."
        )
    _check_placeholders(panel.get("placeholders", {}), parameters)
    ends = panel.get("outcomes")
    if not isinstance(ends, Mapping) or set(ends) != set(OUTCOMES):
        raise StudyError(f"A panel needs three outcomes: {', '.join(OUTCOMES)}.")
    for end in OUTCOMES:
        _check_outcome(end, ends[end], parameters)
    codes = [ends[end]["code"] for end in OUTCOMES if ends[end].get("code")]
    ways = {(ends[end].get("code", ""), ends[end].get("url", "")) for end in OUTCOMES}
    if len(set(codes)) < len(codes) or len(ways) < len(OUTCOMES):
        raise StudyError(
            "Two outcomes are the same to the panel. Give each of done, screened and failed a "
            "code of its own."
        )


def arrival(panel: Mapping[str, Any], sent: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The panel's parameters as they came, by name; NotInvited, with the reason, unless all did.

    ``sent`` holds every value that an address gives a name; parameters of other names are left.
    """
    names: list[str] = panel["parameters"]
    if not any(sent.get(name) for name in names):
        raise NotInvited("This study is for people whom a panel sends.", reason="panel")
    return {name: _value(name, sent.get(name, ())) for name in names}


def address(url: str, values: Mapping[str, str]) -> str:
    """``url`` with each {name} replaced by its value, percent-encoded to the last character."""
    return PLACE.sub(lambda found: quote(values.get(found[1], ""), safe=""), url)


def way_back(panel: Mapping[str, Any], *, outcome: str, parameters: Mapping[str, str]) -> str:
    """Where the panel wants somebody back who ended so; "" where it only wants the code."""
    end = panel["outcomes"][outcome]
    return address(end.get("url", ""), {**parameters, "code": end.get("code", "")})


def link_for_panel(panel: Mapping[str, Any], door: str) -> str:
    """What to enter in the panel: our address, with the panel's own words for each value."""
    placeholders = panel.get("placeholders", {})
    pairs = [f"{name}={placeholders.get(name, f'[{name}]')}" for name in panel["parameters"]]
    return f"{door}?{'&'.join(pairs)}"


def _parameters(names: Any) -> list[str]:
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_PARAMETERS:
        raise StudyError(f"A panel sends 1 to {MOST_PARAMETERS} parameters; name them in a list.")
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name) or name.lower() in TAKEN:
            raise StudyError(
                f"A panel's parameter cannot be called {name!r}: letters, digits, - and _ from a "
                f"letter on, at most 60, and none of {', '.join(TAKEN)}."
            )
    if len({name.lower() for name in names}) < len(names):
        raise StudyError("Two of the panel's parameters have the same name.")
    return names


def _check_placeholders(placeholders: Any, parameters: Iterable[str]) -> None:
    fine = isinstance(placeholders, Mapping) and all(
        name in parameters
        and isinstance(words, str)
        and 1 <= len(words) <= 100
        and words.isprintable()
        and not set(words) & set(" &=#?")
        for name, words in placeholders.items()
    )
    if not fine:
        raise StudyError(
            "placeholders maps the panel's parameters to how the panel writes them in an address, "
            "such as {{%PROLIFIC_PID%}}."
        )


def _check_outcome(end: str, way: Any, parameters: Sequence[str]) -> None:
    if not isinstance(way, Mapping) or not set(way) <= {"code", "url"}:
        raise StudyError(f"The outcome {end} has a code and a url, and nothing else.")
    code, url = way.get("code", ""), way.get("url", "")
    if not code and not url:
        raise StudyError(f"The outcome {end} needs a code, or an address to go back to.")
    if code and not (isinstance(code, str) and CODE.fullmatch(code)):
        raise StudyError(
            f"{code!r} cannot be the code of the outcome {end}: letters, digits, - and _, at most "
            "60 of them."
        )
    if url:
        _check_url(end, url, {*parameters, *(["code"] if code else [])})


def _check_url(end: str, url: Any, names: set[str]) -> None:
    """Only an address that leads a person to a page of the panel, whatever the values are."""
    what = f"The outcome {end} cannot lead to {url!r}:"
    # Browsers drop tabs and line ends in an address and read \\ as /: then it is another one.
    plain = isinstance(url, str) and url.isascii() and url.isprintable()
    if not plain or not len(url) <= LONGEST_URL or set(url) & set(' "<>\\^`|'):
        raise StudyError(
            f"{what} an address has no spaces or special characters (write them percent-encoded) "
            f"and at most {LONGEST_URL} of all."
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise StudyError(f"{what} it is no address. Write https://…") from error
    local = host in {"localhost", "127.0.0.1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise StudyError(f"{what} it has to begin with https://")
    if not host or "@" in parts.netloc or set(parts.netloc) & set("{}"):
        raise StudyError(f"{what} it has to name the panel's host itself, without a user name.")
    if set(PLACE.sub("", url)) & set("{}"):
        raise StudyError(f"{what} a brace is left over. Placeholders look like {{code}}.")
    if unknown := [name for name in PLACE.findall(url) if name not in names]:
        known = ", ".join(f"{{{name}}}" for name in sorted(names))
        raise StudyError(f"{what} there is no {{{unknown[0]}}}. Placeholders are: {known}.")


def _value(name: str, values: Sequence[str]) -> str:
    given = [value.strip() for value in values]
    if not given or not any(given):
        raise NotInvited(f"The panel sent no {name}.", reason="missing")
    if len(given) > 1:
        raise NotInvited(f"The panel sent {name} more than once.", reason="doubled")
    (value,) = given
    if len(value) > LONGEST_VALUE:
        raise NotInvited(f"The panel sent a {name} that is too long.", reason="long")
    if UNFILLED.search(value) or value.lower() in {*NOTHING, name.lower()}:
        raise NotInvited(f"The panel did not fill in {name}.", reason="unfilled")
    if not value.isprintable() or "\N{REPLACEMENT CHARACTER}" in value or DOTS.fullmatch(value):
        raise NotInvited(f"The panel sent a {name} that cannot be read.", reason="unreadable")
    return value
