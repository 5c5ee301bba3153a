"""Addresses of appraisers and researchers."""

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView, TemplateView

from survey.views import exports, joining, judging, leaving, paper, recruiting, research, responding
from survey.views.throttle import throttled

# When asked for, not when imported: hashed names exist only after collectstatic.
icon = lazy(lambda: static("img/favicon.svg"), str)

urlpatterns = [
    # Browsers ask for it unbidden, on pages that name no icon of their own: the admin's.
    path("favicon.ico", RedirectView.as_view(url=icon())),
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("s/<slug:slug>/", joining.start_page, name="study"),
    path(
        "s/<slug:slug>/consent/",
        throttled(joining.consent_page, "CONSENTS_PER_HOUR"),
        name="consent",
    ),
    path("s/<slug:slug>/erased/", leaving.erased_page, name="erased"),
    path("i/<str:secret>/", joining.start_page, name="personal"),
    path("i/<str:secret>/consent/", joining.consent_page, name="personal-consent"),
    path("a/<str:token>/", judging.private_link, name="appraiser"),
    path("a/<str:token>/language/", judging.change_language, name="language"),
    path("a/<str:token>/begin/", judging.begin_questions, name="begin"),
    path("a/<str:token>/answer/", judging.submit_answer, name="answer"),
    path("a/<str:token>/confirm/", judging.submit_confirmation, name="confirm"),
    path("a/<str:token>/responses/", responding.submit_responses, name="responses"),
    path("a/<str:token>/answers/", judging.own_answers_page, name="answers"),
    path("a/<str:token>/answers/<int:number>/", judging.change_answer, name="change"),
    path("a/<str:token>/break/", leaving.break_page, name="break"),
    path("a/<str:token>/withdraw/", leaving.withdraw_page, name="withdraw"),
    path(
        "login/",
        throttled(LoginView.as_view(template_name="login.html"), "LOGINS_PER_HOUR"),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("research/", research.studies_page, name="research"),
    # No new study may be called "data" (services.preparing); the addresses of an older one differ
    # from these in their last part.
    path("research/data/<str:name>/paper/", paper.paper_page, name="paper"),
    path("research/data/<str:name>/paper/job/", paper.report_progress, name="paper-job"),
    path("research/data/<str:name>/paper/<str:file>", paper.download_file, name="paper-file"),
    path("research/<slug:slug>/", research.results_page, name="results"),
    path("research/<slug:slug>/jobs/", research.preparation_progress, name="study-jobs"),
    path("research/<slug:slug>/launch/", research.launch, name="launch"),
    path("research/<slug:slug>/state/", research.change_study_status, name="state"),
    path("research/<slug:slug>/clone/", research.clone, name="clone"),
    path("research/<slug:slug>/cancel/", research.cancel_preparation, name="cancel"),
    path("research/<slug:slug>/again/", research.resume_preparation, name="again"),
    path("research/<slug:slug>/recruit/", recruiting.recruiting_page, name="recruit"),
    path("research/<slug:slug>/recruit/links/", recruiting.make_links, name="make-links"),
    path(
        "research/<slug:slug>/recruit/links.csv", recruiting.download_links, name="download-links"
    ),
    path("research/<slug:slug>/recruit/revoke/", recruiting.revoke_links, name="revoke-links"),
    path(
        "research/<slug:slug>/recruit/panel.csv",
        recruiting.download_panel_list,
        name="panel-payments",
    ),
    path("research/<slug:slug>/judgments.csv", exports.download_judgments, name="export"),
    path("research/<slug:slug>/history.csv", exports.download_history, name="history"),
    path("research/<slug:slug>/responses.csv", exports.download_responses, name="responses-export"),
    path("research/<slug:slug>/design.json", exports.download_design, name="design"),
]
