"""What the server's log says, and what it never says."""

import io
import logging

import pytest
from django.test import Client

from survey.services.joining import mark_instructed

pytestmark = pytest.mark.django_db


@pytest.fixture
def server_log():
    """What the product's own handler writes meanwhile."""
    found = logging.getLogger("django").handlers
    (handler,) = [handler for handler in found if handler.name == "console"]
    log = io.StringIO()
    before = handler.setStream(log)
    yield log
    handler.setStream(before)


def test_a_refused_answer_is_logged_without_its_private_link(client, ada, server_log):
    mark_instructed(appraiser=ada.appraiser)
    client.post(f"{ada.url}answer/", {"choice": "neither"})
    assert "Bad Request: /a/…/" in server_log.getvalue()
    assert ada.token not in server_log.getvalue()


def test_a_forged_answer_is_logged_without_its_private_link(ada, server_log):
    Client(enforce_csrf_checks=True).post(ada.url, {"choice": "left"})
    assert "/a/…/" in server_log.getvalue()
    assert ada.token not in server_log.getvalue()


def test_an_error_is_logged_without_its_private_link(ada, server_log, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr("survey.access.appraiser_for_token", fail)
    assert Client(raise_request_exception=False).get(ada.url).status_code == 500
    assert "boom" in server_log.getvalue()
    assert ada.token not in server_log.getvalue()


def test_personal_links_and_panel_ids_are_not_logged(study, server_log):
    stranger = Client(enforce_csrf_checks=True)
    stranger.post("/i/a-personal-link/consent/")
    stranger.get("/i/a-personal-link/?lang=de")
    stranger.post("/s/films/consent/?PROLIFIC_PID=5f1ada")
    assert "/i/…/consent/" in server_log.getvalue()
    assert "a-personal-link" not in server_log.getvalue()
    assert "5f1ada" not in server_log.getvalue()


def test_other_addresses_are_logged_whole(client, server_log):
    client.get("/research/nothing-of-that-name/x/")
    assert "Not Found: /research/nothing-of-that-name/x/" in server_log.getvalue()
