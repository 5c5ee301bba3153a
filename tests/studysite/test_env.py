"""Every reader of the environment takes what is right and refuses the rest with a remedy."""

from pathlib import Path

import pytest

from studysite import env
from studysite.env import SettingError

RANDOM = "k3-Wz9qLr_v7TgXyB2nQmE5sUaD8hJcPfR4iOoKtYx1VbNwZlM6"


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_a_flag_is_on(monkeypatch, value):
    monkeypatch.setenv("DEBUG", value)
    assert env.flag("DEBUG", default=False) is True


@pytest.mark.parametrize("value", ["0", "False", "no", "off"])
def test_a_flag_is_off(monkeypatch, value):
    monkeypatch.setenv("DEBUG", value)
    assert env.flag("DEBUG", default=True) is False


def test_an_empty_flag_counts_as_unset(monkeypatch):
    monkeypatch.setenv("DEBUG", "")
    assert env.flag("DEBUG", default=False) is False


@pytest.mark.parametrize("value", ["maybe", "2", "tru", "None"])
def test_any_other_flag_value_is_refused(monkeypatch, value):
    monkeypatch.setenv("DEBUG", value)
    with pytest.raises(SettingError, match="Write 1 or 0"):
        env.flag("DEBUG", default=False)


def test_an_integer_is_accepted_and_has_a_default(monkeypatch):
    monkeypatch.setenv("JOB_LEASE_SECONDS", "45")
    assert env.integer("JOB_LEASE_SECONDS", 30, minimum=2) == 45
    monkeypatch.setenv("JOB_LEASE_SECONDS", "")
    assert env.integer("JOB_LEASE_SECONDS", 30, minimum=2) == 30


@pytest.mark.parametrize("value", ["1", "-5", "2.5", "soon", "1e3"])
def test_an_invalid_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("JOB_LEASE_SECONDS", value)
    with pytest.raises(SettingError, match="JOB_LEASE_SECONDS"):
        env.integer("JOB_LEASE_SECONDS", 30, minimum=2)


def test_a_random_secret_is_accepted(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", RANDOM)
    assert env.secret("SECRET_KEY") == RANDOM


@pytest.mark.parametrize(
    ("value", "message"),
    [("", "make setup"), ("short", "too easy"), ("a" * 80, "too easy"), ("ab" * 40, "too easy")],
)
def test_a_weak_secret_is_refused_without_being_repeated(monkeypatch, value, message):
    monkeypatch.setenv("SECRET_KEY", value)
    with pytest.raises(SettingError, match=message) as refusal:
        env.secret("SECRET_KEY")
    assert not value or value not in str(refusal.value)


def test_hosts_are_a_list(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "study.example.org, [::1],.example.org,")
    assert env.hosts("ALLOWED_HOSTS") == ["study.example.org", "[::1]", ".example.org"]


@pytest.mark.parametrize(
    "value", ["*", "https://a.org", "a.org/path", "a.org:8000", "a b", "a.org;b.org", "::1"]
)
def test_an_invalid_host_is_refused(monkeypatch, value):
    monkeypatch.setenv("ALLOWED_HOSTS", value)
    with pytest.raises(SettingError, match="List host names"):
        env.hosts("ALLOWED_HOSTS")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("https://study.example.org/", "https://study.example.org"),
        ("https://study.example.org:8443", "https://study.example.org:8443"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://demo.localhost:8000", "http://demo.localhost:8000"),
    ],
)
def test_an_address_is_accepted(monkeypatch, value, taken):
    monkeypatch.setenv("SITE_URL", value)
    assert env.public_url("SITE_URL", "") == taken


@pytest.mark.parametrize(
    "value",
    [
        "study.example.org",
        "ftp://study.example.org",
        "https://",
        "https://study.example.org/path",
        "https://study.example.org?x=1",
        "https://study.example.org#x",
        "https://ada@study.example.org",
        "https://study example.org",
        "https://study.example.org:port",
        "https://[::1",
    ],
)
def test_an_invalid_address_is_refused(monkeypatch, value):
    monkeypatch.setenv("SITE_URL", value)
    with pytest.raises(SettingError, match="Write scheme and host"):
        env.public_url("SITE_URL", "")


@pytest.mark.parametrize("value", ["http://study.example.org", "http://192.168.1.5:8000"])
def test_plain_http_is_accepted_for_loopback_hosts_only(monkeypatch, value):
    monkeypatch.setenv("SITE_URL", value)
    with pytest.raises(SettingError, match="Use https"):
        env.public_url("SITE_URL", "")


PUBLIC, LOCAL = "https://study.example.org", "http://localhost:8000"


