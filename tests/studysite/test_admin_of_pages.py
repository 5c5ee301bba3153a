"""The admin is loaded with the pages and by the checks, and by nothing that needs neither."""

import pytest
from django.contrib import admin
from django.core import checks

from survey.models import Study
from tests.installation import Installation

SHOW = """
import django
django.setup()
from django.contrib import admin
{}
print(len(admin.site._registry) > 10)
"""


@pytest.mark.parametrize(
    ("meanwhile", "loaded"),
    [
        ("import recommender.management.commands.import_ratings", "False"),
        ("import studysite.urls", "True"),
        ("from django.core import checks; checks.run_checks(tags=['admin'])", "True"),
    ],
)
def test_its_pages_are_known_once_they_are_needed(tmp_path, meanwhile, loaded):
    assert Installation(tmp_path).run("-c", SHOW.format(meanwhile)).stdout.strip() == loaded


def test_a_page_that_shows_what_is_not_there_is_found_by_the_checks(monkeypatch):
    assert checks.run_checks(tags=[checks.Tags.admin]) == []
    monkeypatch.setattr(admin.site._registry[Study], "list_display", ["shoe_size"])
    assert [error.id for error in checks.run_checks(tags=[checks.Tags.admin])] == ["admin.E108"]
