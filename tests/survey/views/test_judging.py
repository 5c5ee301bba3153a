"""Pages of appraisers, asked for without a browser."""

import re
import uuid

import pytest
from django.test import Client

from survey.models import Appraiser, Assignment, Judgment, Study
from survey.selectors.question import question_page
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from tests.factories import NOW, StudyFactory
from tests.survey.form_data import fields, named, without_drawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def started(ada):
    """Ada, who has read the instructions."""
    mark_instructed(appraiser=ada.appraiser)
    return ada


def answer(client, judge, choice="left"):
    page = question_page(judge.appraiser)
    return client.post(f"{judge.url}answer/", fields(page, choice))


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("path", ["/s/films/", "/s/films/consent/"])
def test_looking_at_the_way_in_creates_nothing(client, study, method, path):
    assert getattr(client, method)(path).status_code == 200
    assert not Appraiser.objects.exists()


def test_the_first_page_describes_the_study_and_leads_to_the_consent(client, study):
    page = client.get("/s/films/").content.decode()
    assert "15 short questions about movies await you" in page
    assert "about 10 minutes" in page
    asked = client.post("/s/films/", follow=True)
    assert asked.redirect_chain == [("/s/films/consent/", 302)]
    assert "Taking part is free" in asked.content.decode()
    assert not Appraiser.objects.exists()


def test_the_query_string_is_passed_on_to_the_consent(client, study):
    sent = client.post("/s/films/?person=7", {"lang": "de"})
    assert sent["Location"] == "/s/films/consent/?person=7&lang=de"


def test_accepting_leads_to_a_private_link(client, study):
    accepted = client.post("/s/films/consent/")
    assert accepted.status_code == 302
    assert re.fullmatch(r"/a/[\w-]{40,}/", accepted["Location"])
    page = client.get(accepted["Location"])
    assert f"http://testserver{accepted['Location']}" in page.content.decode()


def test_accepting_twice_takes_one_place_and_leads_to_one_link(client, study):
    page = client.get("/s/films/consent/").content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    first, second = (client.post("/s/films/consent/", {"ticket": ticket}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Appraiser.objects.count() == 1


def test_a_consent_edited_while_it_was_read_is_shown_again(client, study):
    page = client.get("/s/films/consent/").content.decode()
    version = re.search(r'name="version" value="([^"]+)"', page)[1]
    Study.objects.update(consent_text="Other words.")
    sent = client.post("/s/films/consent/", {"version": version}, follow=True)
    assert "Other words." in sent.content.decode()
    assert not Appraiser.objects.exists()


def test_every_visit_of_the_door_has_a_ticket_of_its_own(client, study):
    pages = [client.get("/s/films/consent/").content.decode() for _ in range(2)]
    assert len({re.search(r'name="ticket" value="([^"]+)"', page)[1] for page in pages}) == 2


@pytest.mark.parametrize("path", ["/s/films/", "/s/films/consent/", "private link"])
def test_pages_are_kept_by_nobody_and_found_by_no_search_engine(client, ada, path):
    page = client.get(ada.url if path == "private link" else path)
    assert "no-store" in page["Cache-Control"]
    assert "noindex" in page["X-Robots-Tag"]
    assert page["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/s/films/", "/s/films/consent/", "private link"])
def test_a_post_without_its_token_is_refused_kindly(ada, path):
    client = Client(enforce_csrf_checks=True)
    page = client.post(ada.url if path == "private link" else path)
    assert page.status_code == 403
    assert "Your earlier answers are all kept" in page.content.decode()
    assert Appraiser.objects.count() == 1


@pytest.mark.parametrize("path", ["/s/other/", "/a/x/y/"])
def test_an_unknown_link_is_a_kind_404(client, study, path):
    page = client.get(path)
    assert page.status_code == 404
    assert "check that it is complete" in page.content.decode()


@pytest.mark.parametrize(
    "path", ["", "answers/", "answers/1/", "break/", "responses/", "withdraw/"]
)
def test_an_unknown_private_link_says_that_it_may_have_been_erased(client, study, path):
    page = client.get(f"/a/guessed-token/{path}")
    assert page.status_code == 404
    assert "Either everything under it was erased, or the link" in page.content.decode()
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["", "answers/", "answers/1/", "break/", "responses/", "withdraw/"]
)
def test_a_program_that_only_asks_whether_a_link_works_leaves_no_trace(client, ada, path):
    """Scanners of mail send HEAD: to the screen, to life and to places given back it is nothing."""
    Appraiser.objects.update(seen_at=NOW, instructed_at=NOW)
    Assignment.objects.filter(position__gt=1).update(returned_at=NOW)
    before = [list(model.objects.order_by("pk").values()) for model in (Appraiser, Assignment)]
    assert client.head(f"{ada.url}{path}").status_code == 200
    assert client.head(f"/a/guessed-token/{path}").status_code == 404
    after = [list(model.objects.order_by("pk").values()) for model in (Appraiser, Assignment)]
    assert after == before


