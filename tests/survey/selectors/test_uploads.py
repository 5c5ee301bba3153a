"""A list that was uploaded is an arm like the others, and never half-written."""

import csv
import hashlib
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender.core.readers.source import read_source
from recommender.models import Dataset, Item, Job
from recommender.selectors import eligible_users
from recommender.services.importing import register_dataset
from survey import exports
from survey.errors import StudyError
from survey.models import Arm, Judgment, Study, UploadedRecommendation
from survey.protocol.fields import StudyPlan
from survey.selectors.results import study_results
from survey.selectors.uploads import read_upload, sources_for_arms, stored_upload
from survey.services.answering import record_judgment
from survey.services.cloning import clone_study
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import launch_study
from survey.services.preparing import delete_draft, prepare_study
from tests.factories import N_MOVIES, DatasetFactory, TrainedModelFactory, small_ratings
from tests.recommender.core.readers import sources as recommender_sources
from tests.survey.drafts import publish

pytestmark = pytest.mark.django_db

HEADER = ["profile", "system", "movie", "rank", "score"]


@pytest.fixture
def dataset(db):
    dataset = DatasetFactory(name="films")
    TrainedModelFactory(dataset=dataset, system="autoencoder")
    return dataset


def test_d10_lists_with_the_researchers_own_ids_are_accepted(home, tmp_path):
    ratings = "user,item,rating\n0001,0000293003,5\n0002,0007,4\n"
    source = read_source(recommender_sources.plain(tmp_path, ratings))
    register_dataset(name="books", source=source)
    file = tmp_path / "lists.csv"
    file.write_text("profile,system,movie,rank,score\n0001,mine,0007,1,\n0002,mine,0000293003,1,\n")
    uploaded = read_upload(dataset=Dataset.objects.get(), file=file)["mine"]
    assert uploaded.users.tolist() == [0, 1]


def unseen(user):
    """The positions that a user has not rated, ascending."""
    ratings = small_ratings()
    rated = ratings.indices[ratings.indptr[user] : ratings.indptr[user + 1]].tolist()
    return [place for place in range(N_MOVIES) if place not in rated]


def rows(system, users, *, skip=0, score="3.25"):
    """Two recommendations for each user, the first of them ``skip`` places down the list."""
    return [
        [f"u{user}", system, str(100 + unseen(user)[skip + rank]), str(rank), score]
        for user in users
        for rank in (1, 2)
    ]


@pytest.fixture
def file(tmp_path):
    """A file of two systems: mine for all users, theirs for the first thirty."""
    path = tmp_path / "lists.csv"
    save(path, rows("mine", range(40)) + rows("theirs", range(30), skip=5))
    return path


def save(path, lines):
    with path.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([HEADER, *lines])


def create(dataset, file, arms="autoencoder,upload:mine", **wishes):
    asked = {"profiles": 12, "questions": 10, "appraisers": 5, "seed": 3}
    sources = sources_for_arms(dataset=dataset, texts=arms.split(","), upload=file)
    plan = StudyPlan(**asked | wishes)
    return prepare_study(slug="films", dataset=dataset, arms=sources, plan=plan)


def launched(dataset, file, arms="autoencoder,upload:mine", **wishes):
    study = create(dataset, file, arms, **wishes)
    publish(study)
    return launch_study(study=study)


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
    return caught.value


def test_an_uploaded_arm_keeps_its_rows_its_name_and_the_checksum(dataset, file):
    study = create(dataset, file)
    arm = study.arms.get(trained_model=None)
    assert (arm.label, arm.upload_name, arm.position) == ("mine", "mine", 1)
    assert arm.upload_checksum == hashlib.sha256(file.read_bytes()).hexdigest()
    assert arm.uploaded.count() == 80
    first = arm.uploaded.select_related("item").get(user=7, rank=1)
    assert (first.item.position, first.score) == (unseen(7)[1], 3.25)
    assert Job.objects.filter(kind=Job.Kind.PUBLISH).count() == 1


def test_the_first_recommendation_is_asked_about(dataset, file):
    study = launched(dataset, file)
    for question in study.questions.select_related("second_item"):
        assert question.second_item.position == unseen(question.user)[1]


def test_the_pool_holds_the_profiles_that_every_uploaded_arm_covers(dataset, file):
    study = create(dataset, file, "upload:mine,upload:theirs")
    eligible = eligible_users(dataset=dataset, minimum=5)
    assert sorted(study.profile_pool) == eligible[eligible < 30].tolist()
    error = refused(
        "create_study", "other", "--dataset", "films", "--upload", str(file),
        "--arms", "autoencoder,upload:theirs", "--profiles", "30",
    )  # fmt: skip
    assert error.returncode == 2
    assert "in the uploaded list of theirs. Ask for fewer profiles, or upload" in str(error)


def test_two_uploads_against_each_other_need_no_worker(dataset, file):
    out = StringIO()
    call_command(
        "create_study", "films", "--dataset", "films", "--upload", str(file), "--arms",
        "upload:mine,upload:theirs", "--profiles", "12", "--questions", "10", stdout=out,
    )  # fmt: skip
    assert "mine against theirs, 12 questions, running" in out.getvalue()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["u40", "mine", "101", "1", ""], "line 102, profile: 'u40'"),
        (["u3", "new", "999", "1", ""], "line 102, movie: '999'"),
        (["u3", "new", str(100 + 21), "1", ""], "line 102, movie: the profile"),
        (["u3", "mine", "101", "1", ""], "line 102, rank: rank 1"),
    ],
)
def test_one_fault_and_nothing_is_stored(dataset, file, line, words):
    # Line 102: the header, then eighty rows of mine and twenty of theirs stand before it.
    save(file, [*rows("mine", range(40)), *rows("theirs", range(10), skip=5), line])
    error = refused(
        "create_study", "films", "--dataset", "films", "--upload", str(file), "--arms",
        "autoencoder,upload:mine", "--profiles", "12", "--questions", "10", "--draft",
    )  # fmt: skip
    assert (error.returncode, words in str(error)) == (2, True), str(error)
    assert "nothing was stored" in str(error)
    assert not Study.objects.exists()
    assert not UploadedRecommendation.objects.exists()


