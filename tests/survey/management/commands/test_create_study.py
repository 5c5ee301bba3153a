"""create_study takes every option from flags or a file; the design and a copy have them all."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Job
from survey import exports
from survey.models import Study
from survey.protocol.fields import Protocol
from survey.services.cloning import clone_study
from survey.services.launching import pilot_study
from tests.factories import DatasetFactory, TrainedModelFactory
from tests.survey.drafts import publish

pytestmark = pytest.mark.django_db

FLAGS = [
    "--tie", "--familiarity", "--confidence", "--comment", "--practice", "1", "--checks", "2",
    "--checks-to-pass", "1", "--repeats", "10%", "--changes", "previous", "--return-after", "45",
    "--language", "en", "--entry", "personal", "--pairs", "balanced", "--max-profile", "9",
    "--era", "1950-2000", "--withdraw-until", "2999-12-31",
]  # fmt: skip
SAID = Protocol(
    third_answer="tie",
    ask_familiarity=True,
    ask_confidence=True,
    ask_comment=True,
    n_practice=1,
    n_checks=2,
    checks_to_pass=1,
    n_repeats=1,
    changes="previous",
    return_after=45,
    language="en",
    entry="personal",
    pairs="balanced",
    maximum_profile=9,
    era_from=1950,
    era_to=2000,
    withdraw_until=date(2999, 12, 31),
)


@pytest.fixture(autouse=True)
def dataset(db):
    dataset = DatasetFactory(name="films")
    for system in ("autoencoder", "user-knn", "bias"):
        TrainedModelFactory(dataset=dataset, system=system)
    return dataset


def create(*flags, arms="autoencoder,user-knn"):
    call_command(
        "create_study", "films", "--dataset", "films", "--arms", arms, "--profiles", "13",
        "--questions", "10", "--draft", *flags, stdout=StringIO(), stderr=StringIO(),
    )  # fmt: skip


def created(*flags, **how):
    """The draft that the command leaves, whose jobs wait for a worker."""
    with pytest.raises(CommandError, match="kept as a draft"):
        create(*flags, **how)
    return Study.objects.get()


def refusal(*flags):
    with pytest.raises(CommandError) as refused:
        create(*flags)
    assert refused.value.returncode == 2
    assert not Study.objects.exists()
    return str(refused.value)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No worker is there, and nobody waits ten seconds for one."""
    monkeypatch.setattr("recommender.management.following.NO_WORKER_SECONDS", -1.0)


def said(study):
    """What was decided, without the built-in words in other languages."""
    return Protocol.of(study).model_copy(update={"translations": {}})


def test_without_flags_a_study_is_that_of_the_paper():
    assert said(created()) == Protocol()


def test_every_flag_is_kept():
    assert said(created(*FLAGS)) == SAID


def test_a_file_and_texts_are_read(tmp_path):
    file, consent = tmp_path / "protocol.toml", tmp_path / "consent.txt"
    file.write_text('[[after]]\nbuiltin = "sus"\n[translations.de]\ntitle = "Welcher Film?"\n')
    consent.write_text("I agree.")
    study = created("--protocol", str(file), "--consent", str(consent), "--title", "Which film?")
    assert len(study.after) == 10
    assert study.translations["de"]["title"] == "Welcher Film?"
    assert (study.title, study.consent_text) == ("Which film?", "I agree.")


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        (["--protocol", "none.toml"], "none.toml"),
        (["--consent", "none.txt"], "none.txt"),
        (["--profiles", "0"], "profiles = 0"),
        (["--practice", "-1"], "n_practice = -1"),
        (["--repeats", "lots"], "n_repeats = 'lots'"),
        (["--era", "nineties"], "--era 'nineties'"),
        (["--withdraw-until", "2020-01-01"], "withdraw_until = 2020-01-01"),
    ],
)
def test_an_impossible_flag_is_wrong_usage_and_makes_nothing(flags, where):
    assert where in refusal(*flags)
    assert not Job.objects.filter(kind=Job.Kind.PUBLISH).exists()


def test_the_design_and_a_copy_have_every_option():
    study = created(*FLAGS, arms="autoencoder,user-knn,bias")
    publish(study)
    pilot_study(study=study)
    decided = exports.design_document(study)["design"]["study"]
    plain = dict(Protocol())
    for name, value in SAID:
        if value != plain[name]:
            assert str(decided[name]) == str(value), name
    copy = clone_study(study=study, slug="again")
    assert said(copy) == SAID
    assert Protocol.of(copy) == Protocol.of(study)
