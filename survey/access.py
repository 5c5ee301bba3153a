"""The only way a view obtains a study or an appraiser; what one may not see is not found."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404

from survey.models import Appraiser, Study
from survey.tokens import token_digest


def study_for_visitor(slug: str) -> Study:
    """A study that is or was open; a draft is nobody's business yet."""
    found = Study.objects.filter(slug=slug).exclude(status=Study.Status.DRAFT).first()
    if found is None:
        raise Http404("No such study.")
    return found


def study_for_invitation(secret: str) -> Study:
    """The study that a personal link leads to, a draft too: who was invited is told to wait."""
    found = Study.objects.filter(invitations__digest=token_digest(secret)).first()
    if found is None:
        raise Http404("No such link.")
    return found


def appraiser_for_token(token: str) -> Appraiser:
    """Who holds this private link, with the study."""
    found = (
        Appraiser.objects.select_related("study").filter(token_digest=token_digest(token)).first()
    )
    if found is None:
        raise Http404("No such link.")
    return found


def study_for_researcher(user: AbstractBaseUser | AnonymousUser, slug: str) -> Study:
    """Any study, for those who may see studies; for others it does not exist."""
    require_researcher(user)
    found = Study.objects.select_related("dataset").filter(slug=slug).first()
    if found is None:
        raise Http404("No such study.")
    return found


def study_to_change(user: AbstractBaseUser | AnonymousUser, slug: str) -> Study:
    """A study, for those who may change studies; who may only look is refused."""
    study = study_for_researcher(user, slug)
    if not may_change(user):
        raise PermissionDenied("Changing a study needs the permission 'Can change study'.")
    return study


def may_change(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, PermissionsMixin) and user.has_perm("survey.change_study")


def require_researcher(user: AbstractBaseUser | AnonymousUser) -> None:
    """Http404 unless the user may see studies."""
    if not isinstance(user, PermissionsMixin) or not user.has_perm("survey.view_study"):
        raise Http404("No such study.")
