"""The built-in questionnaires, in English, with their sources.

``sus``: J. Brooke, SUS: a 'quick and dirty' usability scale, in Usability Evaluation in Industry
(1996), 189-194; the standard wording.

``resque-short``: after the short form of ResQue (P. Pu, L. Chen, R. Hu, RecSys 2011, 157-164; the
short form in P. Pu and L. Chen, UCERSTI 2010). Its items are about recommendations "to me".
Appraisers judge recommendations to somebody else, so the items that still apply are reworded and
the others left out; docs/study-protocol.md lists both.
"""

from __future__ import annotations

from typing import Any


def gettext_noop(text: str) -> str:
    """Marks a text for translation and returns it unchanged; the name is gettext's own."""
    return text


AGREEMENT = [gettext_noop("Strongly disagree"), gettext_noop("Strongly agree")]

SUS = [
    gettext_noop("I think that I would like to use this system frequently."),
    gettext_noop("I found the system unnecessarily complex."),
    gettext_noop("I thought the system was easy to use."),
    gettext_noop(
        "I think that I would need the support of a technical person to be able to use this system."
    ),
    gettext_noop("I found the various functions in this system were well integrated."),
    gettext_noop("I thought there was too much inconsistency in this system."),
    gettext_noop("I would imagine that most people would learn to use this system very quickly."),
    gettext_noop("I found the system very cumbersome to use."),
    gettext_noop("I felt very confident using the system."),
    gettext_noop("I needed to learn a lot of things before I could get going with this system."),
]

RESQUE_SHORT = {
    "accuracy": gettext_noop("The recommendations matched the interests of the people shown."),
    "usefulness": gettext_noop("The recommendations were good suggestions for these people."),
    "diversity": gettext_noop("The recommendations were diverse."),
    "transparency": gettext_noop("I understood why these people were given the recommendations."),
    "information": gettext_noop(
        "The information given about the recommendations was sufficient for me to decide."
    ),
    "layout": gettext_noop("The layout of the pages was adequate."),
    "familiarity": gettext_noop("I became familiar with the pages very quickly."),
    "trust": gettext_noop("The recommendations can be trusted."),
    "satisfaction": gettext_noop("Overall, I was satisfied with the recommendations."),
}

#: Earlier wordings of these items, which studies made before are still asked in.
EARLIER_WORDINGS = (
    gettext_noop("The recommended movies matched the interests of the people shown."),
    gettext_noop("The recommended movies were good suggestions for these people."),
    gettext_noop("The recommended movies were diverse."),
    gettext_noop("I understood why the movies were recommended to these people."),
    gettext_noop(
        "The information given about the recommended movies was sufficient for me to decide."
    ),
)


def _agreement(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "text": text, "kind": "scale", "labels": list(AGREEMENT)}


#: name -> its items
BUILTIN: dict[str, list[dict[str, Any]]] = {
    "sus": [_agreement(f"sus-{place}", text) for place, text in enumerate(SUS, start=1)],
    "resque-short": [_agreement(f"resque-{name}", text) for name, text in RESQUE_SHORT.items()],
}
