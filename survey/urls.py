"""Addresses of appraisers and researchers."""

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView, TemplateView

from survey.views import exports, judging, research
from survey.views.private import private_page

# When asked for, not when imported: hashed names exist only after collectstatic.
icon = lazy(lambda: static("img/favicon.svg"), str)

urlpatterns = [
    # Browsers ask for it unbidden, on pages that name no icon of their own: the admin's.
    path("favicon.ico", RedirectView.as_view(url=icon())),
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("s/<slug:slug>/", judging.door, name="study"),
    path("a/<str:token>/", judging.appraiser, name="appraiser"),
    path(
        "login/",
        private_page(LoginView.as_view(template_name="login.html")),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("research/", research.studies, name="research"),
    path("research/<slug:slug>/", research.results, name="results"),
    path("research/<slug:slug>/jobs/", research.jobs, name="study-jobs"),
    path("research/<slug:slug>/launch/", research.launch, name="launch"),
    path("research/<slug:slug>/state/", research.state, name="state"),
    path("research/<slug:slug>/clone/", research.clone, name="clone"),
    path("research/<slug:slug>/cancel/", research.cancel, name="cancel"),
    path("research/<slug:slug>/again/", research.again, name="again"),
    path("research/<slug:slug>/judgments.csv", exports.judgments, name="export"),
    path("research/<slug:slug>/design.json", exports.design, name="design"),
]
