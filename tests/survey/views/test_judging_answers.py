"""The question's page where a study asks for more, lets answers change, practises and checks."""

import re

import pytest

from survey.models import Appraiser, Assignment, Judgment, JudgmentRevision, Study
from survey.selectors.question import question_page
from survey.services import joining
from survey.services.joining import join_study
from tests.factories import StudyFactory
from tests.survey.form_data import fields

pytestmark = pytest.mark.django_db

EVERYTHING = {
    "third_answer": "tie",
    "ask_familiarity": True,
    "ask_confidence": True,
    "ask_comment": True,
}
SAID = {"left_familiarity": "seen", "right_familiarity": "unknown", "confidence": "4"}


@pytest.fixture
def start(client):
    """Somebody new in a study like this, at the first question; who, and the private address."""

    def begin(**values):
        study = StudyFactory(slug="more", **{"questions_per_appraiser": 4} | values)
        who, token = join_study(study=study)
        joining.mark_instructed(appraiser=who)
        return who, f"/a/{token}/"

    return begin


def anew(who):
    return Appraiser.objects.select_related("study").get(pk=who.pk)


def send(client, who, url, choice="left", number=None, **more):
    page = question_page(anew(who), number=number)
    return client.post(f"{url}answer/", fields(page, choice, **more))


def text(page):
    """What is read, without tags and twice the space."""
    content = re.sub(r"</?bdi[^>]*>", "", page.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content))


def test_a_third_answer_is_one_more_button(client, start):
    who, url = start(third_answer="unsure")
    page = client.get(url).content.decode()
    assert re.findall(r'<button[^>]*name="choice" value="(\w+)"', page) == [
        "left",
        "right",
        "unsure",
    ]
    send(client, who, url, "unsure")
    assert Judgment.objects.get().choice == "unsure"


def test_everything_that_is_asked_comes_with_the_answer(client, start):
    who, url = start(**EVERYTHING)
    sent = send(client, who, url, "right", **SAID, comment="Good.\r\nReally.")
    assert sent.status_code == 302
    kept = ("choice", "left_familiarity", "right_familiarity", "confidence", "comment")
    said = Judgment.objects.values_list(*kept).get()
    assert said == ("right", "seen", "unknown", 4, "Good.\nReally.")


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("choice", "Please choose again"),
        ("left_familiarity", "how well you know each of the two"),
        ("confidence", "Please say how sure you are"),
    ],
)
def test_what_is_missing_is_asked_for_and_the_rest_is_kept(client, start, left_out, words):
    who, url = start(**EVERYTHING)
    sent = fields(question_page(who), "right", **SAID, comment="My <long> thought")
    page = client.post(
        f"{url}answer/", {name: value for name, value in sent.items() if name != left_out}
    )
    assert page.status_code == 400
    assert words in text(page)
    body = page.content.decode()
    assert "My &lt;long&gt; thought</textarea>" in body
    given = {"choice": "right", **SAID}
    checked = dict(re.findall(r'name="(\w+)" value="([\w-]+)"[^>]* checked', body))
    assert checked == {name: value for name, value in given.items() if name != left_out}
    assert not Judgment.objects.exists()


def test_who_cannot_tell_need_not_be_sure(client, start):
    who, url = start(third_answer="unsure", ask_confidence=True)
    assert send(client, who, url, "left").status_code == 400
    assert send(client, who, url, "unsure").status_code == 302


@pytest.mark.parametrize(("length", "status"), [(2000, 302), (2001, 400)])
def test_a_comment_has_room_for_so_much(client, start, length, status):
    """A new line counts once, as in the page, though the browser sends two characters."""
    who, url = start(ask_comment=True)
    comment = "a" * (length - 4) + "\r\nb\r\nc"
    page = send(client, who, url, comment=comment)
    assert page.status_code == status
    if status == 400:
        assert "c</textarea>" in page.content.decode()


def test_a_refused_answer_to_an_earlier_question_continues(client, start):
    who, url = start(**EVERYTHING)
    stale = fields(question_page(who))
    send(client, who, url, **SAID)
    again = client.post(f"{url}answer/", stale, follow=True)
    assert again.status_code == 200
    assert "Question 2 of 4" in text(again)


@pytest.mark.parametrize("rule", ["never", "previous", "finish"])
def test_the_link_to_change_follows_the_rule(client, start, rule):
    who, url = start(changes=rule)
    words = {"previous": "Change my last answer", "finish": "Change my answers"}
    assert "Change my" not in text(client.get(url))
    send(client, who, url)
    assert words.get(rule, "Question 2") in text(client.get(url))
    assert ("Change my" in text(client.get(url))) == (rule != "never")


