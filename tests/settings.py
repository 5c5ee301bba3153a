"""The product's settings in a throw-away home; nothing is taken from a developer's .env."""

import os
import tempfile

os.environ.update(
    SECRET_KEY="only-for-tests-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    DEBUG="0",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    SITE_URL="http://localhost:8000",
    # TEST_HOME lets a child process of a test share its parent's home.
    STUDYSITE_HOME=os.environ.get("TEST_HOME") or tempfile.mkdtemp(prefix="studysite-test-"),
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", ""),
    REDIS_URL=os.environ.get("TEST_REDIS_URL", ""),
)
from studysite.settings import *  # noqa: F403

# A hash that takes no time: passwords are not what is tested.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Hashed file names need a collectstatic run; one test makes it, the others do without.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