@pytest.mark.parametrize(
    ("debug", "site", "allowed"),
    [
        (False, PUBLIC, ["study.example.org"]),
        (False, PUBLIC, [".example.org"]),
        (True, LOCAL, ["localhost", "127.0.0.1", "[::1]"]),
        (False, "http://[::1]:8000", ["[::1]"]),
    ],
)
def test_safe_settings_start(debug, site, allowed):
    env.refuse_unsafe(debug=debug, site=site, allowed=allowed)


@pytest.mark.parametrize(
    ("debug", "site", "allowed", "message"),
    [
        (False, PUBLIC, ["other.example.org"], "study.example.org"),
        (False, LOCAL, ["localhost", "study.example.org"], "SITE_URL is plain http"),
        (True, PUBLIC, ["study.example.org"], "Unset DEBUG"),
    ],
)
def test_unsafe_combinations_do_not_start(debug, site, allowed, message):
    with pytest.raises(SettingError, match=message):
        env.refuse_unsafe(debug=debug, site=site, allowed=allowed)


def test_the_database_is_a_file_in_the_home_by_default(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    # A URL would end at the # of such a path.
    found = env.database("DATABASE_URL", Path("/srv/home #1/studysite.sqlite3"))
    assert found == {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "/srv/home #1/studysite.sqlite3",
    }


def test_a_postgres_url_is_accepted(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://ada:pw@db.example.org:5433/study")
    found = env.database("DATABASE_URL", Path("unused"))
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", 5433, "study")


@pytest.mark.parametrize(
    "value",
    [
        "mysql://ada:pw-in-here@h/study",
        "nonsense",
        "postgres://ada:pw-in-here@h:port/study",
        "postgres://ada:pw-in-here@h",
        "sqlite:///relative.sqlite3",
        "sqlite://:memory:",
    ],
)
def test_a_wrong_database_is_refused_without_repeating_its_password(monkeypatch, value):
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(SettingError, match="Write postgres://") as refusal:
        env.database("DATABASE_URL", Path("unused"))
    assert "pw-in-here" not in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["", "redis://h:6379/0", "rediss://:p@[::1]", "unix:///run/redis.sock"]
)
def test_a_redis_url_is_accepted(monkeypatch, value):
    monkeypatch.setenv("REDIS_URL", value)
    assert env.redis_url("REDIS_URL") == value


@pytest.mark.parametrize(
    "value", ["localhost:6379", "http://h", "redis://", "redis://h:port/0", "redis://h:0"]
)
def test_a_wrong_redis_address_is_refused(monkeypatch, value):
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(SettingError, match="Write redis://"):
        env.redis_url("REDIS_URL")


def test_a_folder_is_created_for_its_owner_only(monkeypatch, tmp_path):
    monkeypatch.setenv("STUDYSITE_HOME", str(tmp_path / "a" / "home"))
    made = env.folder("STUDYSITE_HOME", Path("unused"))
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_relative_folder_is_below_the_parent_of_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("STUDYSITE_HOME", "other")
    assert env.folder("STUDYSITE_HOME", tmp_path / "var") == tmp_path / "other"


def test_a_file_in_place_of_a_folder_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STUDYSITE_HOME", str(tmp_path / "file"))
    with pytest.raises(SettingError, match="is a file"):
        env.folder("STUDYSITE_HOME", Path("unused"))


def test_a_folder_below_a_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STUDYSITE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingError, match="STUDYSITE_HOME"):
        env.folder("STUDYSITE_HOME", Path("unused"))


def test_the_environment_takes_precedence_over_the_file(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("# ours\n\nSITE_URL=http://localhost:1\nREDIS_URL=redis://h\n")
    monkeypatch.setenv("SITE_URL", "http://localhost:2")
    monkeypatch.setenv("REDIS_URL", "")
    env.read_file(tmp_path / ".env")
    assert env.text("SITE_URL") == "http://localhost:2"
    assert env.text("REDIS_URL") == ""


def test_the_env_file_supplies_unset_variables(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("STUDYSITE_TEST_LINE='a b'\n")
    monkeypatch.setenv("STUDYSITE_TEST_LINE", "")  # so that it is put back after the test
    monkeypatch.delenv("STUDYSITE_TEST_LINE")
    env.read_file(tmp_path / ".env")
    assert env.text("STUDYSITE_TEST_LINE") == "a b"


def test_an_invalid_line_is_refused_with_its_number(tmp_path):
    (tmp_path / ".env").write_text("A=1\nSITE_URL : http://localhost\n")
    with pytest.raises(SettingError, match=r"\.env:2:"):
        env.read_file(tmp_path / ".env")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(SettingError, match="cannot be read"):
        env.read_file(tmp_path / ".env")


def test_a_missing_file_changes_nothing(tmp_path):
    env.read_file(tmp_path / ".env")
