"""All that was frozen has one hash, and whatever is changed afterwards shows."""

import dataclasses
import hashlib
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Item, TrainedModel
from survey import exports
from survey.errors import StudyError
from survey.models import Arm, Study
from survey.protocol.fields import Protocol
from survey.selectors.design import OUTSIDE, SETTINGS, design_hash
from survey.services.joining import join_study
from survey.services.launching import launch_study, pilot_study
from survey.services.status import end_pilot, pause_study
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db
PROTOCOL = {each.name for each in dataclasses.fields(Protocol)}


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


def test_freezing_records_the_hash_and_launching_keeps_it(frozen):
    before = frozen.design_hash
    assert len(before) == 64
    launch_study(study=frozen)
    frozen.refresh_from_db()
    assert frozen.design_hash == before == design_hash(frozen)


def test_a_direct_launch_records_it_too():
    study = prepared()
    publish(study)
    launch_study(study=study)
    assert study.design_hash == design_hash(Study.objects.get(pk=study.pk))


def test_a_draft_has_none_and_gets_rid_of_the_one_of_its_pilot(frozen):
    end_pilot(study=frozen)
    assert frozen.design_hash == ""


def test_the_same_draft_is_frozen_to_the_same_hash_again(frozen):
    before = frozen.design_hash
    end_pilot(study=frozen)
    assert pilot_study(study=frozen).design_hash == before


def test_answers_and_pauses_are_no_part_of_the_design(study):
    before = design_hash(study)
    join_study(study=study)
    pause_study(study=study)
    assert design_hash(study) == before


CHANGES = {
    "a text": lambda study: Study.objects.update(consent_text="Other words."),
    "a number": lambda study: Study.objects.update(quota=6),
    "the pool": lambda study: Study.objects.update(profile_pool=study.profile_pool[::-1]),
    "a label": lambda study: Arm.objects.filter(position=0).update(label="Another"),
    "a model": lambda study: TrainedModel.objects.update(artefact_checksum="1" * 64),
    "a title": lambda study: Item.objects.update(title="Renamed"),
    "a star": lambda study: study.questions.filter(number=1).update(
        profile=[[pk, 1.0] for pk, _ in study.questions.get(number=1).profile]
    ),
    "an order": lambda study: study.questions.filter(number=1).update(number=99),
    "a question": lambda study: study.questions.filter(number=12).delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_shows_and_holds_the_launch_up(frozen, change):
    CHANGES[change](frozen)
    now = Study.objects.get(pk=frozen.pk)
    assert design_hash(now) != frozen.design_hash
    with pytest.raises(StudyError, match="not the one that was frozen"):
        launch_study(study=now)


def test_every_field_of_a_study_is_in_the_design_or_said_to_be_outside():
    fields = {field.name for field in Study._meta.concrete_fields}
    assert fields == {*SETTINGS, *OUTSIDE, *PROTOCOL, "dataset"}


def test_anybody_can_verify_an_exported_design_with_the_standard_library(frozen, tmp_path):
    out = tmp_path / "films.json"
    assert frozen.design_hash in run("export_design", "films", "--out", str(out))
    document = json.loads(out.read_text(encoding="utf-8"))
    text = json.dumps(document["design"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == document["design_hash"]
    assert document["unchanged"] is True


def test_an_exported_design_holds_every_question_with_its_movies(frozen):
    found = exports.design_document(frozen)["design"]
    question = frozen.questions.select_related("first_item").get(number=3)
    row = found["questions"][2]
    assert row["first_movie"] == question.first_item.external_id
    assert [stars for _, stars in row["profile"]] == [stars for _, stars in question.profile]
    assert found["movies"][row["first_movie"]]["title"] == question.first_item.title
    assert [arm["model"]["system"] for arm in found["arms"]] == ["autoencoder", "user-knn"]


def test_the_command_verifies_the_study_and_a_file(frozen, tmp_path):
    out = tmp_path / "films.json"
    run("export_design", "films", "--out", str(out))
    assert run("verify_design", "films", str(out)).count("unchanged") == 2
    out.write_text(out.read_text().replace('"quota": 5', '"quota": 500'))
    error = refused("verify_design", "films", str(out))
    assert error.returncode == 1
    assert str(out) in str(error)


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


def test_the_page_shows_the_hash_and_offers_the_design(client, rita, frozen):
    client.force_login(rita)
    assert frozen.design_hash in client.get("/research/films/").content.decode()
    sent = client.get("/research/films/design.json")
    assert sent.json()["design_hash"] == frozen.design_hash
    assert sent["Content-Disposition"] == 'attachment; filename="films-design.json"'


def test_the_design_is_for_researchers_and_there_is_none_of_a_draft(client, rita, olga, frozen):
    client.force_login(olga)
    assert client.get("/research/films/design.json").status_code == 404
    client.force_login(rita)
    end_pilot(study=frozen)
    assert client.get("/research/films/design.json").status_code == 404
