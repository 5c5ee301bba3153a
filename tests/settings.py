"""The product's settings with a temporary home and without the developer's .env."""

import atexit
import os
import shutil
import tempfile


def temporary_home() -> str:
    home = tempfile.mkdtemp(prefix="studysite-test-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def redis_of_this_process() -> str:
    """Each parallel test process uses its own Redis database, so that it gets only its own jobs."""
    url = os.environ.get("TEST_REDIS_URL", "")
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    return f"{url.rsplit('/', 1)[0]}/{number}" if url and number else url


os.environ.update(
    SECRET_KEY="only-for-tests-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    DEBUG="0",
    ALLOWED_HOSTS="localhost,127.0.0.1",
    SITE_URL="http://localhost:8000",
    # With TEST_HOME a child process of a test shares its parent's home.
    STUDYSITE_HOME=os.environ.get("TEST_HOME") or temporary_home(),
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", ""),
    REDIS_URL=redis_of_this_process(),
    # All bots and browsers of the tests have the same address.
    CONSENTS_PER_HOUR="0",
    LOGINS_PER_HOUR="0",
)
from studysite.settings import *  # noqa: E402, F403

# A fast hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Hashed file names would need a collectstatic run before the tests.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
# WhiteNoise warns if the folder is missing.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, as in the product: threads and the live server wait for each other's locks on it,
    # but would fail at once with a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": str(STUDYSITE_HOME / "test.sqlite3")}  # noqa: F405
    # Nothing to keep after a power failure.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405
# Redis keeps profiles from test to test, while a database that is rolled back reuses its keys.
CACHES["profiles"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}  # noqa: F405
