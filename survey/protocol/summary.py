"""The options of a study in words, for researchers; pure."""

from __future__ import annotations

from survey.protocol.fields import Protocol, StudyPlan

Words = tuple[str, str]
MOVIES: Words = ("movie", "movies")
LANGUAGE_NAMES = {"en": "English", "de": "German", "es": "Spanish", "zh-hans": "Chinese"}
THIRD_ANSWERS = {
    "": "",
    "tie": "; a third button says that both fit equally well or badly",
    "unsure": "; a third button says “I cannot tell”",
}
CHANGES = {
    "never": "An answer cannot be changed.",
    "previous": "Only the previous answer can be changed.",
    "finish": "Every answer can be changed until the end.",
}


def summarize(
    protocol: Protocol, plan: StudyPlan, *, arms: int, nouns: Words = MOVIES
) -> dict[str, str]:
    """The decisions by subject, in the order in which an appraiser meets them.

    ``nouns`` are the words for one item and for several.
    """
    found = {
        "Profiles": f"{count_noun(plan.profiles, 'profile')} "
        f"{describe_profiles(protocol, plan, nouns)}.",
        "Systems": _pairs(protocol, arms, nouns),
        "Who takes part": _entry(protocol, plan.appraisers),
        "Language": _language(protocol),
        "Questions": _questions(protocol, plan.questions),
        "Answers": _answers(protocol, nouns),
        "Questionnaires": _questionnaires(protocol),
        "Dropouts": f"After {_time(protocol.return_after)} without activity, unanswered questions "
        "are given to other people.",
        "Withdrawal": _withdrawal(protocol),
    }
    return {subject: words for subject, words in found.items() if words}


def describe_profiles(protocol: Protocol, plan: StudyPlan, nouns: Words = MOVIES) -> str:
    """Which profiles can be drawn, such as "of 5 movies or more"."""
    size = f"{plan.minimum_profile} {nouns[1]} or more"
    if protocol.maximum_profile is not None:
        size = f"{plan.minimum_profile} to {protocol.maximum_profile} {nouns[1]}"
    first, last = protocol.era_from, protocol.era_to
    if first and last:
        return f"of {size}, with a median year from {first} to {last}"
    if first or last:
        year = f"{first} or later" if first else f"{last} or earlier"
        return f"of {size}, with a median year of {year}"
    return f"of {size}"


def _pairs(protocol: Protocol, arms: int, nouns: Words) -> str:
    if arms == 2:
        return ""
    if protocol.pairs == "balanced":
        return f"One pair of the {arms} on each profile; all pairs equally often, give or take one."
    return f"Every pair of the {arms} on each profile, where they recommend different {nouns[1]}."


def _entry(protocol: Protocol, quota: int) -> str:
    who = {
        "open": "Anyone who has the link",
        "personal": "People with a personal link",
        "panel": f"People sent by {protocol.panel.get('name') or 'a panel'}, each once",
    }
    return f"{who[protocol.entry]}; there are {quota} places."


def _language(protocol: Protocol) -> str:
    if protocol.language:
        return f"All pages are in {LANGUAGE_NAMES[protocol.language]}."
    own = [LANGUAGE_NAMES.get(code, code) for code in protocol.translations]
    words = f"The study’s own texts are also in {_listed(own)}. " if own else ""
    return f"{words}The pages are in the language of the browser, or the one that a person chooses."


def _questions(protocol: Protocol, questions: int) -> str:
    main = f"{count_noun(questions, 'question')} that count{'s' if questions == 1 else ''}"
    if protocol.n_repeats:
        main += f" ({protocol.n_repeats} of them asked again with the sides swapped)"
    parts = [main]
    if protocol.n_practice:
        parts.insert(0, count_noun(protocol.n_practice, "practice question"))
    if protocol.n_checks:
        checks = count_noun(protocol.n_checks, "attention check")
        parts.append(f"{checks} ({protocol.checks_to_pass} must be answered correctly)")
    return f"Each person gets {_listed(parts)}."


def _answers(protocol: Protocol, nouns: Words) -> str:
    asked = {
        f"how well each {nouns[0]} is known": protocol.ask_familiarity,
        "how sure the choice is": protocol.ask_confidence,
        "an optional comment": protocol.ask_comment,
    }
    parts = [name for name, wanted in asked.items() if wanted]
    also = f" Also asked: {_listed(parts)}." if parts else ""
    third, changes = THIRD_ANSWERS[protocol.third_answer], CHANGES[protocol.changes]
    return f"One of two {nouns[1]}{third}.{also} {changes}"


def _questionnaires(protocol: Protocol) -> str:
    parts = [
        f"{count_noun(len(items), 'item')} {place} the questions"
        for items, place in ((protocol.before, "before"), (protocol.after, "after"))
        if items
    ]
    return f"{_listed(parts)}." if parts else ""


def _withdrawal(protocol: Protocol) -> str:
    until = protocol.withdraw_until
    when = f"until {until.day} {until:%B %Y}" if until else "at any time"
    return f"Everyone can have all their answers erased {when}."


def _time(minutes: int) -> str:
    for size, noun in ((1440, "day"), (60, "hour")):
        if minutes % size == 0:
            return count_noun(minutes // size, noun)
    return count_noun(minutes, "minute")


def count_noun(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
