"""The commands of a study, with real systems trained on the small data set."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender import loaders
from recommender.management import following
from recommender.models import Job
from survey.management.studies import describe_agreements
from survey.models import Study
from tests.factories import DatasetFactory, StudyFactory

pytestmark = pytest.mark.django_db
NUMBERS = ["--profiles", "12", "--questions", "10", "--appraisers", "5", "--seed", "1"]


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


@pytest.fixture
def trained(transactional_db, home):
    """A data set with two systems that were really trained on it, each job in its transactions."""
    dataset = DatasetFactory(name="films")
    run("train_models", "--dataset", "films", "--systems", "bias,user-knn", "--inline", "--json")
    return dataset


@pytest.fixture
def fast(monkeypatch):
    """Waiting for a worker that is not there takes no time."""
    monkeypatch.setattr(following, "NO_WORKER_SECONDS", -1.0)


CREATE = ["create_study", "films", "--dataset", "films", "--arms", "bias,user-knn", *NUMBERS]


@pytest.fixture
def damage(trained, home):
    """Damages the stored ratings, and lets this process notice."""

    def change() -> None:
        loaders._mapped.cache_clear()
        file = home / trained.folder / "values.npy"
        file.write_bytes(file.read_bytes() + b"x")

    return change


def test_a_study_is_created_published_and_launched_in_one_go(trained):
    facts = json.loads(run(*CREATE, "--inline", "--json"))
    study = Study.objects.get(slug="films")
    assert (facts["study"], facts["status"]) == ("films", "running")
    assert facts["arms"] == ["Damped bias", "User-user KNN"]
    assert facts["questions"] == study.questions.count() >= 10
    assert facts["profiles_tried"] == facts["questions"] + facts["agreements"]
    assert facts["judge"] == "http://localhost:8000/s/films/"
    assert facts["results"] == "http://localhost:8000/research/films/"


def test_the_same_seed_makes_the_same_study(trained):
    made = []
    for slug in ("one", "two"):
        run("create_study", slug, *CREATE[2:], "--inline")
        questions = Study.objects.get(slug=slug).questions
        made.append(list(questions.values_list("user", "first_item", "second_item")))
    assert made[0] == made[1]


def test_ratings_that_were_damaged_are_one_message(damage):
    damage()
    error = refused(*CREATE, "--inline")
    assert error.returncode == 1
    assert "was changed after it was written" in str(error)
    assert not Study.objects.exists()


def test_ratings_that_were_damaged_before_the_launch_keep_the_draft(damage):
    run(*CREATE, "--inline", "--draft")
    damage()
    error = refused("launch_study", "films")
    assert error.returncode == 1
    assert "was changed after it was written" in str(error)
    assert Study.objects.get().status == Study.Status.DRAFT


def test_a_copy_is_made_prepared_and_launched_by_two_commands(trained):
    run(*CREATE, "--inline")
    assert "launch_study again" in run("clone_study", "films", "again", "--inline")
    assert Study.objects.get(slug="again").status == Study.Status.DRAFT
    run("launch_study", "again")
    made = [
        list(study.questions.values_list("user", "first_item", "second_item"))
        for study in Study.objects.order_by("pk")
    ]
    assert made[0] == made[1]


def test_a_draft_is_prepared_but_not_launched(trained):
    assert "launch_study films" in run(*CREATE, "--inline", "--draft")
    assert Study.objects.get().status == Study.Status.DRAFT
    said = run("launch_study", "films")
    assert "Judge:   http://localhost:8000/s/films/" in said
    assert Study.objects.get().status == Study.Status.RUNNING


def test_without_a_worker_the_draft_is_kept_and_the_status_says_so(trained, fast):
    error = refused(*CREATE)
    assert error.returncode == 3
    assert "manage.py launch_study films" in str(error)
    assert Study.objects.get().status == Study.Status.DRAFT
    run("launch_study", "films", "--inline")
    assert Study.objects.get().status == Study.Status.RUNNING


def test_launching_again_orders_what_had_failed(trained, fast):
    refused(*CREATE)
    publish = Job.objects.filter(kind=Job.Kind.PUBLISH)
    publish.update(status=Job.Status.FAILED, error="The disk was full.")
    run("launch_study", "films", "--inline")
    assert Study.objects.get().status == Study.Status.RUNNING


def test_a_study_is_launched_by_the_command_once(trained):
    run(*CREATE, "--inline")
    assert "launched before" in str(refused("launch_study", "films"))


def test_an_unknown_data_set_or_study_names_those_there_are(db, home):
    StudyFactory(slug="nature", dataset=DatasetFactory(name="docs"))
    arguments = ["create_study", "x", "--dataset", "nope", "--arms", "bias,user-knn"]
    assert "Available: docs." in str(refused(*arguments))
    for command in (
        ["launch_study"],
        ["simulate_appraisers", "--appraisers", "1"],
        ["export_study", "--out", "x.csv"],
    ):
        assert "Available: nature." in str(refused(command[0], "nope", *command[1:]))


@pytest.mark.parametrize(
    ("n_arms", "words"),
    [
        (2, "1 of 51 profiles was skipped: both arms recommended the same movie."),
        (3, "Two arms recommended the same movie 1 time on 51 profiles; no question was made"),
    ],
)
def test_agreements_are_described_by_number_of_arms(n_arms, words):
    assert words in describe_agreements(Study(agreements=1, profiles_tried=51), n_arms)
