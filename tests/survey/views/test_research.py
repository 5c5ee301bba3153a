"""The researchers' list of studies, their results and their drafts."""

import csv
import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from recommender.models import Job, Recommendation, Worker
from survey.models import Judgment, Study, Withdrawal
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import launch_study
from tests.factories import JobFactory, StudyFactory
from tests.survey.drafts import prepared, publish
from tests.survey.judging import ask_again, decide, fail, judge

pytestmark = pytest.mark.django_db

PAGES = ["/research/", "/research/films/", "/research/films/jobs/", "/research/films/judgments.csv"]
ACTIONS = ["/research/films/launch/", "/research/films/cancel/", "/research/films/again/"]


def click(study, *, kind="real", choices="lllllllllllllll"):
    appraiser, _ = join_study(study=study, kind=kind)
    for assignment, choice in zip(appraiser.assignments.all(), choices, strict=False):
        side = {"l": "left", "r": "right"}[choice]
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=side)
    return appraiser


def read(client, path, **fields):
    """A page's words, its white space made plain."""
    page = client.get(path, fields).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


@pytest.fixture
def as_rita(client, rita):
    client.force_login(rita)
    return client


@pytest.fixture
def draft():
    """A draft whose second arm is still to be published."""
    study = StudyFactory(slug="draft", status=Study.Status.DRAFT)
    study.questions.all().delete()
    for arm, status in zip(study.arms.all(), (Job.Status.DONE, Job.Status.QUEUED), strict=True):
        arm.publish_job = JobFactory(kind=Job.Kind.PUBLISH, status=status)
        arm.save()
    return study


@pytest.mark.parametrize("path", [*PAGES, *ACTIONS])
def test_a_stranger_is_sent_to_the_login_and_back(client, study, path):
    sent = client.get(path)
    assert sent.status_code == 302
    assert sent["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", PAGES)
def test_without_permission_a_page_is_not_found(client, study, olga, path):
    client.force_login(olga)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ACTIONS)
def test_without_permission_nothing_changes(client, study, olga, path):
    client.force_login(olga)
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("path", ACTIONS)
def test_looking_changes_nothing(as_rita, study, path):
    assert as_rita.get(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_kept_by_nobody(as_rita, study, path):
    assert "no-store" in as_rita.get(path)["Cache-Control"]


def test_the_login_leads_back_to_the_page_that_was_wanted(client, rita, study):
    rita.set_password("correct horse")
    rita.save()
    fields = {"username": "rita", "password": "correct horse", "next": "/research/films/"}
    assert client.post("/login/", fields)["Location"] == "/research/films/"


def test_a_wrong_password_is_reported_kindly(client, rita):
    page = client.post("/login/", {"username": "rita", "password": "wrong"})
    assert "do not belong together" in page.content.decode()


def test_the_answer_comes_first_with_its_interval(as_rita, study):
    click(study)
    wins = Judgment.objects.filter(chosen_arm__position=0).count()
    ahead, share = ("Autoencoder", wins) if wins > 7 else ("User-user KNN", 15 - wins)
    page = read(as_rita, "/research/films/")
    assert re.search(
        rf"{ahead} was chosen over .* in {100 * share / 15:.1f}.% of 15 judgments", page
    )
    assert re.search(r"\(95.% interval \d+\.\d.% to \d+\.\d.%\)", page)
    assert "assumes independent judgments" in page


def test_kinds_are_never_mixed(as_rita, study):
    click(study, choices="ll")
    click(study, kind="simulated", choices="lllll")
    assert "of 2 judgments" in read(as_rita, "/research/films/", kind="real")
    assert "of 5 judgments" in read(as_rita, "/research/films/", kind="simulated")


def test_simulated_judgments_say_so(as_rita, study):
    click(study, kind="simulated")
    assert "No person judged" in read(as_rita, "/research/films/")
    assert "No person judged" not in read(as_rita, "/research/films/", kind="real")


def test_real_judgments_come_first_when_there_are_any(as_rita, study):
    click(study, choices="l")
    click(study, kind="simulated")
    assert "of 1 judgment " in read(as_rita, "/research/films/", kind="nonsense")


def test_without_judgments_the_page_says_what_to_do(as_rita, study):
    page = as_rita.get("/research/films/").content.decode()
    assert "No judgments yet" in page
    assert 'value="http://testserver/s/films/"' in page


def test_errors_and_training_are_shown_with_their_figures(as_rita, study):
    page = as_rita.get("/research/films/").content.decode()
    row = re.search(r"Autoencoder</th><td>compact</td>.*?</tr>", page)[0]
    figures = re.findall(r'<td class="number">([^<]*)', row)
    assert figures[:6] == ["1.0500", "1.1025", "0.8000", "0.9000", "270", "30"]
    assert "Autoencoder, 1.000 after 3,000" in page


def test_the_list_counts_people_and_keeps_simulated_ones_apart(as_rita, study):
    click(study)
    click(study, kind="simulated", choices="lll")
    page = read(as_rita, "/research/")
    assert "15 of 1,500 judgments, 1 person finished" in page
    assert "3 simulated judgments" in page


def test_the_list_is_not_empty_handed_without_studies(as_rita):
    assert "create_study" in read(as_rita, "/research/")


def test_the_export_holds_one_row_a_judgment(as_rita, study):
    click(study)
    sent = as_rita.get("/research/films/judgments.csv")
    rows = list(csv.DictReader(b"".join(sent).decode().splitlines()))
    assert sent["Content-Disposition"] == 'attachment; filename="films-judgments.csv"'
    assert len(rows) == 15
    assert {row["choice"] for row in rows} == {"left"}
    assert rows[0]["chosen_arm"] == rows[0]["left_arm"]


def test_a_draft_shows_how_far_it_is(as_rita, draft):
    Job.objects.filter(status="queued").update(
        status="running", owner="w", lease_until=timezone.now(), phase="recommend",
        done_units=30, total_units=40, seconds_left=95,
    )  # fmt: skip
    page = read(as_rita, "/research/draft/")
    assert re.search(r"User-user KNN Recommend, 75.%, 1 min 35 s left", page)
    assert "Launch" not in page


def test_a_draft_keeps_itself_fresh_without_script_too(as_rita, draft):
    page = as_rita.get("/research/draft/").content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page
    Job.objects.update(status="done")
    assert "refresh" not in as_rita.get("/research/draft/").content.decode()


def test_work_that_waits_for_a_worker_says_how_to_start_one(as_rita, draft):
    assert "make worker" in read(as_rita, "/research/draft/")
    in_time = timezone.now() + timedelta(hours=1)  # however slow the next line is
    Worker.objects.create(name="w", queues=["inference"], seen_at=in_time)
    assert "make worker" not in read(as_rita, "/research/draft/")


def test_a_ready_draft_can_be_launched(as_rita, draft):
    Job.objects.update(status="done")
    assert "Launch the study" in read(as_rita, "/research/draft/")
    as_rita.post("/research/draft/launch/")
    assert "The study is open" in read(as_rita, "/research/draft/")
    draft.refresh_from_db()
    assert draft.status == Study.Status.RUNNING


def test_a_launch_that_is_refused_says_why(as_rita, draft):
    Recommendation.objects.all().delete()
    as_rita.post("/research/draft/launch/")
    assert "still to be made" in read(as_rita, "/research/draft/")
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def test_a_failed_preparation_shows_its_error_and_can_be_tried_again(as_rita, draft, monkeypatch):
    Job.objects.filter(status="queued").update(status="failed", error="Out of memory.")
    page = read(as_rita, "/research/draft/")
    assert "Out of memory." in page
    assert "Try again" in page
    as_rita.post("/research/draft/again/")
    assert draft.arms.last().publish_job.status == Job.Status.QUEUED


def test_a_preparation_can_be_stopped(as_rita, draft):
    as_rita.post("/research/draft/cancel/")
    assert "The preparation stopped" in read(as_rita, "/research/draft/")
    assert draft.arms.last().publish_job.status == Job.Status.CANCELLED


def test_the_results_take_as_many_queries_for_many_judgments(
    as_rita, study, django_assert_max_num_queries
):
    for _ in range(3):
        click(study)
    with django_assert_max_num_queries(18):
        as_rita.get("/research/films/")


def test_no_page_holds_inline_style_or_script(as_rita, client, study, draft):
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    paths = ["/", "/login/", "/s/films/", f"/a/{token}/", "/research/", "/research/films/",
             "/research/draft/", "/nothing/"]  # fmt: skip
    for path in paths:
        page = as_rita.get(path).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page), path


