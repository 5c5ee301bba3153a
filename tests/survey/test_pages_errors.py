"""Pages for when something is wrong: kind, and not themselves at fault."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client

from survey import access


@pytest.mark.django_db
def test_a_fault_shows_a_kind_page_and_no_traceback(monkeypatch):
    def fail(slug):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(access, "study_for_visitor", fail)
    page = Client(raise_request_exception=False).get("/s/films/")
    assert page.status_code == 500
    assert "Every answer that was sent before is kept" in page.content.decode()
    assert "on fire" not in page.content.decode()


def test_the_page_of_last_resort_needs_no_manifest_and_finds_its_files():
    files = re.findall(r'href="/static/([^"]+)"', render_to_string("500.html"))
    assert len(files) == 4
    assert [name for name in files if finders.find(name) is None] == []


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html"])
def test_error_pages_need_nothing_of_the_request(template):
    assert "<h1>" in render_to_string(template)
