"""What the form of a question sends."""

from survey.selectors import QuestionPage


def fields(page: QuestionPage, choice: str = "left", **more: str) -> dict[str, str]:
    sent = {"assignment": page.assignment_key, "shown": page.shown, "revision": str(page.revision)}
    return sent | {"choice": choice} | more
