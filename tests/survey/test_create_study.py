"""Everything of a study's course can be said by a flag or in a file, and is kept by a copy."""

import dataclasses
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
    return dataclasses.replace(Protocol.of(study), translations={})


def test_without_flags_a_study_is_as_the_paper_s():
    assert said(created()) == Protocol()


def test_every_flag_is_kept():
    assert said(created(*FLAGS)) == SAID


def test_the_flag_goes_before_the_file(tmp_path):
    file = tmp_path / "course.toml"
    file.write_text('third_answer = "unsure"\nn_checks = 2\nera_to = 1999\nask_comment = true\n')
    found = said(created("--protocol", str(file), "--tie", "--era", "1950-"))
    assert found == Protocol(
        third_answer="tie", n_checks=2, checks_to_pass=2, era_from=1950, ask_comment=True
    )


def test_built_in_questionnaires_are_written_out_and_words_are_read(tmp_path):
    file, consent = tmp_path / "course.toml", tmp_path / "consent.txt"
    file.write_text('[[after]]\nbuiltin = "sus"\n[translations.de]\ntitle = "Welcher Film?"\n')
    consent.write_text("\ufeffI agree.\r\nReally.\n")
    study = created("--protocol", str(file), "--consent", str(consent), "--title", "Which film?")
    assert len(study.after) == 10
    assert study.translations["de"]["title"] == "Welcher Film?"
    assert (study.title, study.consent_text) == ("Which film?", "I agree.\nReally.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n_practise = 2", "course.toml: there is no field 'n_practise'. Did you mean"),
        ("n_checks = 1\nchecks_to_pass = 2", "course.toml: 2 checks cannot be passed"),
        ('entry = "panel"', "course.toml: A panel sends 1 to 10 parameters"),
        ('[[before]]\nname = "age"', "course.toml: The questionnaire before: "),
        ('[translations.tlh]\ntitle = "x"', "course.toml: translations: no page speaks 'tlh'"),
        ('[translations.de]\nheading = "x"', "translations.de: a study has no 'heading'"),
        ('[translations.de]\ntitle = " "', "translations.de.title is empty"),
    ],
)
def test_a_file_that_cannot_be_names_itself_the_field_and_the_remedy(tmp_path, text, words):
    file = tmp_path / "course.toml"
    file.write_text(text)
    assert words in refusal("--protocol", str(file))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--protocol", "none.toml"], "none.toml cannot be read: No such file"),
        (["--consent", "none.txt"], "none.txt cannot be read"),
        (["--repeats", "lots"], "'lots' repeated questions are not possible"),
        (["--repeats", "11"], "11 of 10 questions cannot be repeated"),
        (["--era", "1999-1980"], "holds no year. Swap the two"),
        (["--era", "nineties"], "Write FROM-TO, such as 1980-1999"),
        (["--practice", "-1"], "n_practice = -1 is not possible"),
        (["--practice", "4"], "need 14 different profiles, more than the 13"),
        (["--withdraw-until", "tomorrow"], "'tomorrow' is no date"),
        (["--title", "x" * 201], "The title is longer than 200 characters"),
    ],
)
def test_a_flag_that_cannot_be_is_wrong_usage(flags, words):
    assert words in refusal(*flags)


def test_an_empty_file_of_words_is_refused(tmp_path):
    (tmp_path / "consent.txt").write_text(" \n")
    assert "is empty" in refusal("--consent", str(tmp_path / "consent.txt"))


def test_the_design_and_a_copy_carry_every_decision(tmp_path):
    study = created(*FLAGS, arms="autoencoder,user-knn,bias")
    publish(study)
    pilot_study(study=study)
    decided = exports.design_document(study)["design"]["study"]
    plain = dataclasses.asdict(Protocol())
    for name, value in dataclasses.asdict(SAID).items():
        if value != plain[name]:
            assert str(decided[name]) == str(value), name
    copy = clone_study(study=study, slug="again")
    assert said(copy) == SAID
    assert Protocol.of(copy) == Protocol.of(study)


@pytest.mark.parametrize("way", ["flag", "file"])
def test_a_last_day_that_has_passed_is_refused_before_anything_is_made(tmp_path, way):
    file = tmp_path / "course.toml"
    file.write_text("withdraw_until = 2020-01-01\n")
    flags = {"flag": ("--withdraw-until", "2020-01-01"), "file": ("--protocol", str(file))}
    assert "until 2020-01-01, which has passed" in refusal(*flags[way])
    assert not Job.objects.filter(kind=Job.Kind.PUBLISH).exists()
