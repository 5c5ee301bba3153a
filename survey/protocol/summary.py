"""What was decided about a study's course, in words for researchers; pure."""

from __future__ import annotations

from dataclasses import dataclass

from survey.protocol.fields import Protocol

LANGUAGE_NAMES = {"en": "English", "de": "German", "es": "Spanish", "zh-hans": "Chinese"}
THIRD = {
    "tie": "a third button says that both fit equally well or badly",
    "unsure": "a third button says that one cannot tell",
}
CHANGES = {
    "never": "An answer that was given stays.",
    "previous": "The answer before can be changed, and no earlier one.",
    "finish": "Every answer can be changed until the end.",
}


@dataclass(frozen=True)
class Decision:
    term: str
    words: str


@dataclass(frozen=True)
class Numbers:
    """What a study decides beside its protocol."""

    arms: int
    profiles: int
    minimum_profile: int
    questions: int
    quota: int


def in_words(protocol: Protocol, numbers: Numbers) -> list[Decision]:
    """One decision a line, in the order in which a person meets them."""
    found = {
        "Profiles": _profiles(protocol, numbers),
        "Systems": _pairs(protocol, numbers.arms),
        "Who takes part": _entry(protocol, numbers.quota),
        "Language": _language(protocol),
        "Questions": _questions(protocol, numbers.questions),
        "Answers": _answers(protocol),
        "Questionnaires": _questionnaires(protocol),
        "Who falls silent": (
            f"After {_time(protocol.return_after)} without a sign of life, the questions that "
            "were not answered are given to others."
        ),
        "Erasing": _erasing(protocol),
    }
    return [Decision(term, words) for term, words in found.items() if words]


def _profiles(protocol: Protocol, numbers: Numbers) -> str:
    size = f"of {numbers.minimum_profile} movies or more"
    if protocol.maximum_profile is not None:
        size = f"of {numbers.minimum_profile} to {protocol.maximum_profile} movies"
    words = f"{_number(numbers.profiles, 'profile')} {size}"
    first, last = protocol.era_from, protocol.era_to
    if first and last:
        words += f", whose median year is from {first} to {last}"
    elif first:
        words += f", whose median year is {first} or later"
    elif last:
        words += f", whose median year is {last} or earlier"
    return f"{words}."


def _pairs(protocol: Protocol, arms: int) -> str:
    if arms == 2:
        return ""
    if protocol.pairs == "balanced":
        return f"One pair of the {arms} on each profile, every pair on as many, give or take one."
    return f"Every pair of the {arms} on each profile, where they name different movies."


def _entry(protocol: Protocol, quota: int) -> str:
    panel = str(protocol.panel.get("name") or "a panel")
    who = {
        "open": "everybody who has the link",
        "personal": "everybody who was sent a personal link",
        "panel": f"people whom {panel} sends, each once",
    }
    return f"{_capital(who[protocol.entry])}; there are {quota} places."


def _language(protocol: Protocol) -> str:
    if protocol.language:
        return f"All pages are in {LANGUAGE_NAMES[protocol.language]}."
    own = [LANGUAGE_NAMES.get(code, code) for code in protocol.translations]
    words = f"The study’s own words are there in {_listed(own)} too. " if own else ""
    return f"{words}The pages speak the browser’s language, or the one that a person chooses."


def _questions(protocol: Protocol, questions: int) -> str:
    counting = f"{_number(questions, 'question')} that count"
    if questions == 1:
        counting = "one question that counts"
    if protocol.n_repeats:
        counting += f" ({protocol.n_repeats} of them asked again with the sides swapped)"
    parts = [counting]
    if protocol.n_practice:
        parts.insert(0, f"{_number(protocol.n_practice, 'question')} for practice")
    if protocol.n_checks:
        wanted = f"{protocol.checks_to_pass} must be answered so"
        if not protocol.checks_to_pass:
            wanted = "nobody is left out by them"
        elif protocol.checks_to_pass == protocol.n_checks:
            wanted = "to be answered so"
        parts.append(
            f"{_number(protocol.n_checks, 'check')} saying which movie to choose ({wanted})"
        )
    return f"Each person gets {_listed(parts)}."


def _answers(protocol: Protocol) -> str:
    words = "One of two movies"
    if protocol.third_answer:
        words += f"; {THIRD[protocol.third_answer]}"
    asked = {
        "how well each movie is known": protocol.ask_familiarity,
        "how sure the choice is": protocol.ask_confidence,
        "a comment, if one likes": protocol.ask_comment,
    }
    beside = [name for name, wanted in asked.items() if wanted]
    beside_words = f" Beside it: {_listed(beside)}." if beside else ""
    return f"{words}.{beside_words} {CHANGES[protocol.changes]}"


def _questionnaires(protocol: Protocol) -> str:
    parts = [
        f"{_number(len(items), 'item')} {place} the questions"
        for items, place in ((protocol.before, "before"), (protocol.after, "after"))
        if items
    ]
    return f"{_capital(_listed(parts))}." if parts else ""


def _erasing(protocol: Protocol) -> str:
    until = protocol.withdraw_until
    when = f"until {until.day} {until:%B %Y}" if until else "at any time"
    return f"Everybody can have all answers erased {when}."


def _time(minutes: int) -> str:
    if minutes % 1440 == 0:
        return _number(minutes // 1440, "day")
    if minutes % 60 == 0:
        return _number(minutes // 60, "hour")
    return _number(minutes, "minute")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
