"""What every page of an appraiser knows."""

from django.http import HttpRequest
from django.urls import reverse

from survey.models import Appraiser
from survey.wording import languages
from survey.wording.of_study import words_of


def facts(request: HttpRequest, who: Appraiser, token: str) -> dict[str, object]:
    """For the templates: the study and its words, the way back here, and the way out."""
    return {
        "study": who.study,
        "words": words_of(who.study, languages.current()),
        "appraiser": who,
        "language": languages.current(),
        "languages": languages.choices(who.study),
        "trial": who.kind == Appraiser.Kind.PILOT,
        "token": token,
        "go_on_link": reverse("appraiser", args=[token]),
        "private_link": request.build_absolute_uri(reverse("appraiser", args=[token])),
    }
