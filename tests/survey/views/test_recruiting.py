"""The researchers' pages on how appraisers reach a study: links, personal links, panels."""

import csv
import re

import pytest

from survey import tokens
from survey.models import Appraiser, Study
from survey.protocol import panels
from survey.services.inviting import make_invitations, revoke_invitations
from survey.services.joining import join_study
from survey.services.withdrawing import withdraw
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")


SENT = {"PROLIFIC_PID": "5f1ada", "STUDY_ID": "64study", "SESSION_ID": "s1"}


@pytest.fixture
def as_rita(client, rita):
    client.force_login(rita)
    return client


@pytest.fixture
def invited(db):
    study = StudyFactory(slug="films", entry="personal")
    (link,) = make_invitations(study=study, count=1, labels=["Ada"])
    return f"/i/{link.token}/"


@pytest.fixture
def paneled(db):
    return StudyFactory(slug="films", entry="panel", panel=PROLIFIC)


def words(response):
    page = re.sub(r"<[^>]+>", "", response.content.decode())
    return re.sub(r"\s+", " ", page)


def read(client, path):
    return words(client.get(path))


def rows(response):
    return list(csv.reader(b"".join(response.streaming_content).decode().splitlines()))


def test_an_open_study_shows_its_link_and_how_many_came(as_rita, ada, study):
    page = as_rita.get("/research/films/recruit/")
    assert 'value="http://testserver/s/films/"' in page.content.decode()
    assert re.search(r"Taken part ?1 ?for 100 places", words(page))
    assert "until all 100 places are taken" in words(page)


def test_only_those_who_got_a_completion_code_are_counted_as_finished(as_rita, study, ada, ben):
    for who, outcome in ((ada, "done"), (ben, "screened")):
        own = Appraiser.objects.filter(pk=who.appraiser.pk)
        own.update(finished_at=NOW, outcome=outcome)
    page = read(as_rita, "/research/films/recruit/")
    assert re.search(r"Finished ?1 ?each has a completion code of their own", page)


def test_the_page_of_links_counts_them_and_shows_none(as_rita, invited, client):
    client.post(f"{invited}consent/")
    make_invitations(study=Study.objects.get(), count=2)
    revoke_invitations(study=Study.objects.get(), numbers=[3])
    page = as_rita.get("/research/films/recruit/")
    secret = invited.split("/")[2]
    assert secret not in page.content.decode()
    found = re.findall(r'row">(\d+)</th><td>(.*?)</td><td>(.*?)</td>', page.text)
    assert found == [("1", "Ada", "used"), ("2", "–", "not used"), ("3", "–", "revoked")]
    assert "1 not used yet, 1 revoked" in words(page)


def test_links_are_made_and_downloaded_from_the_page_that_made_them(as_rita, invited, client):
    ticket = tokens.new_token()
    made = as_rita.post(
        "/research/films/recruit/links/", {"ticket": ticket, "labels": "Ben\r\n=Cleo\r\n"}
    )
    assert "2 personal links are ready." in words(made)
    response = as_rita.post("/research/films/recruit/links.csv", {"ticket": ticket})
    header, ben, cleo = rows(response)
    assert response["Content-Disposition"] == 'attachment; filename="films-links-2-3.csv"'
    assert header == ["number", "label", "link"]
    assert (ben[:2], cleo[:2]) == (["2", "Ben"], ["3", "'=Cleo"])
    assert client.get(ben[2]).status_code == 200


def test_a_form_that_is_sent_twice_makes_its_links_once(as_rita, invited):
    form = {"ticket": tokens.new_token(), "count": "3"}
    first = as_rita.post("/research/films/recruit/links/", form)
    again = as_rita.post("/research/films/recruit/links/", form)
    assert words(first) == words(again)
    assert Study.objects.get().invitations.count() == 4


def test_a_download_without_the_pages_ticket_shows_no_links(as_rita, invited):
    response = as_rita.post("/research/films/recruit/links.csv", {"ticket": tokens.new_token()})
    assert response["Location"] == "/research/films/recruit/"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "How many links?"),
        ({"count": "0"}, "How many links?"),
        ({"count": "10001"}, "Make 1 to 10,000"),
        ({"count": "many"}, "Write a whole number"),
        ({"count": "1", "labels": "Ada\nBen"}, "2 labels for 1"),
    ],
)
def test_links_that_cannot_be_made_are_refused_in_words(as_rita, invited, form, said):
    form = {"ticket": tokens.new_token(), **form}
    page = as_rita.post("/research/films/recruit/links/", form)
    assert page.status_code == 400
    assert said in words(page)
    assert Study.objects.get().invitations.count() == 1


def test_unused_links_are_revoked_by_their_numbers(as_rita, invited):
    make_invitations(study=Study.objects.get(), count=4)
    page = as_rita.post("/research/films/recruit/revoke/", {"numbers": "1, 3-4"}, follow=True)
    assert "Revoked: 3 links." in words(page)
    assert "2 not used yet, 3 revoked" in words(page)
    page = as_rita.post("/research/films/recruit/revoke/", {"numbers": "one"})
    assert "is not a number of a link" in words(page)


