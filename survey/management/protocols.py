"""The flags and the file by which ``create_study`` is told of a study's course."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from survey.errors import StudyError
from survey.protocol import toml_file
from survey.protocol.fields import CHOICES, Protocol

#: The largest file of settings or words: more is a mistake, and would fill the memory.
LARGEST_BYTES = 1_000_000


def add_protocol_arguments(parser: ArgumentParser) -> None:
    """Every flag's default is None: what no flag says, the file or the paper decides."""
    course = parser.add_argument_group(
        "course of the study", "each stands in a --protocol file too; a flag goes before the file"
    )
    course.add_argument(
        "--protocol", type=Path, metavar="FILE.toml", help="the fields of docs/study-protocol.md"
    )
    third = course.add_mutually_exclusive_group()
    third.add_argument("--tie", action="store_true", help="offer 'both fit equally well or badly'")
    third.add_argument("--unsure", action="store_true", help="offer 'I cannot tell'")
    course.add_argument("--familiarity", action="store_true", help="ask how well one knows each")
    course.add_argument("--confidence", action="store_true", help="ask how sure the choice is")
    course.add_argument("--comment", action="store_true", help="offer a free comment")
    course.add_argument("--practice", type=int, metavar="N", help="questions to practise with")
    course.add_argument("--checks", type=int, metavar="N", help="questions that say what to choose")
    course.add_argument("--checks-to-pass", type=int, metavar="N", help="default: all of them")
    course.add_argument("--repeats", metavar="N|N%", help="questions asked again, sides swapped")
    course.add_argument("--changes", choices=CHOICES["changes"], help="answers one may change")
    course.add_argument("--return-after", type=int, metavar="MINUTES", help="of silence")
    course.add_argument("--language", choices=CHOICES["language"][1:], help="of all pages")
    course.add_argument("--entry", choices=CHOICES["entry"], help="who comes in")
    course.add_argument(
        "--prolific", metavar="DONE,SCREENED,FAILED", help="people from Prolific, and its codes"
    )
    course.add_argument("--pairs", choices=CHOICES["pairs"], help="of more than two arms")
    course.add_argument("--max-profile", type=int, metavar="N", help="movies a profile has at most")
    course.add_argument("--era", metavar="FROM-TO", help="median year of a profile's movies")
    course.add_argument("--withdraw-until", metavar="DATE", help="last day to have it all erased")


def protocol_of(options: dict[str, Any]) -> Protocol:
    """What file and flags decide together. StudyError."""
    questions = options["questions"]
    decided: dict[str, Any] = {}
    if file := options["protocol"]:
        decided = toml_file.read_protocol(read_bytes(file), name=str(file), questions=questions)
    decided |= _flags(options)
    # Whoever makes checks and says no more wants them passed.
    decided.setdefault("checks_to_pass", decided.get("n_checks", 0))
    try:
        return toml_file.protocol(decided)
    except StudyError as error:
        raise StudyError(f"{file}: {error}" if file else str(error)) from error


def read_words(file: Path | None) -> str:
    """The text of a file, without white space around it; "" without a file. StudyError."""
    if file is None:
        return ""
    try:
        words = read_bytes(file).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise StudyError(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
    if not words:
        raise StudyError(f"{file} is empty. Write the words into it, or leave the flag out.")
    return words.replace("\r\n", "\n")


def read_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}. Name a file.") from error
    if len(content) > LARGEST_BYTES:
        raise StudyError(f"{file} is larger than {LARGEST_BYTES:,} bytes. Name another file.")
    return content


def _flags(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that a flag decides."""
    said: dict[str, Any] = {
        "n_practice": options["practice"],
        "n_checks": options["checks"],
        "checks_to_pass": options["checks_to_pass"],
        "changes": options["changes"],
        "return_after": options["return_after"],
        "language": options["language"],
        "entry": options["entry"],
        "pairs": options["pairs"],
        "maximum_profile": options["max_profile"],
        "ask_familiarity": options["familiarity"] or None,
        "ask_confidence": options["confidence"] or None,
        "ask_comment": options["comment"] or None,
        "third_answer": "tie" if options["tie"] else "unsure" if options["unsure"] else None,
    }
    decided = {field: value for field, value in said.items() if value is not None}
    if options["repeats"] is not None:
        decided["n_repeats"] = toml_file.repeats(options["repeats"], options["questions"])
    if options["withdraw_until"] is not None:
        decided["withdraw_until"] = toml_file.day(options["withdraw_until"])
    if options["prolific"] is not None:
        decided |= toml_file.prolific(options["prolific"])
    if options["era"] is not None:
        decided |= toml_file.era(options["era"])
    return decided
