"""Anyone can verify that a study, or an exported design, is what was frozen."""

import hashlib
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender.models import TrainedModel
from survey import exports
from survey.models import Study
from survey.services.launching import pilot_study
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db
HASH_OF_TUNED = "abfb67287e4606d65b3023eb57234078a102a870397316337053ca4de2008ff6"


@pytest.fixture
def frozen(db):
    study = prepared()
    publish(study)
    return pilot_study(study=study)


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


def test_anybody_can_verify_an_exported_design_with_the_standard_library(frozen, tmp_path):
    out = tmp_path / "films.json"
    assert frozen.design_hash in run("export_design", "films", "--out", str(out))
    document = json.loads(out.read_text(encoding="utf-8"))
    text = json.dumps(document["design"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == document["design_hash"]
    assert document["unchanged"] is True


def test_the_command_verifies_the_study_and_a_file(frozen, tmp_path):
    out = tmp_path / "films.json"
    run("export_design", "films", "--out", str(out))
    assert run("verify_design", "films", str(out)).count("unchanged") == 2
    out.write_text(out.read_text().replace('"quota": 5', '"quota": 500'))
    error = refused("verify_design", "films", str(out))
    assert error.returncode == 1
    assert str(out) in str(error)


def test_a_study_of_a_model_trained_under_a_former_name_keeps_its_hash(tmp_path):
    """The hash is what the version before gave, when preset tuned belonged to the autoencoder."""
    study = prepared()
    TrainedModel.objects.filter(system="autoencoder").update(preset="tuned")
    publish(study)
    assert pilot_study(study=study).design_hash == HASH_OF_TUNED
    out = tmp_path / "films.json"
    run("export_design", "films", "--out", str(out))
    assert run("verify_design", "films", str(out)).count("unchanged") == 2
    model = json.loads(out.read_text(encoding="utf-8"))["design"]["arms"][0]["model"]
    assert (model["system"], model["preset"]) == ("autoencoder", "tuned")


def test_a_changed_study_is_found_out(frozen):
    Study.objects.update(seed=4)
    assert refused("verify_design", "films").returncode == 1
    frozen.refresh_from_db()
    assert exports.design_document(frozen)["unchanged"] is False


@pytest.mark.parametrize("text", ["", "{}", "[]", "no JSON"])
def test_a_file_that_is_no_design_is_wrong_usage(frozen, tmp_path, text):
    out = tmp_path / "films.json"
    out.write_text(text)
    assert refused("verify_design", "films", str(out)).returncode == 2


def test_a_draft_has_no_design_to_export_or_verify(tmp_path):
    prepared()
    for command in (["export_design", "films", "--out", str(tmp_path / "x")],
                    ["verify_design", "films"]):  # fmt: skip
        assert "nothing is frozen yet" in str(refused(*command))


def test_a_study_without_a_hash_says_that_it_is_older(study):
    assert "before designs were hashed" in str(refused("verify_design", "films"))