def test_many_links_are_listed_a_page_at_a_time(as_rita, invited, django_assert_max_num_queries):
    make_invitations(study=Study.objects.get(), count=150)
    with django_assert_max_num_queries(8):
        page = as_rita.get("/research/films/recruit/?page=2")
    assert "101 to 151 of 151" in words(page)


def test_a_panel_s_page_names_the_address_and_the_three_codes(as_rita, paneled):
    page = as_rita.get("/research/films/recruit/")
    assert (
        "http://testserver/s/films/?PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;STUDY_ID={{%STUDY_ID%}}"
        "&amp;SESSION_ID={{%SESSION_ID%}}" in page.text
    )
    for code in ("CDONE", "CSCREEN", "CFAIL"):
        assert f"<code>{code}</code>" in page.text


def test_a_panel_s_page_counts_outcomes_with_trials_apart(as_rita, paneled):
    for name, outcome in (("a", "done"), ("b", "failed"), ("c", "done"), ("d", "")):
        person, _ = join_study(study=paneled, panel={k: [name + v] for k, v in SENT.items()})
        if outcome:
            Appraiser.objects.filter(pk=person.pk).update(outcome=outcome, finished_at=NOW)
    Appraiser.objects.filter(panel_person="c5f1ada").update(kind="pilot", number=1)
    page = as_rita.get("/research/films/recruit/").text
    counted = re.findall(r'<td class="number">(\d+)</td><td class="number">(\d+)</td>', page)
    assert counted == [("1", "1"), ("0", "0"), ("1", "0"), ("1", "0")]


def test_the_panel_s_list_names_people_and_outcomes_in_no_order_of_ours(as_rita, paneled):
    for name in ("zoe", "ada"):
        join_study(study=paneled, panel={k: [name] for k in SENT})
    as_rita.get("/s/films/", {**dict.fromkeys(SENT, "ada"), "SESSION_ID": "second"})
    Appraiser.objects.filter(panel_person="zoe").update(outcome="done", finished_at=NOW)
    assert rows(as_rita.get("/research/films/recruit/panel.csv")) == [
        ["study", "kind", *SENT, "outcome", "code", "latest_STUDY_ID", "latest_SESSION_ID"],
        ["films", "real", "ada", "ada", "ada", "unfinished", "", "ada", "second"],
        ["films", "real", "zoe", "zoe", "zoe", "done", "CDONE", "zoe", "zoe"],
    ]


def test_the_page_counts_erased_outcomes_and_visits_after_them(as_rita, paneled):
    for name, outcome in (("zoe", "screened"), ("ada", "failed"), ("ben", "done")):
        who, _ = join_study(study=paneled, panel={k: [name] for k in SENT})
        Appraiser.objects.filter(pk=who.pk).update(outcome=outcome, finished_at=NOW)
        if name != "ben":
            withdraw(appraiser=who)
    for _ in range(2):
        as_rita.get("/s/films/", dict.fromkeys(SENT, "zoe"))
    as_rita.head("/s/films/", dict.fromkeys(SENT, "zoe"))
    lines = as_rita.get("/research/films/recruit/").context["outcomes"]
    counted = ("real", "erased", "n_returns")
    assert {line["outcome"]: tuple(line[name] for name in counted) for line in lines} == {
        "done": (1, 0, 0),
        "screened": (0, 1, 2),
        "failed": (0, 1, 0),
        "": (0, 0, 0),
    }


def test_view_permission_makes_no_links_and_shows_no_panel_ids(client, vera, invited):
    client.force_login(vera)
    page = client.get("/research/films/recruit/")
    assert "Make the links" not in page.text
    for path in ("links/", "links.csv", "revoke/"):
        assert client.post(f"/research/films/recruit/{path}").status_code == 403
    assert client.get("/research/films/recruit/panel.csv").status_code == 403


def test_a_stranger_finds_no_such_page(client, olga, invited):
    assert client.get("/research/films/recruit/").status_code == 302
    client.force_login(olga)
    assert client.get("/research/films/recruit/").status_code == 404
    assert client.post("/research/films/recruit/links/").status_code == 404


@pytest.mark.parametrize("status", Study.Status.values)
def test_the_page_works_in_every_status_and_entry(as_rita, status):
    for entry, panel in (("open", {}), ("personal", {}), ("panel", PROLIFIC)):
        StudyFactory(slug=entry, entry=entry, panel=panel, status=status)
        assert as_rita.get(f"/research/{entry}/recruit/").status_code == 200


@pytest.mark.parametrize(
    ("day", "says_so"), [(None, True), ("2999-12-31", True), ("2020-01-01", False)]
)
def test_the_withdraw_page_names_a_digest_only_if_it_will_be_kept(client, paneled, day, says_so):
    who, token = join_study(study=paneled, panel={name: ["ada"] for name in SENT})
    Appraiser.objects.filter(pk=who.pk).update(outcome="failed", finished_at=NOW)
    Study.objects.update(retain_until=day)
    page = client.get(f"/a/{token}/withdraw/").text
    assert ("A code made from the panel’s number" in page) == says_so
