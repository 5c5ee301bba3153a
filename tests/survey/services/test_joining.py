"""What joining a study stores."""

import hashlib
from datetime import timedelta

import pytest

from survey.errors import StudyClosed, StudyFull
from survey.models import Appraiser, Study
from survey.selectors.capacity import places_left
from survey.services.joining import join_study, mark_instructed
from survey.tokens import new_token, token_digest
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def test_joining_hands_out_a_token_that_is_not_stored(ada):
    row = Appraiser.objects.values().get(pk=ada.appraiser.pk)
    assert len(ada.token) >= 43
    assert ada.token not in str(row)
    assert row["token_digest"] == token_digest(ada.token)


def test_joining_gives_every_question_at_most_once_in_positions_from_one(ada):
    assignments = list(ada.appraiser.assignments.order_by("position"))
    assert [assignment.position for assignment in assignments] == list(range(1, 16))
    assert len({assignment.question_id for assignment in assignments}) == 15


def test_joining_stores_the_accepted_text(study, ada):
    Study.objects.filter(pk=study.pk).update(consent_text="Other words.")
    ada.appraiser.refresh_from_db()
    assert ada.appraiser.consent_text == study.consent_text


def test_joining_stores_the_text_in_the_language_in_which_it_was_read(client):
    german = "Ich habe gelesen, worum es geht, und mache mit."
    study = StudyFactory(slug="words", translations={"de": {"consent_text": german}})
    page = client.get("/s/words/consent/?lang=de").content.decode()
    assert german in page
    ticket = new_token()
    client.post("/s/words/consent/?lang=de", {"ticket": ticket, "lang": "de"})
    who = study.appraisers.get()
    assert (who.language, who.consent_text) == ("de", german)
    assert who.consent_version == hashlib.sha256(german.encode()).hexdigest()[:16]


def test_completion_codes_hold_nothing_that_is_misread(ada, ben):
    codes = {ada.appraiser.completion_code, ben.appraiser.completion_code}
    assert len(codes) == 2
    assert all(len(code) == 11 and code[5] == "-" for code in codes)
    assert not set("".join(codes)) & set("AEIOU01L2Z5S6G8BQ")


def test_the_second_appraiser_gets_the_questions_that_were_assigned_least(study, ada, ben):
    given = [set(judge.appraiser.assignments.values_list("question")) for judge in (ada, ben)]
    assert len(given[0] | given[1]) == 20


def test_the_same_seed_gives_the_same_questions_and_sides():
    drawn = []
    for _ in range(2):
        appraiser, _ = join_study(study=StudyFactory(seed=11))
        rows = appraiser.assignments.select_related("question", "left_arm").order_by("position")
        drawn.append([(row.question.number, row.left_arm.position) for row in rows])
    assert drawn[0] == drawn[1]


def test_a_ticket_that_comes_twice_joins_once(study):
    ticket = new_token()
    first, again = (join_study(study=study, ticket=ticket) for _ in range(2))
    assert first == again
    assert Appraiser.objects.count() == 1


def test_a_ticket_that_somebody_made_up_joins_once_in_each_study_and_opens_no_other_link(study):
    made_up, other = "a" * 43, StudyFactory(slug="other")
    links = [join_study(study=each, ticket=made_up)[1] for each in (study, study, other)]
    assert links[0] == links[1] != links[2]
    assert made_up not in links
    assert [each.appraisers.count() for each in (study, other)] == [1, 1]


def test_a_repeated_ticket_is_accepted_by_a_full_or_paused_study(study):
    ticket = new_token()
    first = join_study(study=study, ticket=ticket)
    Study.objects.filter(pk=study.pk).update(quota=1, status=Study.Status.PAUSED)
    assert join_study(study=study, ticket=ticket) == first


def test_a_ticket_opens_no_link_but_its_own(study):
    ticket = new_token()
    real = join_study(study=study, ticket=ticket)
    simulated = join_study(study=study, kind="simulated", ticket=ticket)
    elsewhere = join_study(study=StudyFactory(), ticket=ticket)
    assert len({token for _, token in (real, simulated, elsewhere)}) == 3
    assert ticket not in {token for _, token in (real, simulated, elsewhere)}


def test_a_ticket_that_anybody_might_have_leads_to_no_other_appraiser(study):
    one, other = (join_study(study=study, ticket="mine") for _ in range(2))
    assert one[0] != other[0]


def test_the_quota_turns_the_next_real_appraiser_away():
    study = StudyFactory(quota=1)
    join_study(study=study)
    with pytest.raises(StudyFull):
        join_study(study=study)
    assert places_left(study) == 0


def test_simulated_appraisers_take_no_place_and_have_numbers_of_their_own():
    study = StudyFactory(quota=1)
    simulated = [join_study(study=study, kind="simulated")[0] for _ in range(2)]
    real, _ = join_study(study=study)
    assert [who.pseudonym for who in [*simulated, real]] == [
        "simulated-0001",
        "simulated-0002",
        "real-0001",
    ]


def test_nobody_joins_a_study_that_is_not_running():
    with pytest.raises(StudyClosed):
        join_study(study=StudyFactory(status=Study.Status.CLOSED))


def test_beginning_twice_keeps_the_first_time(ada):
    mark_instructed(appraiser=ada.appraiser, now=NOW)
    mark_instructed(appraiser=ada.appraiser, now=NOW + timedelta(hours=1))
    ada.appraiser.refresh_from_db()
    assert ada.appraiser.instructed_at == NOW


def test_joining_does_not_read_the_profiles(study, django_assert_num_queries):
    with django_assert_num_queries(11) as queries:
        join_study(study=study)
    assert not any('"profile"' in query["sql"] for query in queries)
