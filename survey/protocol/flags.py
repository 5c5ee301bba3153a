"""The flags and the TOML file by which ``create_study`` takes the options of a study."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from recommender.options import add_flags, flag_of_field
from survey.errors import StudyError
from survey.protocol.fields import Protocol
from survey.protocol.panels import OUTCOMES
from survey.protocol.problems import validated
from survey.protocol.toml_file import read_toml

#: Fields whose flags have another form than the field.
OWN_FLAGS = {
    "third_answer": "--tie, --unsure",
    "era_from": "--era FROM-TO",
    "era_to": "--era FROM-TO",
    "panel": "--prolific DONE,SCREENED,FAILED",
}


def flag_of(name: str) -> str:
    """``--practice`` of ``n_practice``."""
    return flag_of_field(name.removeprefix("ask_").removeprefix("n_").replace("imum_", "_"))


def add_protocol_arguments(parser: ArgumentParser) -> None:
    """Every flag's default is None, so that the file or the protocol decides without it."""
    group = parser.add_argument_group(
        "protocol", "a --protocol file can set each of these; a flag overrides the file"
    )
    group.add_argument("--protocol", type=Path, metavar="FILE.toml", help="see study-protocol.md")
    third = group.add_mutually_exclusive_group()
    for value, answer in (("tie", "both fit equally well or badly"), ("unsure", "I cannot tell")):
        words = f"offer a third answer: {answer}"
        form: dict[str, Any] = {"dest": "third_answer", "action": "store_const", "const": value}
        third.add_argument(f"--{value}", help=words, **form)
    group.add_argument("--era", metavar="FROM-TO", help="median year of a profile's movies")
    words = "take people from Prolific: its codes"
    group.add_argument("--prolific", metavar="DONE,SCREENED,FAILED", help=words)
    add_flags(group, Protocol, flag_of, without=OWN_FLAGS)


def protocol_from(options: dict[str, Any]) -> Protocol:
    """The protocol that the file and the flags set. StudyError."""
    file = options["protocol"]
    values = read_toml(file) if file else {}
    names = Protocol.model_fields.keys() & options.keys()
    values |= {name: options[name] for name in names if options[name] is not None}
    if options["era"] is not None:
        values |= read_era(options["era"])
    if options["prolific"] is not None:
        values |= read_prolific(options["prolific"])
    values.setdefault("checks_to_pass", values.get("n_checks", 0))
    try:
        return validated(Protocol, values, questions=options["questions"])
    except StudyError as error:
        raise StudyError(f"{file}: {error}" if file else str(error)) from error


def read_era(text: str) -> dict[str, int | None]:
    """The fields of ``FROM-TO``, ``FROM-`` or ``-TO``, years of four digits. StudyError."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    years = [year for year in (first, last) if year]
    if not dash or not years or not all(re.fullmatch("[0-9]{4}", year) for year in years):
        raise StudyError(
            f"--era {text!r} is not possible. Write FROM-TO, such as 1980-1999; either year can be "
            "left out."
        )
    return {"era_from": int(first) if first else None, "era_to": int(last) if last else None}


def read_prolific(text: str) -> dict[str, Any]:
    """The fields of Prolific's codes ``DONE,SCREENED,FAILED``. StudyError."""
    codes = [code.strip() for code in text.split(",")]
    if len(codes) != len(OUTCOMES):
        raise StudyError(
            f"--prolific {text!r} is not possible. Give three codes, those for "
            f"{', '.join(OUTCOMES)}, with commas between them."
        )
    return {"entry": "panel", "panel": dict(zip(OUTCOMES, codes, strict=True), preset="prolific")}
