"""A copy of a study is a new draft: the same settings, nobody's answers."""

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Job, TrainedModel
from survey import services
from survey.errors import StudyError
from survey.models import Appraiser, Study
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
    services.launch_study(study=study)
    services.join_study(study=study)
    return study


def test_a_copy_is_a_draft_with_the_same_settings_and_arms(films):
    copy = services.clone_study(study=films, slug="again")
    assert copy.status == Study.Status.DRAFT
    assert [getattr(copy, name) for name in SAME] == [getattr(films, name) for name in SAME]
    labels = [list(study.arms.values_list("label", "trained_model")) for study in (films, copy)]
    assert labels[0] == labels[1]


def test_no_question_hash_or_answer_comes_along(films):
    copy = services.clone_study(study=films, slug="again")
    assert (copy.design_hash, copy.launched_at, copy.profiles_tried) == ("", None, 0)
    assert not copy.questions.exists()
    assert Appraiser.objects.get().study == films


def test_the_same_seed_draws_the_same_profiles_and_another_one_others(films):
    same = services.clone_study(study=films, slug="same")
    other = services.clone_study(study=films, slug="other", seed=99)
    assert same.profile_pool == films.profile_pool
    assert (other.seed, sorted(other.profile_pool)) == (99, sorted(films.profile_pool))
    assert other.profile_pool != films.profile_pool


def test_a_copy_says_where_it_comes_from(films):
    copy = services.clone_study(study=films, slug="again", by="rita")
    event = copy.events.get()
    assert (event.note, event.by) == ("copied from films", "rita")


def test_a_copy_can_be_launched_and_is_a_study_of_its_own(films):
    copy = services.clone_study(study=films, slug="again")
    Job.objects.update(status=Job.Status.DONE)
    services.launch_study(study=copy)
    rows = [list(study.questions.values_list("user", "first_movie")) for study in (films, copy)]
    assert rows[0] == rows[1]
    assert copy.design_hash != films.design_hash


def test_arms_that_no_longer_fit_are_refused(films):
    TrainedModel.objects.filter(arms__position=1).update(split="random-90-10")
    with pytest.raises(StudyError, match="different splits"):
        services.clone_study(study=films, slug="again")
    assert Study.objects.count() == 1


def test_a_name_that_is_taken_is_wrong_usage(films):
    with pytest.raises(CommandError, match="a study 'films' already") as refused:
        call_command("clone_study", "films", "films")
    assert refused.value.returncode == 2


@pytest.mark.parametrize(("draw", "same"), [("same", True), ("new", False)])
def test_the_page_makes_a_copy_and_shows_it(client, rita, films, draw, same):
    client.force_login(rita)
    sent = client.post("/research/films/clone/", {"slug": "again", "draw": draw})
    assert sent["Location"] == "/research/again/"
    copy = Study.objects.get(slug="again")
    assert (copy.seed == films.seed) is same


@pytest.mark.parametrize("slug", ["films", "not a name", ""])
def test_a_name_that_cannot_be_makes_no_copy(client, rita, films, slug):
    client.force_login(rita)
    sent = client.post("/research/films/clone/", {"slug": slug, "draw": "same"}, follow=True)
    assert "Choose another name" in sent.content.decode() or "choose another" in (
        sent.content.decode()
    )
    assert Study.objects.count() == 1


def test_who_may_only_look_copies_nothing(client, vera, films):
    client.force_login(vera)
    sent = client.post("/research/films/clone/", {"slug": "again", "draw": "same"})
    assert sent.status_code == 403
    assert Study.objects.count() == 1