def test_a_draft_is_not_found_by_visitors(client):
    StudyFactory(slug="draft", status=Study.Status.DRAFT)
    assert client.get("/s/draft/").status_code == 404


def test_a_visitor_after_the_quota_gets_a_kind_page(client):
    StudyFactory(slug="small", quota=1)
    client.post("/s/small/consent/")
    late = Client().post("/s/small/consent/", follow=True)
    assert "Every place is taken" in late.content.decode()
    assert Appraiser.objects.count() == 1


@pytest.mark.parametrize(("minutes", "said"), [(30, "in 30 minutes"), (150, "in 3 hours")])
def test_a_study_that_is_full_for_now_says_when_to_come_back(client, minutes, said):
    study = StudyFactory(slug="small", quota=1, return_after=minutes)
    who, _ = join_study(study=study)
    assert f"Please come back {said}" in client.get("/s/small/").text
    for assignment in who.assignments.all():
        record_judgment(appraiser=who, assignment_key=assignment.key, choice="left")
    assert "this study has all the answers it needs" in client.get("/s/small/").text


def test_titles_are_marked_as_not_to_be_translated(started, client):
    page = client.get(started.url).text
    assert page.count('<h3 class="card-title" translate="no">') == 2
    assert 'class="movies" role="list" translate="no"' in page


@pytest.mark.parametrize(
    ("sent", "kept"), [("fr", "fr"), ("zh-Hans", "zh-Hans"), ("", ""), ("<b>", ""), ("x" * 99, "")]
)
def test_the_language_of_the_page_is_kept_with_the_answer(started, client, sent, kept):
    form = fields(question_page(started.appraiser), "left")
    client.post(f"{started.url}answer/", {**form, "page_language": sent})
    assert Judgment.objects.get().page_language == kept


@pytest.mark.parametrize(
    ("status", "words"), [("closed", "This study has ended"), ("paused", "taking a break")]
)
def test_a_study_that_takes_no_answers_says_so_at_every_door(client, started, status, words):
    Study.objects.update(status=status)
    for path in ("/s/films/", started.url):
        assert words in client.get(path).content.decode()
    assert words in client.post("/s/films/consent/", follow=True).content.decode()
    late = client.post(
        started.url,
        fields(question_page(started.appraiser)),
        follow=True,
    )
    assert words in late.content.decode()
    assert not Judgment.objects.exists()


def test_fifteen_answers_lead_to_the_code(client, started):
    for number in range(1, 16):
        assert f"Question {number} of 15" in client.get(started.url).content.decode()
        answer(client, started, "left" if number % 2 else "right")
    page = client.get(started.url).content.decode()
    assert started.appraiser.completion_code in page
    assert Judgment.objects.count() == 15


def test_a_finished_appraiser_sees_the_code_after_the_end_of_the_study(client, started):
    for _ in range(15):
        answer(client, started)
    Study.objects.update(status="closed")
    assert started.appraiser.completion_code in client.get(started.url).content.decode()


def test_a_double_submit_changes_nothing_and_continues(client, started):
    page = question_page(started.appraiser)
    for choice in ("left", "right"):
        sent = client.post(f"{started.url}answer/", fields(page, choice), follow=True)
        assert "Question 2 of 15" in sent.content.decode()
    assert Judgment.objects.get().choice == "left"


def test_a_key_of_somebody_else_changes_nothing_and_continues(client, started, ben):
    key = question_page(ben.appraiser)["assignment_key"]
    for stale in (key, uuid.uuid4()):
        sent = client.post(
            f"{started.url}answer/", {"assignment": stale, "choice": "left"}, follow=True
        )
        assert "Question 1 of 15" in sent.content.decode()
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"choice": "left"}, {"assignment": "x", "choice": "both"}])
def test_an_answer_that_is_none_is_asked_again(client, started, sent):
    page = client.post(f"{started.url}answer/", sent)
    assert page.status_code == 400
    assert "Please choose again" in page.content.decode()
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("sent", ["", "-1", "1.5", "NaN", "9" * 30, "٣", "12\x00", "1e3", None])
def test_a_measure_that_is_none_never_costs_the_answer(client, started, sent):
    client.get(started.url)
    page = question_page(started.appraiser)
    measure = {} if sent is None else {"visible_ms": sent}
    assert client.post(f"{started.url}answer/", fields(page, **measure)).status_code == 302
    assert Judgment.objects.get().visible_ms is None


