"""The only way for a view to get a study or an appraiser; Http404 hides what it may not see."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404

from recommender.models import Dataset
from survey.models import Appraiser, Study
from survey.tokens import token_digest


def study_for_visitor(slug: str) -> Study:
    """A study that is or was open; drafts are not public."""
    return get_object_or_404(Study.objects.exclude(status=Study.Status.DRAFT), slug=slug)


def study_for_invitation(secret: str) -> Study:
    """The study of a personal link, even a draft: its page asks the invited person to wait."""
    return get_object_or_404(Study, invitations__digest=token_digest(secret))


def appraiser_for_token(token: str) -> Appraiser:
    """The appraiser with this private link, and the study."""
    appraisers = Appraiser.objects.select_related("study__dataset")
    return get_object_or_404(appraisers, token_digest=token_digest(token))


def study_for_researcher(user: User | AnonymousUser, slug: str) -> Study:
    """Any study, for users who may view studies."""
    require_researcher(user)
    return get_object_or_404(Study.objects.select_related("dataset"), slug=slug)


def study_to_change(user: User | AnonymousUser, slug: str) -> Study:
    """A study, for users who may change studies; PermissionDenied for those who may only view."""
    study = study_for_researcher(user, slug)
    if not may_change(user):
        raise PermissionDenied("Changing a study needs the permission 'Can change study'.")
    return study


def dataset_for_researcher(user: User | AnonymousUser, name: str) -> Dataset:
    """A data set, for users who may view studies."""
    require_researcher(user)
    return get_object_or_404(Dataset, name=name)


def may_change(user: User | AnonymousUser) -> bool:
    return user.has_perm("survey.change_study")


def require_researcher(user: User | AnonymousUser) -> None:
    """Http404 unless the user may view studies."""
    if not user.has_perm("survey.view_study"):
        raise Http404("No such study.")