def test_agreements_and_ties_are_shown_before_the_first_judgment(as_rita):
    study = StudyFactory()
    page = as_rita.get(f"/research/{study.slug}/").content.decode()

    assert "both named the same movie" in page
    assert "Movies in a tie, median" in page


def test_the_page_describes_its_figures_in_words(client, rita, study):
    decide(
        study, third_answer="tie", n_checks=2, checks_to_pass=1, n_repeats=2, ask_familiarity=True,
        ask_confidence=True, era_from=1980, maximum_profile=300, changes="finish",
    )  # fmt: skip
    ask_again(judge(study, "aaaaaabbtt", confidence=4), "ab")
    fail(judge(study, "bbb"))
    Withdrawal.objects.create(study=study, kind="real", on=date(2026, 3, 2), n_judgments=7)
    client.force_login(rita)
    page = read(client, "/research/films/")
    for words in (
        "Autoencoder was chosen over User-user KNN in 75.0 % of 8 judgments",
        "In 2 more judgments both fitted equally well or badly.",
        "With half of them counted for each, Autoencoder comes to 70.0 % of 10.",
        "Left out of every figure: 3 judgments of 1 person who answered fewer than 1 of 2",
        "With them, Autoencoder comes to 54.5 %; without them, to 75.0 %.",
        "1 person withdrew and had 7 answers erased.",
        "1 of 2 repeated questions",
        "Different movies named",
        "How well they knew each system’s movies",
        "How sure they were of the choice",
        "20 profiles of 5 to 300 movies, with a median year of 1980 or later.",
        "Every answer can be changed until the end.",
    ):
        assert words in page, words


def test_of_three_arms_the_page_claims_no_winner(client, rita):
    draft = prepared(systems=("autoencoder", "user-knn", "bias"))
    publish(draft)
    study = launch_study(study=draft)
    judge(study, "aaaaaaaatt")
    client.force_login(rita)
    page = read(client, "/research/films/")
    assert (
        "Autoencoder, User-user KNN and Damped bias were compared two at a time, in 10 judgments."
        in page
    )
    assert "In 2 of these, people could not tell." in page
    assert "Same movie named" in page
    assert "not corrected for several comparisons" in page
    assert "The corrected p-values (Holm) hold for all 3 pairs together." in page
    assert "was chosen over" not in page.replace("First chosen", "").split("Pairs.")[0]
