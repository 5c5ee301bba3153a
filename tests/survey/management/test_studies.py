"""The commands of a study, with real systems trained on the small data set."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender import loaders
from recommender.management import following
from recommender.models import Job
from survey.management.studies import describe_agreements
from survey.models import Appraiser, Assignment, Judgment, Study
from survey.selectors.studies import model_for_arm
from survey.services.status import close_study
from tests.factories import DatasetFactory, StudyFactory, TrainedModelFactory

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


@pytest.fixture
def damage(trained, home):
    """Damages the stored ratings, and lets this process notice."""

    def change() -> None:
        loaders._mapped.cache_clear()
        file = home / trained.folder / "values.npy"
        file.write_bytes(file.read_bytes() + b"x")

    return change


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


def test_a_draft_is_prepared_but_not_launched_until_told(trained):
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


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("bias", "two arms"),
        ("bias,nonsense", "no system 'nonsense'. Choose from: bias"),
        ("bias,user-knn:compact", "user-knn has no preset 'compact'"),
        ("bias,autoencoder", "train_models --dataset films --systems autoencoder"),
        ("bias,autoencoder:paper", "--systems autoencoder --preset paper"),
        ("bias,99999", "no trained model 99999"),
        ("bias,bias", "Both arms are model"),
    ],
)
def test_arms_that_cannot_be_are_refused_with_a_remedy(db, home, arms, message):
    dataset = DatasetFactory(name="films")
    for system in ("bias", "user-knn"):
        TrainedModelFactory(dataset=dataset, system=system)
    error = refused("create_study", "films", "--dataset", "films", "--arms", arms, *NUMBERS)
    assert message in str(error)
    assert error.returncode == 2
    assert not Study.objects.exists()


def test_an_arm_is_the_newest_of_its_system_or_the_one_with_that_number(db, home):
    dataset = DatasetFactory(name="films")
    paper = TrainedModelFactory(dataset=dataset, system="autoencoder", preset="paper")
    old, new = (TrainedModelFactory(dataset=dataset, system="autoencoder") for _ in range(2))
    TrainedModelFactory(dataset=DatasetFactory(name="others"), system="autoencoder")
    found = {
        text: model_for_arm(dataset=dataset, text=text)
        for text in ("autoencoder", "autoencoder:compact", "autoencoder:paper", str(old.pk))
    }
    assert list(found.values()) == [new, new, paper, old]


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


# -- simulated appraisers ----------------------------------------------------------------------


def test_simulated_appraisers_judge_everything_and_are_marked(study):
    run("simulate_appraisers", "films", "--appraisers", "3")
    assert set(Appraiser.objects.values_list("kind", flat=True)) == {"simulated"}
    assert Judgment.objects.count() == 45
    assert not Appraiser.objects.filter(finished_at=None).exists()


def test_simulated_times_run_forward_at_a_human_pace(study):
    run("simulate_appraisers", "films", "--appraisers", "2")
    for who in Appraiser.objects.all():
        rows = who.assignments.order_by("position").values_list("shown_at", "judgment__answered_at")
        moments = [who.consented_at, *(moment for row in rows for moment in row)]
        assert moments == sorted(moments)
        assert who.instructed_at == moments[1]
        assert who.finished_at == moments[-1]
        assert 120 < (moments[-1] - moments[0]).total_seconds() < 3600


def test_simulation_repeats_itself_in_the_same_study():
    choices = []
    for slug in ("one", "two"):
        StudyFactory(slug=slug)
        run("simulate_appraisers", slug, "--appraisers", "4", "--seed", "9")
        judged = Judgment.objects.filter(assignment__appraiser__study__slug=slug)
        order = judged.order_by("assignment__appraiser__number", "assignment__position")
        choices.append(list(order.values_list("choice", "assignment__question__number")))
    assert choices[0] == choices[1]


@pytest.mark.parametrize("arm", ["autoencoder", "autoencoder:compact", "Autoencoder"])
def test_the_preferred_arm_wins_about_as_often_as_asked(study, arm):
    run("simulate_appraisers", "films", "--appraisers", "40", "--prefer", f"{arm}:0.9")
    won = Judgment.objects.filter(chosen_arm__label="Autoencoder").count()
    assert won / 600 == pytest.approx(0.9, abs=0.04)


def test_simulated_appraisers_may_stop_early(study):
    run("simulate_appraisers", "films", "--appraisers", "2", "--questions", "4")
    assert Judgment.objects.count() == 8
    assert Assignment.objects.count() == 30
    assert not Appraiser.objects.exclude(finished_at=None).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--appraisers", "0"],
        ["--appraisers", "2", "--questions", "16"],
        ["--appraisers", "2", "--questions", "few"],
        ["--appraisers", "2", "--prefer", "autoencoder"],
        ["--appraisers", "2", "--prefer", "autoencoder:1.5"],
        ["--appraisers", "2", "--prefer", "autoencoder:nan"],
        ["--appraisers", "2", "--prefer", "nobody:0.5"],
        ["--appraisers", "2", "--seed", "-1"],
    ],
)
def test_wrong_wishes_for_a_simulation_are_usage_errors(study, wrong):
    assert refused("simulate_appraisers", "films", *wrong).returncode == 2
    assert not Appraiser.objects.exists()


def test_a_closed_study_is_not_simulated(study):
    close_study(study=study)
    error = refused("simulate_appraisers", "films", "--appraisers", "1")
    assert "running study" in str(error)


# -- export ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_arms", "words"),
    [
        (2, "1 of 51 profiles was skipped: both arms recommended the same movie."),
        (3, "Two arms recommended the same movie 1 time on 51 profiles; no question was made"),
    ],
)
def test_agreements_are_told_as_what_they_count(n_arms, words):
    assert words in describe_agreements(Study(agreements=1, profiles_tried=51), n_arms)


def test_an_export_holds_every_judgment(study, tmp_path):
    run("simulate_appraisers", "films", "--appraisers", "3")
    out = tmp_path / "films.csv"
    assert run("export_study", "films", "--out", str(out)).startswith("45 judgments of films")
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    assert {row["kind"] for row in rows} == {"simulated"}
    assert [file.name for file in tmp_path.iterdir()] == ["films.csv"]


@pytest.mark.parametrize("command", ["export_study", "export_design"])
def test_a_file_called_minus_is_standard_output(study, tmp_path, monkeypatch, command):
    Study.objects.update(design_hash="0" * 64)
    monkeypatch.chdir(tmp_path)
    out, err = StringIO(), StringIO()
    call_command(command, "films", "--out", "-", stdout=out, stderr=err)
    named = tmp_path / "films"
    said = run(command, "films", "--out", str(named))
    assert out.getvalue() == named.read_bytes().decode()
    assert err.getvalue() == said.replace(str(named), "-")
    assert [file.name for file in tmp_path.iterdir()] == ["films"]


def test_an_existing_file_is_replaced_only_by_force(study, tmp_path):
    out = tmp_path / "films.csv"
    out.write_text("precious")
    assert "--force" in str(refused("export_study", "films", "--out", str(out)))
    assert out.read_text() == "precious"
    run("export_study", "films", "--out", str(out), "--force")
    assert out.read_text().startswith("study,question,")


def test_an_export_that_breaks_off_leaves_what_was_there(study, tmp_path, monkeypatch):
    from survey import exports
    from survey.management.commands import export_study

    def broken(study):
        yield exports.HEADER
        raise OSError(28, "No space left on device")

    out = tmp_path / "films.csv"
    out.write_text("precious")
    monkeypatch.setitem(export_study.TABLES, "judgments", broken)
    error = refused("export_study", "films", "--out", str(out), "--force")
    assert "No space left" in str(error)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("films.csv", "precious")
    ]


def test_an_export_needs_a_folder_and_does_not_replace_one(study, tmp_path):
    missing = tmp_path / "nowhere" / "films.csv"
    assert "an existing folder" in str(refused("export_study", "films", "--out", str(missing)))
    error = refused("export_study", "films", "--out", str(tmp_path), "--force")
    assert "Name a file" in str(error)
