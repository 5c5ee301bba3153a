"""People whom a panel sends, and holders of personal links, in a real browser."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from survey.models import Appraiser, Assignment, Judgment
from survey.protocol import panels
from survey.services.inviting import make_invitations, revoke_invitations
from survey.services.joining import join_study
from survey.services.withdrawing import withdraw
from tests.factories import NOW, StudyFactory
from tests.flows.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")
ADULT = {
    "name": "adult",
    "text": "Are you 18 or older?",
    "kind": "choice",
    "options": ["Yes", "No"],
    "screens_out": ["No"],
}


def arrival(person="5f1ada", session="s1"):
    sent = {"PROLIFIC_PID": person, "STUDY_ID": "64study", "SESSION_ID": session}
    return f"/s/films/?{urlencode(sent)}"


@pytest.fixture
def study(transactional_db):
    return StudyFactory(
        slug="films",
        entry="panel",
        panel=PROLIFIC,
        questions_per_appraiser=3,
        n_checks=1,
        checks_to_pass=1,
        before=[ADULT],
    )


@pytest.fixture
def prolific(page):
    """What arrives at Prolific: address, referrer, and the outcome that was stored by then."""
    arrived = []

    def take(route, request):
        who = Appraiser.objects.get()
        arrived.append((request.url, request.headers.get("referer"), who.outcome))
        route.fulfill(body="<h1>Thank you from Prolific</h1>", content_type="text/html")

    page.route("https://app.prolific.com/**", take)
    return arrived


def consent(page, url, *, adult=""):
    page.goto(url)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="I agree and take part").click()
    if not adult:
        page.get_by_role("button", name="Start with question 1").click()
        return
    page.get_by_role("button", name="Continue").click()
    page.get_by_label(adult, exact=True).check()
    page.get_by_role("button", name="Continue").click()


def answer_all(page, *, as_told):
    """Every question; a check as it says, or against it."""
    while True:
        waiting = Assignment.objects.filter(judgment=None).order_by("position").first()
        if waiting is None:
            return
        side = waiting.expected or "left"
        if waiting.expected and not as_told:
            side = "right" if side == "left" else "left"
        page.locator(f"button[value={side}]").click()
        asked = page.locator(f"input[name=assignment][value='{waiting.key}']")
        expect(asked).to_have_count(0)


def go_back(page):
    page.get_by_role("link", name="Go back to Prolific").click()
    expect(page.get_by_role("heading", name="Thank you from Prolific")).to_be_visible()


def test_completing_leads_back_to_the_panel_with_the_code_for_done(
    page, live_server, study, prolific, faults
):
    consent(page, live_server.url + arrival(), adult="Yes")
    answer_all(page, as_told=True)
    expect(page.get_by_label("The code to enter")).to_have_value("CDONE")
    expect(page.get_by_label("Your completion code")).to_have_count(0)
    go_back(page)
    url = "https://app.prolific.com/submissions/complete?cc=CDONE"
    assert prolific == [(url, None, "done")]


def test_screening_out_leads_back_to_the_panel_at_once(page, live_server, study, prolific, faults):
    consent(page, live_server.url + arrival(), adult="No")
    expect(page.get_by_label("The code to enter")).to_have_value("CSCREEN")
    go_back(page)
    assert prolific[0][0].endswith("?cc=CSCREEN")
    assert prolific[0][2] == "screened"
    assert not Judgment.objects.exists()


def test_failing_the_checks_leads_back_to_the_panel_with_its_code(
    page, live_server, study, prolific, faults
):
    consent(page, live_server.url + arrival(), adult="Yes")
    answer_all(page, as_told=False)
    expect(page.get_by_label("The code to enter")).to_have_value("CFAIL")
    go_back(page)
    assert prolific[0][0].endswith("?cc=CFAIL")
    assert prolific[0][2] == "failed"


@pytest.mark.parametrize(("outcome", "code"), [("screened", "CSCREEN"), ("failed", "CFAIL")])
def test_erasing_the_answers_gives_no_second_try(page, live_server, study, faults, outcome, code):
    consent(page, live_server.url + arrival(), adult="No" if outcome == "screened" else "Yes")
    if outcome == "failed":
        answer_all(page, as_told=False)
    expect(page.get_by_label("The code to enter")).to_have_value(code)
    page.goto(f"{page.url}withdraw/")
    expect(page.get_by_text("By it we recognise the number")).to_be_visible()
    page.get_by_label("I am sure.").check()
    page.get_by_role("button", name="Erase my answers").click()
    page.goto(live_server.url + arrival(session="s2"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You took part in this study before.")
    expect(page.get_by_label("The code to enter")).to_have_value(code)
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    assert not Appraiser.objects.exists()


def test_coming_again_from_the_panel_continues_at_the_same_question(
    page, new_context, live_server, study
):
    consent(page, live_server.url + arrival(), adult="Yes")
    page.locator("button[value=left]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 2 of 4")
    phone = new_context().new_page()
    phone.goto(live_server.url + arrival(session="s2"))
    expect(phone.get_by_role("heading", level=1)).to_have_text("Question 2 of 4")
    assert phone.url == page.url


def test_a_personal_link_continues_in_a_second_browser(
    page, new_context, live_server, transactional_db, faults
):
    study = StudyFactory(slug="invited", entry="personal", questions_per_appraiser=3)
    (link,) = make_invitations(study=study, count=1)
    url = f"{live_server.url}/i/{link.token}/"
    consent(page, url)
    page.locator("button[value=left]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Question 2 of 3")
    phone = new_context(java_script_enabled=False).new_page()
    phone.goto(url)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Question 2 of 3")
    assert Appraiser.objects.count() == 1


def test_rita_makes_links_downloads_them_and_takes_one_back(
    page, live_server, transactional_db, sign_in, rita, faults
):
    study = StudyFactory(slug="invited", entry="personal")
    sign_in(rita)
    page.goto(f"{live_server.url}/research/invited/")
    page.get_by_role("link", name="Make personal links").click()
    page.get_by_label("Labels").fill("Ada\nBen")
    page.get_by_role("button", name="Make the links").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the links").click()
    _, ada, _ = download.value.path().read_text().splitlines()
    assert ada.startswith(f"1,Ada,{live_server.url}/i/")
    page.get_by_role("link", name="I have the file").click()
    page.get_by_text("Revoke unused links").click()
    page.get_by_label("Numbers", exact=True).fill("2")
    page.get_by_role("button", name="Revoke them").click()
    expect(page.get_by_text("Revoked: 1 link.")).to_be_visible()
    assert study.invitations.get(revoked_at=None).label == "Ada"


@pytest.fixture
def pages(study):
    """Every page of recruitment, of appraisers and of researchers."""
    invited = StudyFactory(slug="invited", entry="personal")
    taken, fresh, used = make_invitations(study=invited, count=3, labels=["Ada"])
    revoke_invitations(study=invited, numbers=[taken.number])
    join_study(study=invited, invitation=used.token)
    StudyFactory(slug="open")
    found = {
        "by invitation": "/s/invited/",
        "revoked": f"/i/{taken.token}/",
        "personal link": f"/i/{fresh.token}/consent/",
        "by panel": "/s/films/",
        "panel's consent": arrival().replace("/?", "/consent/?"),
        "not filled in": arrival("undefined"),
        "links": "/research/invited/recruit/",
        "panel": "/research/films/recruit/",
        "open link": "/research/open/recruit/",
    }
    for outcome in panels.OUTCOMES:
        sent = {name: [outcome] for name in panels.PROLIFIC_PARAMETERS}
        who, token = join_study(study=study, panel=sent)
        Appraiser.objects.filter(pk=who.pk).update(outcome=outcome, finished_at=NOW)
        found[outcome] = f"/a/{token}/"
    erased, _ = join_study(study=study, panel={name: ["gone"] for name in sent})
    Appraiser.objects.filter(pk=erased.pk).update(outcome="failed", finished_at=NOW)
    withdraw(appraiser=erased)
    found["came again"] = arrival("gone")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_recruitment_are_for_everybody(page, live_server, pages, sign_in, rita, scheme):
    sign_in(rita)
    assert look(page, live_server, pages, scheme) == {}