def test_an_answer_is_shown_as_stored_and_changed(client, start):
    who, url = start(changes="previous", **EVERYTHING)
    send(client, who, url, "tie", **SAID, comment="Hm.")
    page = client.get(f"{url}answers/1/")
    assert "Question 1 of 4: change your answer" in text(page)
    checked = dict(re.findall(r'name="(\w+)" value="([\w-]+)"[^>]* checked', page.content.decode()))
    assert checked == {"choice": "tie", **SAID}
    sent = send(client, who, url, "left", number=1, **SAID, comment="Ah.")
    assert "Question 2 of 4" in text(client.get(sent["Location"]))
    assert list(JudgmentRevision.objects.values_list("choice", "comment")) == [
        ("tie", "Hm."),
        ("left", "Ah."),
    ]


def test_a_refused_change_keeps_what_was_entered(client, start):
    who, url = start(changes="finish", **EVERYTHING)
    send(client, who, url, "left", **SAID)
    page = send(client, who, url, "right", number=1, comment="Wait.")
    assert page.status_code == 400
    assert "Question 1 of 4: change your answer" in text(page)
    assert "Wait.</textarea>" in page.content.decode()


def test_own_answers_are_listed_until_they_are_confirmed(client, start):
    who, url = start(changes="finish", third_answer="tie")
    for choice in ("left", "tie", "right", "left"):
        send(client, who, url, choice)
    page = client.get(url)
    assert "That was the last question." in text(page)
    assert text(page).count("Change the answer to question") == 4
    assert who.completion_code not in text(page)
    changed = send(client, who, url, "right", number=2)
    assert changed["Location"] == f"{url}answers/"
    client.post(f"{url}confirm/")
    assert who.completion_code in client.get(url).content.decode()
    assert client.get(f"{url}answers/")["Location"] == url


@pytest.mark.parametrize("given", [1, 4], ids=["in between", "at the end"])
def test_the_list_of_own_answers_links_to_break_and_withdrawal(client, start, given):
    who, url = start(changes="finish")
    for _ in range(given):
        send(client, who, url)
    page = client.get(f"{url}answers/").content.decode()
    assert f'<a href="{url}break/">Take a break</a>' in page
    assert f'<a href="{url}withdraw/">' in page
    assert f"http://testserver{url}" in client.get(f"{url}break/").content.decode()


def test_the_rule_previous_offers_only_the_last_answer_at_the_end(client, start):
    who, url = start(changes="previous")
    for _ in range(4):
        send(client, who, url)
    page = text(client.get(url))
    assert page.count("Change the answer to question") == 1
    assert "This answer is final" in page


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("never", "cannot be changed once it is given"),
        ("previous", "Only the last answer can be changed"),
        ("finish", "You said that your answers are final"),
    ],
)
def test_a_change_that_may_not_be_is_refused_kindly(client, start, rule, words):
    who, url = start(changes=rule)
    first = fields(question_page(who), "right", revision="1")
    for _ in range(4):
        send(client, who, url)
    if rule == "finish":
        client.post(f"{url}confirm/")
    for page in (client.get(f"{url}answers/1/"), client.post(f"{url}answer/", first)):
        assert page.status_code == 409
        assert words in text(page)
    assert set(Judgment.objects.values_list("choice", flat=True)) == {"left"}


@pytest.mark.parametrize("status", ["paused", "closed"])
def test_an_answer_after_the_end_is_refused(client, start, status):
    who, url = start(changes="finish", ask_comment=True)
    send(client, who, url)
    late = [fields(question_page(anew(who))), fields(question_page(anew(who), number=1), "right")]
    Study.objects.update(status=status)
    for sent in late:
        page = client.post(f"{url}answer/", sent | {"comment": "Late."})
        assert page.status_code == 409
        assert "came too late: it was not stored" in text(page)
    assert Judgment.objects.get().revision == 1
    assert "too late" not in text(client.get(url))


@pytest.mark.parametrize("choice", ["left", "neither of them"])
def test_a_late_comment_is_shown_to_its_writer(client, start, choice):
    who, url = start(ask_comment=True)
    late = fields(question_page(anew(who)), choice)
    Study.objects.update(status="paused")
    page = client.post(f"{url}answer/", late | {"comment": "Both, <b>perhaps</b>."})
    assert page.status_code == 409
    assert "You can copy it" in text(page)
    assert "Both, &lt;b&gt;perhaps&lt;/b&gt;." in page.content.decode()
    assert "perhaps" not in client.get(url).content.decode()


def test_practice_says_that_it_does_not_count_and_when_it_is_over(client, start):
    who, url = start(n_practice=2)
    assert "Practice 1 of 2: this answer does not count" in text(client.get(url))
    send(client, who, url)
    assert "Practice 2 of 2" in text(client.get(url))
    send(client, who, url)
    page = client.get(url)
    assert "Question 1 of 4" in text(page)
    assert "From now on your answers count." in text(page)
    assert '<progress value="2" max="6"' in page.content.decode()
    send(client, who, url)
    assert "From now on" not in text(client.get(url))