def test_a_duplicate_of_a_rated_item_is_refused(dataset, file):
    rated = Item.objects.get(dataset=dataset, position=int(small_ratings().indices[0]))
    duplicate = Item.objects.filter(dataset=dataset, external_id=rows("mine", [0])[0][2])
    duplicate.update(title=rated.title, year=rated.year)
    with pytest.raises(StudyError) as refused:
        create(dataset, file)
    assert "line 2, movie: the profile contains this movie already" in str(refused.value)


def test_a_study_that_cannot_be_made_keeps_no_row(dataset, file):
    create(dataset, file)
    assert "already" in str(refused(
        "create_study", "films", "--dataset", "films", "--upload", str(file), "--arms",
        "autoencoder,upload:mine", "--profiles", "12", "--questions", "10",
    ))  # fmt: skip
    assert UploadedRecommendation.objects.count() == 80


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ("autoencoder,upload:nobody", "has no 'nobody'. It has: upload:mine, upload:theirs."),
        ("autoencoder,bias", "train_models --dataset films --systems bias"),
        ("autoencoder,autoencoder", "upload:SYSTEM"),
        ("upload:mine,upload:mine", "Two arms are the same uploaded list"),
    ],
)
def test_a_system_that_the_file_lacks_is_refused(dataset, file, arms, words):
    flags = ["--upload", str(file)] if "bias" not in arms else []
    error = refused(
        "create_study", "films", "--dataset", "films", "--arms", arms, "--profiles", "12",
        "--questions", "10", *flags,
    )  # fmt: skip
    assert error.returncode == 2
    assert words in str(error)


def test_an_upload_without_a_file_or_with_none_that_can_be_read_is_refused(dataset, tmp_path):
    wish = ["create_study", "films", "--dataset", "films", "--arms", "autoencoder,upload:mine"]
    assert "--upload FILE.csv" in str(refused(*wish))
    missing = refused(*wish, "--upload", str(tmp_path / "none.csv"))
    assert "cannot be read: No such file" in str(missing)


def test_a_catalogue_movie_that_nobody_rated_can_be_recommended(dataset, file):
    extra = dataset.items.create(external_id="new", title="Brand new", year=2026)
    save(file, [[f"u{user}", "mine", "new", "1", ""] for user in range(40)])
    study = launched(dataset, file)
    assert set(study.questions.values_list("second_item", flat=True)) == {extra.pk}
    assert study.arms.last().uploaded.first().score is None


def test_the_design_names_the_file_and_the_results_no_errors(dataset, file):
    study = launched(dataset, file)
    arm = study.arms.last()
    design = exports.design_document(study)["design"]
    assert design["arms"][1] == {
        "position": 1,
        "label": "mine",
        "upload": {"name": "mine", "checksum": arm.upload_checksum},
    }
    found = study_results(study, kind="real")
    assert [row["rmse"] for row in found.error_table] == [1.05, None]
    assert list(found.loss_curves) == ["Autoencoder"]
    assert (found.arms[1].label, found.arms[1].named.tied_share) == ("mine", None)
    movies = study.questions.values("second_item").distinct().count()
    assert (len(found.arms[1].named.items), found.arms[1].named.n_different) == (12, movies)


def test_the_page_of_the_results_shows_an_uploaded_arm(client, rita, dataset, file):
    study = launched(dataset, file, "upload:mine,upload:theirs")
    client.force_login(rita)
    page = client.get("/research/films/").content.decode()
    assert "mine" in page
    assert study.arms.count() == 2


def test_a_copy_has_the_same_rows(dataset, file):
    study = launched(dataset, file)
    copy = clone_study(study=study, slug="again", seed=9)
    one, two = (stored_upload(each.arms.last()) for each in (study, copy))
    assert one.checksum == two.checksum
    for name in ("users", "items", "ranks", "scores"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()


def test_a_draft_is_deleted_with_its_rows(dataset, file):
    delete_draft(study=create(dataset, file))
    assert not Arm.objects.exists()
    assert not UploadedRecommendation.objects.exists()


@pytest.mark.parametrize("prefer", [[], ["--prefer", "mine:1.0"]])
def test_a_study_with_an_upload_can_be_simulated(dataset, file, prefer):
    launched(dataset, file)
    call_command("simulate_appraisers", "films", "--appraisers", "2", *prefer, stdout=StringIO())
    won = Judgment.objects.filter(chosen_arm__upload_name="mine").count()
    assert won == 20 if prefer else 0 < won < 20


def test_nothing_of_an_upload_reaches_an_appraiser(client, dataset, file):
    save(file, rows("secret-system", range(40), score="4.4321"))
    study = launched(dataset, file, "autoencoder,upload:secret-system")
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    seen = ""
    for assignment in appraiser.assignments.order_by("position"):
        seen += client.get(f"/a/{token}/").content.decode()
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice="left")
    checksum = study.arms.last().upload_checksum
    for secret in ("secret-system", "4.4321", checksum, "upload", "autoencoder"):
        assert secret not in seen.lower()
