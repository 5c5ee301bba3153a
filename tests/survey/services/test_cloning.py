"""A copy of a study is a new draft: the same settings, nobody's answers."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from recommender.models import Job, TrainedModel
from survey.errors import StudyError
from survey.models import Appraiser, Study
from survey.protocol.fields import Protocol
from survey.selectors.protocol_checks import last_day_problems
from survey.services.cloning import clone_study
from survey.services.joining import join_study
from survey.services.launching import launch_study
from survey.services.preparing import publish_again
from survey.wording import built_in
from survey.wording.of_study import StudyTexts, write_texts
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db

SAME = ("title", "dataset", "consent_text", "instructions", "n_profiles", "quota",
        "questions_per_appraiser", "minimum_profile")  # fmt: skip


@pytest.fixture
def films(db):
    """A running study with words of its own and an appraiser."""
    study = prepared()
    Study.objects.update(title="Own title", consent_text="Own words.", instructions="Do so.")
    publish(study)
    study.refresh_from_db()
    launch_study(study=study)
    join_study(study=study)
    return study


def test_a_copy_is_a_draft_with_the_same_settings_and_arms(films):
    copy = clone_study(study=films, slug="again")
    assert copy.status == Study.Status.DRAFT
    assert [getattr(copy, name) for name in SAME] == [getattr(films, name) for name in SAME]
    labels = [list(study.arms.values_list("label", "trained_model")) for study in (films, copy)]
    assert labels[0] == labels[1]


def test_a_copy_has_no_questions_hash_or_answers(films):
    copy = clone_study(study=films, slug="again")
    assert (copy.design_hash, copy.launched_at, copy.profiles_tried) == ("", None, 0)
    assert not copy.questions.exists()
    assert Appraiser.objects.get().study == films


def test_the_seed_decides_which_profiles_a_copy_draws(films):
    same = clone_study(study=films, slug="same")
    other = clone_study(study=films, slug="other", seed=99)
    assert same.profile_pool == films.profile_pool
    assert (other.seed, sorted(other.profile_pool)) == (99, sorted(films.profile_pool))
    assert other.profile_pool != films.profile_pool


def test_a_copy_records_its_source(films):
    copy = clone_study(study=films, slug="again", by="rita")
    event = copy.events.get()
    assert (event.note, event.by) == ("copied from films", "rita")


def test_a_copy_can_be_launched_with_its_own_hash(films):
    copy = clone_study(study=films, slug="again")
    Job.objects.update(status=Job.Status.DONE)
    launch_study(study=copy)
    rows = [list(study.questions.values_list("user", "first_item")) for study in (films, copy)]
    assert rows[0] == rows[1]
    assert copy.design_hash != films.design_hash


def test_arms_that_no_longer_fit_are_refused(films):
    TrainedModel.objects.filter(arms__position=1).update(split="random-90-10")
    with pytest.raises(StudyError, match="different splits"):
        clone_study(study=films, slug="again")
    assert Study.objects.count() == 1


@pytest.mark.parametrize(("draw", "same"), [("same", True), ("new", False)])
def test_the_page_makes_a_copy_and_shows_it(client, rita, films, draw, same):
    client.force_login(rita)
    sent = client.post("/research/films/clone/", {"slug": "again", "draw": draw})
    assert sent["Location"] == "/research/again/"
    copy = Study.objects.get(slug="again")
    assert (copy.seed == films.seed) is same


def test_a_copy_with_stored_recommendations_needs_no_worker(client, rita, films):
    client.force_login(rita)
    client.post("/research/films/clone/", {"slug": "again", "draw": "same"})
    page = client.get("/research/again/").content.decode()
    assert "Ready to open." in page
    assert "Waiting for a worker" not in page
    assert "No worker is running" not in page
    assert publish_again(study=Study.objects.get(slug="again")) == []


@pytest.mark.parametrize("slug", ["films", "not a name", ""])
def test_an_impossible_name_makes_no_copy(client, rita, films, slug):
    client.force_login(rita)
    sent = client.post("/research/films/clone/", {"slug": slug, "draw": "same"}, follow=True)
    assert "Choose another name" in sent.content.decode() or "choose another" in (
        sent.content.decode()
    )
    assert Study.objects.count() == 1


def test_a_viewer_cannot_copy(client, vera, films):
    client.force_login(vera)
    sent = client.post("/research/films/clone/", {"slug": "again", "draw": "same"})
    assert sent.status_code == 403
    assert Study.objects.count() == 1


# -- the last day for having answers erased ----------------------------------------------------

PASSED = date(2026, 4, 10)


@pytest.fixture
def over(films):
    """The last day of the study has passed; its consent is the built-in one, which names it."""
    words = write_texts(
        StudyTexts(),
        questions=films.questions_per_appraiser,
        protocol=Protocol(withdraw_until=PASSED),
    )
    Study.objects.update(
        withdraw_until=PASSED, consent_text=words.consent_text, translations=words.translations
    )
    films.refresh_from_db()
    return films


@pytest.fixture
def ahead():
    return timezone.localdate() + timedelta(days=30)


def test_a_copy_with_a_last_day_that_has_passed_is_refused(over):
    with pytest.raises(StudyError, match="--withdraw-until"):
        clone_study(study=over, slug="again")
    assert Study.objects.count() == 1


def test_a_copy_can_have_another_last_day_or_none(over, ahead):
    assert clone_study(study=over, slug="later", withdraw_until=ahead).withdraw_until == ahead
    copy = clone_study(study=over, slug="never", withdraw_until=None)
    assert copy.withdraw_until is None
    assert last_day_problems(copy) == []


def test_the_built_in_consent_of_a_copy_names_its_own_day_in_every_language(over):
    copy = clone_study(study=over, slug="again", withdraw_until=None)
    assert built_in.ERASE in copy.consent_text
    assert "2026" in over.consent_text + over.translations["de"]["consent_text"]
    assert "2026" not in copy.consent_text
    assert "Bis zum" not in copy.translations["de"]["consent_text"]


def test_an_own_consent_is_copied_unchanged(over):
    Study.objects.update(consent_text="Own words.", translations={})
    copy = clone_study(study=Study.objects.get(), slug="again", withdraw_until=None)
    assert (copy.consent_text, copy.translations.get("de", {}).get("consent_text")) == (
        "Own words.",
        None,
    )


def test_a_future_last_day_is_copied(films, ahead):
    Study.objects.update(withdraw_until=ahead)
    copy = clone_study(study=Study.objects.get(), slug="again")
    assert copy.withdraw_until == ahead


def test_the_page_drops_a_last_day_that_has_passed_and_says_so(client, rita, over):
    client.force_login(rita)
    assert "the copy has no last day" in client.get("/research/films/").content.decode()
    sent = client.post("/research/films/clone/", {"slug": "again", "draw": "same"}, follow=True)
    assert "2026-04-10, has passed" in sent.content.decode()
    assert Study.objects.get(slug="again").withdraw_until is None