def test_a_measure_is_kept_with_the_answer(client, started):
    client.get(started.url)
    page = question_page(started.appraiser)
    client.post(f"{started.url}answer/", fields(page, visible_ms="1"))
    assert Judgment.objects.get().visible_ms == 1


def test_a_question_is_marked_as_shown_when_it_is_shown(client, started):
    first = started.appraiser.assignments.get(position=1)
    assert first.shown_at is None
    client.get(started.url)
    first.refresh_from_db()
    assert first.shown_at is not None


def test_both_cards_are_built_alike(client, started):
    page = client.get(started.url)
    cards = re.findall(r'<div class="card".*?</div>', page.content.decode(), re.DOTALL)
    shapes = []
    for card, side in zip(cards, ("left", "right"), strict=True):
        movie = page.context["page"][side]
        card = re.sub(r'href="[^"]*"', "", card).replace(f'value="{side}"', "")
        for content in (movie.title, str(movie.year), ", ".join(movie.genres)):
            card = card.replace(content, "")
        shapes.append(card)
    assert shapes[0] == shapes[1]


def test_a_long_profile_is_sent_compressed(client, started):
    page = client.get(started.url, headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"


def test_no_byte_names_a_system(client, study):
    """Every page of a whole walk, with the headers, against every name that the study knows."""
    sent = [
        client.get("/s/films/"),
        client.get("/s/films/consent/"),
        client.post("/s/films/consent/"),
    ]
    url = sent[-1]["Location"]
    sent += [client.get(url), client.post(f"{url}begin/")]
    for _ in range(15):
        sent.append(client.get(url))
        sent.append(client.post(f"{url}answer/", fields(sent[-1].context["page"], "right")))
    sent.append(client.get(url))
    assert "completion code" in sent[-1].content.decode()
    said = "".join(f"{page.headers} {page.cookies} {page.content.decode()}" for page in sent)
    names = {"autoencoder", "knn", "bias", "neighbour", "compact", "time-90-10", "score"}
    for arm in study.arms.select_related("trained_model"):
        model = arm.trained_model
        names |= {arm.label, model.system, model.artefact, str(model.job_id)}
    assert named(names, said) == []
    assert re.findall(r"\b(?:arm|model)s?\b", without_drawn(said), re.IGNORECASE) == []


def test_external_links_send_no_referrer(client, started):
    links = re.findall(r'<a [^>]*href="https?:[^>]*>', client.get(started.url).content.decode())
    assert len(links) > 4
    assert all('rel="noopener noreferrer"' in link for link in links)


def test_browsers_that_ask_for_an_icon_unbidden_get_it(client):
    assert client.get("/favicon.ico")["Location"] == "/static/img/favicon.svg"


def test_an_answer_takes_eight_statements(client, started, django_assert_num_queries):
    """The savepoint of the test stands for BEGIN, its release for COMMIT."""
    sent = fields(client.get(started.url).context["page"])
    with django_assert_num_queries(8):
        client.post(f"{started.url}answer/", sent)


def test_a_question_that_was_shown_is_read_without_a_write(
    client, started, django_assert_num_queries
):
    client.get(started.url)
    with django_assert_num_queries(3) as queries:
        client.get(started.url)
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_the_first_look_at_a_question_takes_six_statements(
    client, started, django_assert_num_queries
):
    with django_assert_num_queries(6):  # two of them for the profile, one to store the time
        client.get(started.url)


@pytest.mark.parametrize("choice", ["left", "right"])
def test_a_page_loaded_before_each_form_had_its_own_address_still_answers(client, started, choice):
    sent = fields(question_page(started.appraiser), choice)
    old = client.post(started.url, sent)
    assert (old.status_code, old["Location"]) == (307, f"{started.url}answer/")
    client.post(started.url, sent, follow=True)
    assert Judgment.objects.get().choice == choice


@pytest.mark.parametrize(
    ("field", "target"), [("begin", "begin"), ("confirm", "confirm"), ("speak", "language")]
)
def test_the_other_old_forms_lead_to_their_new_address(client, ada, field, target):
    assert client.post(ada.url, {field: "1"})["Location"] == f"{ada.url}{target}/"


@pytest.mark.parametrize("path", ["begin", "answer", "confirm", "language", "responses"])
def test_a_reload_of_a_refused_form_by_its_address_leads_to_the_private_link(client, ada, path):
    assert client.get(f"{ada.url}{path}/")["Location"] == ada.url
