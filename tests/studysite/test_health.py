"""The page for machines tells the truth about the database."""

import pytest
from django.db import connections
from django.utils.connection import ConnectionProxy

from studysite import health


@pytest.mark.django_db
def test_the_page_is_ok_while_the_database_answers(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_the_page_is_503_when_the_database_does_not_answer(client, monkeypatch, tmp_path):
    class Unreachable(type(connections)):
        pass

    broken = Unreachable(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "no" / "file"}}
    )
    monkeypatch.setattr(health, "connection", ConnectionProxy(broken, "default"))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")


@pytest.mark.django_db
def test_the_page_is_never_cached(client):
    assert "no-store" in client.get("/healthz")["Cache-Control"]


def test_another_host_is_refused(client):
    assert client.get("/healthz", headers={"host": "other.example.org"}).status_code == 400


@pytest.mark.django_db
def test_the_health_check_works_without_tls(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    assert client.get("/healthz").status_code == 200
