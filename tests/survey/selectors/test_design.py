"""All that was frozen has one hash, and every later change shows."""

import pytest

from recommender.models import Item, TrainedModel
from survey import exports
from survey.errors import StudyError
from survey.models import Arm, Study
from survey.protocol.fields import Protocol
from survey.selectors.design import OUTSIDE, SETTINGS, design_hash
from survey.services.joining import join_study
from survey.services.launching import launch_study, move_study, pilot_study
from survey.services.status import end_pilot
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db
PROTOCOL = set(Protocol.model_fields)


@pytest.fixture
def frozen(db):
    study = prepared()
    publish(study)
    return pilot_study(study=study)


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
    move_study(study=study, to="paused")
    assert design_hash(study) == before


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_shows_and_holds_the_launch_up(frozen, change):
    CHANGES[change](frozen)
    now = Study.objects.get(pk=frozen.pk)
    assert design_hash(now) != frozen.design_hash
    with pytest.raises(StudyError, match="design of 'films'"):
        launch_study(study=now)


def test_every_field_of_a_study_is_in_the_design_or_listed_as_outside():
    fields = {field.name for field in Study._meta.concrete_fields}
    assert fields == {*SETTINGS, *OUTSIDE, *PROTOCOL, "dataset"}


def test_an_exported_design_holds_every_question_with_its_movies(frozen):
    found = exports.design_document(frozen)["design"]
    question = frozen.questions.select_related("first_item").get(number=3)
    row = found["questions"][2]
    assert row["first_movie"] == question.first_item.external_id
    assert [stars for _, stars in row["profile"]] == [stars for _, stars in question.profile]
    assert found["movies"][row["first_movie"]]["title"] == question.first_item.title
    assert [arm["model"]["system"] for arm in found["arms"]] == ["autoencoder", "user-knn"]
