"""Recognises the device on which somebody joined by the open link; nothing else is remembered."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from survey.models import Appraiser, Study
from survey.tokens import token_digest

#: The private link, signed, sent by the browser to the pages of this study's open link only.
COOKIE = settings.SESSION_COOKIE_NAME.replace("session", "private_link")
SALT = "survey.device"
KEPT_FOR = timedelta(days=90)


def remember(response: HttpResponse, study: Study, token: str) -> None:
    response.set_signed_cookie(
        COOKIE,
        token,
        salt=SALT,
        max_age=KEPT_FOR,
        path=reverse("study", args=[study.slug]),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse, slug: str) -> None:
    response.delete_cookie(COOKIE, path=reverse("study", args=[slug]), samesite="Lax")


def recognise(request: HttpRequest, study: Study) -> tuple[Appraiser, str] | None:
    """The appraiser who joined on this device, and the secret of their private link."""
    token = request.get_signed_cookie(COOKIE, default="", salt=SALT)
    if study.entry != "open" or not token:
        return None
    found = study.appraisers.filter(token_digest=token_digest(token)).first()
    is_over = found and found.kind == Appraiser.Kind.PILOT != study.status
    return (found, token) if found and not is_over else None
