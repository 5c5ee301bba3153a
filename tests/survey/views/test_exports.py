"""Downloads of a study's data, for researchers only."""

import pytest

from survey.services.launching import pilot_study
from survey.services.status import end_pilot
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen(db):
    study = prepared()
    publish(study)
    return pilot_study(study=study)


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