def walk(client, who, url, choice="left"):
    """Every page of a question, with its assignment, up to the end."""
    while (page := question_page(anew(who))) is not None:
        assignment = Assignment.objects.get(key=page["assignment_key"])
        yield assignment, page, client.get(url)
        send(client, who, url, choice)


def bare(page, shown):
    """The question's part without what it is about, what it asks, and its secrets."""
    body = page.content.decode().partition('<section class="question"')[2]
    body = re.sub(r"<h2.*?</h2>", "", body, flags=re.DOTALL)
    body = re.sub(r'(href|aria-label)="[^"]*"', "", body)
    body = re.sub(r'value="[\w-]{16,}"', "", body)
    both = (shown["left"], shown["right"])
    facts = [fact for movie in both for fact in (movie.title, str(movie.year))]
    facts += [", ".join(movie.genres) for movie in both]
    for fact in sorted(facts, key=len, reverse=True):
        body = body.replace(fact, "")
    return body


def test_checks_and_repeats_are_asked_as_all_others_are(client, start):
    who, url = start(n_checks=2, checks_to_pass=0, n_repeats=2, questions_per_appraiser=6)
    kinds, bodies, totals = [], set(), set()
    for assignment, shown, page in walk(client, who, url):
        kinds.append(assignment.kind)
        bodies.add(bare(page, shown))
        totals.add(shown["total"])
        told = "To show that you are reading" in text(page)
        assert told == (assignment.kind == "check")
        assert not re.search(r"\b(check|repeat|practice)\b", page.content.decode())
    assert sorted(kinds) == ["check"] * 2 + ["main"] * 6 + ["repeat"] * 2
    assert totals == {10}
    assert len(bodies) == 1


def test_both_cards_are_built_alike_with_everything_on_them(client, start):
    who, url = start(**EVERYTHING)
    shown = question_page(who)
    page = bare(client.get(url), shown)
    for part, kind, inputs in (
        ("div", 'class="card"', 1),
        ("fieldset", 'class="extra familiarity"', 4),
    ):
        left, right = re.findall(rf"<{part} {kind}.*?</{part}>", page, re.DOTALL)
        assert left.replace("left", "") == right.replace("right", "")
        assert left.count("<input") == inputs


def test_a_check_names_the_movie_on_the_side_it_expects(client, start):
    who, url = start(n_checks=1, checks_to_pass=1)
    for assignment, shown, page in walk(client, who, url):
        if assignment.kind == "check":
            movie = shown["left"] if assignment.expected == "left" else shown["right"]
            assert f"please choose “{movie.title}” here." in text(page)


def test_a_repeat_has_the_sides_swapped(client, start):
    who, url = start(n_repeats=1)
    seen = {}
    for assignment, shown, _page in walk(client, who, url):
        if assignment.kind == "repeat":
            assert seen[assignment.question_id] == (shown["right"].title, shown["left"].title)
        seen[assignment.question_id] = (shown["left"].title, shown["right"].title)


@pytest.mark.parametrize("changes", ["previous", "finish"])
def test_with_a_repeat_only_the_last_answer_can_be_changed_until_the_end(client, start, changes):
    who, url = start(changes=changes, n_repeats=1)
    for assignment, shown, page in walk(client, who, url):
        words, number = text(page), assignment.position
        assert "Change my answers" not in words
        if number > 1:
            assert f"{url}answers/{number - 1}/" in page.content.decode()
        assert client.get(f"{url}answers/1/").status_code == (200 if number == 2 else 409)
        listed = text(client.get(f"{url}answers/"))
        assert listed.count(shown["left"].title) + listed.count(shown["right"].title) == 0
    assert client.get(f"{url}answers/{number}/").status_code == 409
    page = text(client.get(url))
    assert page.count("Change the answer to question") == (3 if changes == "finish" else 0)
    assert ("stay as they were first given" in page) == (changes == "finish")
    assert ("What is listed here stays" in page) == (changes == "previous")


def test_a_refused_change_does_not_reveal_the_kind_of_question(client, start):
    who, url = start(changes="finish", n_checks=1, checks_to_pass=1, n_repeats=1)
    fixed = {}
    for assignment, shown, _page in walk(client, who, url):
        if assignment.kind in {"check", "repeat"}:
            fixed[assignment.position] = fields(shown, "right", revision="1")
    for number, sent in fixed.items():
        for page in (client.get(f"{url}answers/{number}/"), client.post(f"{url}answer/", sent)):
            assert page.status_code == 409
            assert "Some answers stay as they were first given." in text(page)
            assert not re.search(r"\b(check|repeat)\b", page.content.decode())
    assert not Judgment.objects.exclude(revision=1).exists()
