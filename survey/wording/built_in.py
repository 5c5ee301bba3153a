"""The built-in texts of a study: plain, kind and without jargon.

Sentences are chosen by the study's options, so that the consent is true. The functions that
translate are passed in; the texts here are English.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from survey.protocol.builtin import gettext_noop

if TYPE_CHECKING:
    from survey.protocol.fields import Protocol as StudyProtocol


class Plural(Protocol):
    def __call__(self, one: str, many: str, number: int, /) -> str: ...


def in_english(one: str, many: str, number: int) -> str:
    return one if number == 1 else many


SECONDS_A_QUESTION = 40
SECONDS_AN_ITEM = 8

TITLE = gettext_noop("Which movie fits better?")

INVITATION = gettext_noop(
    "You are invited to take part in a small study about movie recommendations."
)
TASK = gettext_noop(
    "What you will do: you will see which movies a person has rated, and two movies that this "
    "person might be recommended next. You say which of the two fits better. You need not know "
    "the movies."
)
LISTS = gettext_noop("Besides, you answer a few questions about yourself or about the study.")
KEPT = gettext_noop(
    "What is kept: your answers, when you gave them (by our clock and by that of your device), how "
    "long each question was on your screen, when you agreed to take part and when you were last "
    "here, and the language you read. Your name, your e-mail address and your network address are "
    "not kept. The ratings you see were given by people who are not named."
)
#: One sentence for everything that is asked with each choice.
ASKED = {
    ("ask_familiarity",): gettext_noop(
        "With each choice you say how well you know the two movies; this is kept as well."
    ),
    ("ask_confidence",): gettext_noop(
        "With each choice you say how sure you are; this is kept as well."
    ),
    ("ask_familiarity", "ask_confidence"): gettext_noop(
        "With each choice you say how well you know the two movies and how sure you are; this is "
        "kept as well."
    ),
}
COMMENTS = gettext_noop(
    "You may write comments. They are kept as you write them: please name nobody in them."
)
TOGETHER = gettext_noop(
    "Your answers about yourself or about the study are kept together with the others."
)
PANEL = gettext_noop(
    "The panel that sent you here adds its number for you to the address. It is kept, so that you "
    "can be paid and take part once; we cannot tell from it who you are, but the panel can."
)
PERSONAL = gettext_noop(
    "Your personal link may bear a note of the researchers that says whose it is. The note shows "
    "them whether you took part; it stands in no file of answers."
)
CHANGED = gettext_noop("When you change an answer, the earlier one is kept too.")
VOLUNTARY = gettext_noop(
    "Taking part is voluntary. You can stop at any time by closing the page; answers already given "
    "are kept. You can come back and go on later through the private link that you get next."
)
ERASE = gettext_noop(
    "You can have everything erased, through the same private link. What stays is a note that "
    "somebody left, with the day and the number of answers."
)
ERASE_UNTIL = gettext_noop(
    "You can have everything erased until {date}, through the same private link. What stays is a "
    "note that somebody left, with the day and the number of answers."
)
ERASE_PERSONAL = gettext_noop(
    "Your personal link stays marked as used on that day, without whose it was."
)
ERASE_PANEL = gettext_noop(
    "If your part had ended by then, a code made from the panel's number for you stays too, with "
    "how it ended, so that each person takes part once: we can recognise the number by it, but "
    "not read it."
)
#: What else stays after an erasure, by entry.
STAYS = {"personal": ERASE_PERSONAL, "panel": ERASE_PANEL}

#: What stands for these texts where the items are not movies.
OTHER_ITEMS = {
    TITLE: gettext_noop("Which recommendation fits better?"),
    INVITATION: gettext_noop("You are invited to take part in a small study of recommendations."),
    TASK: gettext_noop(
        "What you will do: you will see what a person has rated, and two recommendations that this "
        "person might be given next. You say which of the two fits better. You need not know them."
    ),
    ASKED[("ask_familiarity",)]: gettext_noop(
        "With each choice you say how well you know the two; this is kept as well."
    ),
    ASKED[("ask_familiarity", "ask_confidence")]: gettext_noop(
        "With each choice you say how well you know the two and how sure you are; this is kept as "
        "well."
    ),
}
LOOK_UP = gettext_noop(
    "You may look movies up: in Google, in IMDb, or anywhere else you like. The links beside "
    "each movie make it easy."
)
OTHER_ITEMS[LOOK_UP] = gettext_noop(
    "You may look recommendations up anywhere you like. The links beside them make it easy."
)

INSTRUCTIONS_PARTS = (
    gettext_noop(
        "Each question shows everything one person has rated, best first, and two recommendations "
        "for this person."
    ),
    gettext_noop(
        "Choose the recommendation that you think is more relevant to this person, going by the "
        "profile, not by your own taste."
    ),
    LOOK_UP,
)
NEITHER = {
    "": gettext_noop(
        "There are no right or wrong answers. If neither seems to fit, choose the one that fits a "
        "little better."
    ),
    "tie": gettext_noop(
        "There are no right or wrong answers. If both fit equally well or badly, say so."
    ),
    "unsure": gettext_noop("There are no right or wrong answers. If you cannot tell, say so."),
}
CHECKS = gettext_noop(
    "Now and then a question tells you which of the two to choose. Please choose that one: it "
    "shows that the questions are read."
)
PRACTICE = gettext_noop("The first questions are for practice and do not count.")


def estimate_minutes(questions: int, items: int = 0) -> int:
    """The expected time in whole minutes, at least one."""
    return max(1, round((questions * SECONDS_A_QUESTION + items * SECONDS_AN_ITEM) / 60))


def write_consent(
    questions: int,
    protocol: StudyProtocol,
    *,
    gettext: Callable[[str], str] = str,
    ngettext: Plural = in_english,
    date: Callable[..., str] = str,
) -> str:
    """The consent text of a study with so many questions for each appraiser.

    ``date`` formats the last day for withdrawing. Empty lines separate paragraphs.
    """
    asked = questions + protocol.n_practice + protocol.n_checks + protocol.n_repeats
    items = len(protocol.before) + len(protocol.after)
    minutes = estimate_minutes(asked, items)
    count = ngettext("There is one such question.", "There are {questions} such questions.", asked)
    time = ngettext(
        "Most people need about one minute.", "Most people need about {minutes} minutes.", minutes
    )
    task = [gettext(TASK), count.format(questions=asked)]
    task += [gettext(LISTS)] if items else []
    until = protocol.withdraw_until
    erase = gettext(ERASE_UNTIL).format(date=date(until)) if until else gettext(ERASE)
    paragraphs = [
        [gettext(INVITATION)],
        [*task, time.format(minutes=minutes)],
        [gettext(KEPT), *map(gettext, _also_kept(protocol))],
        [gettext(VOLUNTARY)],
        [erase, *([gettext(STAYS[protocol.entry])] if protocol.entry in STAYS else [])],
    ]
    # The Chinese full stop includes its own space.
    return "\n\n".join(" ".join(sentences).replace("。 ", "。") for sentences in paragraphs)


def write_instructions(protocol: StudyProtocol, *, gettext: Callable[[str], str] = str) -> str:
    """The instructions of a study."""
    paragraphs = [*INSTRUCTIONS_PARTS, NEITHER[protocol.third_answer]]
    paragraphs += [PRACTICE] if protocol.n_practice else []
    paragraphs += [CHECKS] if protocol.n_checks else []
    return "\n\n".join(map(gettext, paragraphs))


def _also_kept(protocol: StudyProtocol) -> list[str]:
    """What is kept besides the choices and their times."""
    asked = tuple(name for name in ("ask_familiarity", "ask_confidence") if getattr(protocol, name))
    found = [ASKED[asked]] if asked else []
    found += [COMMENTS] if protocol.ask_comment else []
    found += [TOGETHER] if protocol.before or protocol.after else []
    found += [CHANGED] if protocol.changes != "never" else []
    return found + {"panel": [PANEL], "personal": [PERSONAL]}.get(protocol.entry, [])
