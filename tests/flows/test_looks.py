"""Every page in a real browser: nothing for axe to find, nothing wider than the screen."""

import pytest
from playwright.sync_api import expect

from recommender.models import Item, Job
from survey.models import Question, Study, Withdrawal
from survey.protocol.fields import Protocol
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import launch_study
from tests.factories import NOW, DatasetFactory, JobFactory, StudyFactory
from tests.flows.looking import SMALLEST, look
from tests.survey.drafts import prepared, publish
from tests.survey.reports import stored_report

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIDEWAYS = {"width": 640, "height": 360}


def judged(study, kind="real"):
    """An appraiser who has answered everything; the private link."""
    appraiser, token = join_study(study=study, kind=kind)
    mark_instructed(appraiser=appraiser)
    for assignment in appraiser.assignments.all():
        side = assignment.expected or ("left" if assignment.position % 3 else "right")
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=side)
    return f"/a/{token}/"


@pytest.fixture
def appraisers_pages(study):
    """One address for each kind of page that an appraiser meets."""
    StudyFactory(slug="full", quota=0)
    StudyFactory(slug="closed", status=Study.Status.CLOSED)
    _, instructions = join_study(study=study)
    reader, question = join_study(study=study)
    mark_instructed(appraiser=reader)
    return {
        "start": "/s/films/",
        "consent": "/s/films/consent/",
        "instructions": f"/a/{instructions}/",
        "question": f"/a/{question}/",
        "thanks": judged(study),
        "full": "/s/full/",
        "closed": "/s/closed/",
        "unknown": "/a/unknown/",
    }


@pytest.fixture
def researchers_pages(study):
    judged(study)
    judged(StudyFactory(slug="simulated"), kind="simulated")
    StudyFactory(slug="empty")
    three = three_arms()  # before the draft: it ends every job there is
    draft = StudyFactory(slug="draft", status=Study.Status.DRAFT)
    statuses = [Job.Status.QUEUED, Job.Status.FAILED]
    for arm, status in zip(draft.arms.all(), statuses, strict=True):
        arm.publish_job = JobFactory(kind=Job.Kind.PUBLISH, status=status, error="Out of memory.")
        arm.save()
    stored_report(DatasetFactory(name="rated"))
    DatasetFactory(name="unreported")
    return {
        "list": "/research/",
        "paper": "/research/data/rated/paper/",
        "no paper": "/research/data/unreported/paper/",
        "results": "/research/films/",
        "simulated": "/research/simulated/",
        "empty": "/research/empty/",
        "three": three,
        "draft": "/research/draft/",
        "home": "/",
    }


def three_arms():
    """The results of a study that asks for everything, of which one person failed the checks."""
    asked = Protocol(
        third_answer="tie", ask_familiarity=True, ask_confidence=True, n_checks=1, checks_to_pass=1,
        n_repeats=1,
    )  # fmt: skip
    draft = prepared("three", systems=("autoencoder", "user-knn", "bias"), protocol=asked)
    publish(draft)
    study = launch_study(study=draft)
    judged(study)
    judged(study)
    study.appraisers.filter(number=2).update(outcome="failed")
    Withdrawal.objects.create(study=study, kind="real", on=NOW.date(), n_judgments=3)
    return "/research/three/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_appraisers_pages_are_for_everybody(page, live_server, appraisers_pages, scheme):
    assert look(page, live_server, appraisers_pages, scheme) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_researchers_pages_are_for_everybody(
    page, live_server, researchers_pages, sign_in, rita, scheme
):
    assert look(page, live_server, {"login": "/login/"}, scheme) == {}
    sign_in(rita)
    assert look(page, live_server, researchers_pages, scheme) == {}


def test_no_page_breaks_the_policy_or_misses_a_file(
    page, live_server, appraisers_pages, researchers_pages, sign_in, rita, faults
):
    sign_in(rita)
    del appraisers_pages["unknown"]  # its 404 is a console message of its own
    for path in (*appraisers_pages.values(), *researchers_pages.values()):
        page.goto(live_server.url + path)


@pytest.mark.parametrize("screen", [SMALLEST, SIDEWAYS], ids=["320 px", "sideways"])
def test_both_answers_are_at_hand_on_a_small_screen(page, live_server, appraisers_pages, screen):
    page.set_viewport_size(screen)
    page.goto(live_server.url + appraisers_pages["question"])
    for at in (0, 10_000):
        page.evaluate("top => scrollTo(0, top)", at)
        for side in ("left", "right"):
            expect(page.locator(f"button[value={side}]")).to_be_in_viewport(ratio=1)
    left, right = (
        page.locator(f"button[value={side}]").bounding_box() for side in ("left", "right")
    )
    assert (left["y"], left["width"], left["height"]) == (
        right["y"],
        right["width"],
        right["height"],
    )


def test_two_thousand_movies_are_readable_and_light(page, live_server, study):
    Item.objects.bulk_create(
        Item(
            dataset=study.dataset,
            external_id=f"m{n}",
            title=f"Movie {n}",
            year=1990,
            genres=["War"],
        )
        for n in range(2000)
    )
    movies = Item.objects.filter(external_id__startswith="m").values_list("pk", flat=True)
    profile = [[pk, 5 - 0.5 * (nth // 200)] for nth, pk in enumerate(movies)]
    Question.objects.update(profile=profile)
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    page.goto(f"{live_server.url}/a/{token}/")
    expect(page.get_by_text("2,000 movies from 1990")).to_be_visible()
    page.get_by_role("link", name="0.5 stars: 200 movies").click()
    expect(page.get_by_role("heading", name="0.5 stars")).to_be_in_viewport()
    expect(page.locator("button[value=left]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.querySelectorAll('*').length") < 6 * 2000
