"""The words a new study begins with; a researcher may write others. Plain, kind, and no jargon.

They are chosen for what the study asks and keeps, so that the consent is true; the translation is
passed in, and English is what stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from survey.protocol.fields import Protocol as StudyProtocol


def gettext_noop(text: str) -> str:
    """Marks words for the catalogues of translations, and leaves them as they are."""
    return text


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
#: One sentence for what is asked beside a choice: how well one knows the movies, how sure one is.
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

INSTRUCTIONS_PARTS = (
    gettext_noop(
        "Each question shows everything one person has rated, best first, and two recommendations "
        "for this person."
    ),
    gettext_noop(
        "Choose the recommendation that you think is more relevant to this person, going by the "
        "profile, not by your own taste."
    ),
    gettext_noop(
        "You may look movies up: in Google, in IMDb, or anywhere else you like. The links beside "
        "each movie make it easy."
    ),
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


def minutes(questions: int, items: int = 0) -> int:
    """About how long it takes, rounded to whole minutes; at least one."""
    return max(1, round((questions * SECONDS_A_QUESTION + items * SECONDS_AN_ITEM) / 60))


def consent(
    questions: int,
    protocol: StudyProtocol | None = None,
    *,
    gettext: Callable[[str], str] = str,
    ngettext: Plural = in_english,
    date: Callable[..., str] = str,
) -> str:
    """The consent text of a study with so many questions an appraiser, true for what it asks.

    ``date`` writes the last day of withdrawing; paragraphs are parted by an empty line.
    """
    asked, items, until = questions, 0, None
    if protocol:
        asked += protocol.n_practice + protocol.n_checks + protocol.n_repeats
        items = len(protocol.before) + len(protocol.after)
        until = protocol.withdraw_until
    count = ngettext("There is one such question.", "There are {questions} such questions.", asked)
    needed = minutes(asked, items)
    time = ngettext(
        "Most people need about one minute.", "Most people need about {minutes} minutes.", needed
    )
    task = [gettext(TASK), count.format(questions=asked)]
    task += [gettext(LISTS)] if items else []
    kept = [gettext(KEPT)] + [gettext(words) for words in _beside(protocol)]
    erase = gettext(ERASE_UNTIL).format(date=date(until)) if until else gettext(ERASE)
    personal = [gettext(ERASE_PERSONAL)] if protocol and protocol.entry == "personal" else []
    paragraphs = [
        [gettext(INVITATION)],
        [*task, time.format(minutes=needed)],
        kept,
        [gettext(VOLUNTARY)],
        [erase, *personal],
    ]
    # A Chinese full stop brings its own room along.
    return "\n\n".join(" ".join(sentences).replace("。 ", "。") for sentences in paragraphs)


def instructions(
    protocol: StudyProtocol | None = None, *, gettext: Callable[[str], str] = str
) -> str:
    """The instructions of a study, true for what it asks."""
    third = protocol.third_answer if protocol else ""
    paragraphs = [*INSTRUCTIONS_PARTS, NEITHER[third]]
    if protocol and protocol.n_practice:
        paragraphs.append(PRACTICE)
    if protocol and protocol.n_checks:
        paragraphs.append(CHECKS)
    return "\n\n".join(map(gettext, paragraphs))


def _beside(protocol: StudyProtocol | None) -> list[str]:
    """What is kept beside the choices and their times."""
    if protocol is None:
        return []
    asked = tuple(name for name in ("ask_familiarity", "ask_confidence") if getattr(protocol, name))
    found = [ASKED[asked]] if asked else []
    if protocol.ask_comment:
        found.append(COMMENTS)
    if protocol.before or protocol.after:
        found.append(TOGETHER)
    if protocol.changes != "never":
        found.append(CHANGED)
    return found + {"panel": [PANEL], "personal": [PERSONAL]}.get(protocol.entry, [])


INSTRUCTIONS = instructions()
