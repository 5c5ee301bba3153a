"""The words a study begins with; a researcher may write others. Plain, kind, and no jargon."""

CONSENT = """\
You are invited to take part in a small study about movie recommendations.

What you will do: you will see which movies a person has rated, and two movies that this person \
might be recommended next. You say which of the two fits better. There are {questions} such \
questions; most people need about {minutes} minutes. You need not know the movies.

What is kept: your answers and the times at which you gave them. Your name, your e-mail address \
and your network address are not kept. The ratings you see were given by people who are not named.

Taking part is voluntary. You can stop at any time by closing the page; answers already given are \
kept. You can come back and go on later through the private link that you get next."""

INSTRUCTIONS = """\
Each question shows everything one person has rated, best first, and two recommendations for this \
person.

Choose the recommendation that you think is more relevant to this person, going by the profile, \
not by your own taste.

You may look movies up: in Google, in IMDb, or anywhere else you like. The links beside each \
movie make it easy.

There are no right or wrong answers. If neither seems to fit, choose the one that fits a little \
better."""

TITLE = "Which movie fits better?"
SECONDS_A_QUESTION = 40


def consent(questions: int) -> str:
    """The consent text for so many questions."""
    minutes = max(1, round(questions * SECONDS_A_QUESTION / 60))
    text = CONSENT.format(questions=questions, minutes=minutes)
    if questions == 1:
        text = text.replace("There are 1 such questions", "There is one such question")
    return text.replace("about 1 minutes", "about one minute")
