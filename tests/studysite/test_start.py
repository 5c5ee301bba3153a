"""The product as a process: unsafe settings and missing resources are reported in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import ROOT, Installation


def python(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return Installation(home, **({"SITE_URL": ""} | settings)).run(*arguments, ok=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"DEBUG": "perhaps"}, "Write 1 or 0"),
        ({"SITE_URL": "http://study.example.org"}, "Use https"),
        ({"ALLOWED_HOSTS": "*"}, "List host names"),
        ({"SITE_URL": "https://study.example.org", "DEBUG": "1"}, "ALLOWED_HOSTS"),
        ({"DATABASE_URL": "mysql://h/n"}, "unsupported database"),
        ({"REDIS_URL": "localhost"}, "Write redis://"),
        ({"STUDYSITE_HOME": "/dev/null"}, "is a file"),
    ],
)
def test_a_wrong_setting_stops_a_command_with_one_line(tmp_path, settings, message):
    done = python("manage.py", "migrate", home=tmp_path, **settings)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("studysite: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("module", ["studysite.wsgi", "studysite.asgi", "studysite.celery"])
def test_a_wrong_setting_stops_every_entrance_with_one_line(tmp_path, module):
    done = python("-c", f"import {module}", home=tmp_path, DEBUG="perhaps")
    assert done.returncode == 1
    assert done.stderr.startswith("studysite: DEBUG='perhaps' is not a yes or no.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("manage.py", "check"), ("-c", "import studysite.celery")])
def test_a_queue_folder_that_cannot_be_created_is_reported_in_one_line(tmp_path, arguments):
    (tmp_path / "queue").write_text("in the way")
    done = python(*arguments, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("studysite: cannot create the queue folder")
    assert len(done.stderr.splitlines()) == 1


def test_an_unreachable_database_is_one_line(tmp_path):
    # Port 1 is reserved; nothing answers there.
    url = "postgres://ada:pw-in-here@127.0.0.1:1/study"
    done = python("manage.py", "migrate", home=tmp_path, DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("studysite: the database refused")
    assert "Traceback" not in done.stderr
    assert "pw-in-here" not in done.stderr


def test_an_empty_database_is_one_line_that_names_migrate(tmp_path):
    done = python("manage.py", "changepassword", "ada", home=tmp_path)
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def migrated(tmp_path):
    site = Installation(tmp_path)
    site.manage("migrate", "--verbosity", "0")
    return site


@pytest.mark.parametrize("reader", ["true", "head -1"])
def test_a_closed_pipe_is_not_an_error(migrated, reader):
    shown = f"{sys.executable} manage.py help --commands"
    done = subprocess.run(
        ["bash", "-c", f"({shown}; {shown}) | {reader}"],
        cwd=ROOT, env=migrated.env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""


def test_a_closed_output_is_not_an_error(migrated):
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} manage.py migrate --check >&-"],
        cwd=ROOT, env=migrated.env, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "static").write_text("in the way")
    done = python("manage.py", "collectstatic", "--noinput", home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("studysite: [Errno ")
    assert len(done.stderr.splitlines()) == 1


def test_debug_is_off_by_default(tmp_path):
    show = "from django.conf import settings; print(settings.DEBUG)"
    assert python("-c", show, home=tmp_path).stdout.strip() == "False"
    assert python("-c", show, home=tmp_path, DEBUG="1").stdout.strip() == "True"


def test_https_settings_follow_the_scheme_of_the_address(tmp_path):
    show = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, getattr(s, 'SECURE_SSL_REDIRECT'))"
    )
    public = {"SITE_URL": "https://study.example.org", "ALLOWED_HOSTS": "study.example.org"}
    assert python("-c", show, home=tmp_path, **public).stdout.strip() == "True True True"
    assert python("-c", show, home=tmp_path).stdout.strip() == "False False False"


def test_the_deployment_check_is_clean_on_a_public_address(tmp_path):
    public = {"SITE_URL": "https://study.example.org", "ALLOWED_HOSTS": "study.example.org"}
    done = python(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", home=tmp_path, **public
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_sqlite_syncs_fully_and_overwrites_deleted_data(tmp_path):
    show = (
        "import django; django.setup(); from django.db import connection as c;"
        "k = c.cursor();"
        "print([k.execute(f'PRAGMA {p}').fetchone()[0] for p in"
        " ('journal_mode', 'synchronous', 'foreign_keys', 'secure_delete')])"
    )
    assert python("-c", show, home=tmp_path).stdout.strip() == "['wal', 2, 1, 1]"
