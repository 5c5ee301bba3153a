"""From consent to code with questionnaires, with a change of device, and out again."""

from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from survey.models import Appraiser, Judgment, Response, Study, Withdrawal
from survey.protocol.questionnaires import expand_items
from survey.selectors.questionnaires import items_of
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.responding import respond
from tests.factories import StudyFactory
from tests.flows.test_judging_flow import answer
from tests.flows.test_looks import look
from tests.survey.protocol.test_questionnaires import ADULT, AGE, OFTEN, REMARK

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def asking(transactional_db):
    return StudyFactory(
        slug="asking",
        questions_per_appraiser=3,
        before=expand_items([AGE, ADULT, OFTEN]),
        after=expand_items([{"builtin": "sus"}, REMARK]),
    )


def come_in(page, live_server, slug="asking"):
    page.goto(f"{live_server.url}/s/{slug}/")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I agree and take part").click()
    page.locator("form[action$='/begin/'] button").click()


def say_who(page, age="36", adult="Yes"):
    page.get_by_label("How old are you?").fill(age)
    page.get_by_label(adult, exact=True).check()
    page.get_by_role("group", name="How often do you watch").get_by_label("7 (daily)").check()
    page.get_by_role("button", name="Continue").click()


def test_from_consent_to_code_with_questionnaires(page, live_server, asking, faults):
    come_in(page, live_server)
    expect(page.get_by_role("heading", name="Before you start")).to_be_visible()
    say_who(page)
    for number in range(1, 4):
        answer(page, number, total=3)
    expect(page.get_by_role("heading", name="Before you finish")).to_be_visible()
    for steps in page.locator("fieldset").all():
        steps.get_by_label("4", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    code = asking.appraisers.get().completion_code
    expect(page.get_by_label("Your completion code")).to_have_value(code)
    assert Response.objects.count() == 14
    assert asking.appraisers.get().outcome == "done"


def test_what_is_missing_is_named_and_what_was_entered_stays(page, live_server, asking):
    come_in(page, live_server)
    page.get_by_label("How old are you?").fill("many")
    page.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("2 answers are missing or cannot be read")
    expect(page.get_by_label("How old are you?")).to_have_value("many")
    expect(page.get_by_label("How old are you?")).to_have_accessible_description(
        "Please write a number, in digits."
    )
    expect(page.get_by_label("Yes", exact=True)).to_be_checked()
    page.get_by_role("link", name="How often do you watch movies?").click()
    expect(page.get_by_role("group", name="How often do you watch movies?")).to_be_focused()


def test_a_second_browser_goes_on_at_the_questionnaire(page, new_context, live_server, asking):
    come_in(page, live_server)
    page.get_by_role("link", name="Take a break").click()
    link = page.get_by_label("Your private link").input_value()
    device = new_context().new_page()
    device.goto(link)
    say_who(device)
    expect(device.get_by_role("heading", level=1)).to_have_text("Question 1 of 3")
    page.get_by_role("link", name="Go on now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 1 of 3")


def test_a_screened_out_appraiser_sees_a_kind_page(page, live_server, asking):
    come_in(page, live_server)
    say_who(page, adult="No")
    expect(page.get_by_role("heading", level=1)).to_contain_text("looking for other people")
    assert not Judgment.objects.exists()


def test_withdraw_and_erase(page, live_server, asking, faults):
    come_in(page, live_server)
    say_who(page)
    answer(page, 1, total=3)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 2 of 3")
    link = page.url
    page.get_by_role("link", name="Take a break").click()
    page.get_by_role("link", name="Withdraw").click()
    expect(page.get_by_text("your answer, with its time")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Erase my answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers have been erased.")
    assert not Appraiser.objects.exists()
    assert Withdrawal.objects.get().n_judgments == 1
    assert page.request.get(link).status == 404


def test_questionnaires_and_withdrawal_work_without_javascript(new_context, live_server, asking):
    page = new_context(java_script_enabled=False).new_page()
    come_in(page, live_server)
    say_who(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 1 of 3")
    page.get_by_role("link", name="Take a break").click()
    page.get_by_role("link", name="Withdraw").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Erase my answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers have been erased.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_on_the_way_are_for_everybody(page, live_server, asking, scheme):
    page.set_viewport_size({"width": 1280, "height": 800})
    come_in(page, live_server)
    path = page.url.removeprefix(live_server.url)
    pages = {
        "before": path,
        "break": f"{path}break/",
        "withdraw": f"{path}withdraw/",
        "erased": "/s/asking/erased/",
    }
    assert look(page, live_server, pages, scheme) == {}
    page.goto(live_server.url + path)
    page.get_by_role("button", name="Continue").click()
    assert Axe().run(page).violations_count == 0
    say_who(page, adult="No")
    assert look(page, live_server, {"screened": path}, scheme) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_at_the_end_are_for_everybody(page, live_server, study, scheme, sign_in, rita):
    """The last questionnaire, those who failed the checks, and those who come too late to leave."""
    last, token = judged(StudyFactory(slug="last", after=expand_items([{"builtin": "sus"}])))
    failed, lost = judged(study)
    Appraiser.objects.filter(pk=failed.pk).update(outcome="failed")
    Study.objects.filter(pk=study.pk).update(withdraw_until=date(2026, 1, 1))
    pages = {"after": f"/a/{token}/", "failed": f"/a/{lost}/", "late": f"/a/{lost}/withdraw/"}
    assert look(page, live_server, pages, scheme) == {}
    sent = dict.fromkeys((f"sus-{place}" for place in range(1, 11)), "4")
    respond(appraiser=last, part="after", items=items_of(last.study, "after"), sent=sent)
    sign_in(rita)
    assert look(page, live_server, {"results": "/research/last/"}, scheme) == {}


def judged(study):
    who, token = join_study(study=study)
    mark_instructed(appraiser=who)
    for assignment in who.assignments.all():
        record_judgment(appraiser=who, assignment_key=assignment.key, choice="left")
    return who, token
