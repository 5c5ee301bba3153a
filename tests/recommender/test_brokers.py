"""Redis where REDIS_URL names one: the broker, and the cache of the pages too."""

import shutil

import pytest

from tests.installation import Installation
from tests.requirements import need
from tests.services import free_port, redis


@pytest.fixture(scope="module")
def redis_url():
    need(shutil.which("redis-server"), "there is no redis-server on this machine")
    with redis() as url:
        yield url


def test_redis_is_the_cache_too(tmp_path, redis_url):
    from redis import Redis

    site = Installation(tmp_path, REDIS_URL=redis_url)
    said = site.ask(
        "from django.core.cache import cache; cache.set('ada', 1); print(cache.get('ada'))"
    )
    assert said == "1"
    assert Redis.from_url(redis_url).keys("*ada*") != []


def test_a_message_through_redis_reaches_the_queue(tmp_path, redis_url):
    from redis import Redis

    site = Installation(tmp_path, REDIS_URL=redis_url)
    site.manage("migrate", "--verbosity", "0")
    site.ask(
        "from recommender.services.submitting import submit_job;submit_job(kind='train', params={})"
    )
    assert Redis.from_url(redis_url).llen("default\x06\x163") == 1


def test_jobs_can_be_submitted_while_redis_is_down(tmp_path):
    site = Installation(tmp_path, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    site.manage("migrate", "--verbosity", "0")
    said = site.run(
        "-c",
        "import django; django.setup()\n"
        "from recommender.services.submitting import submit_job\n"
        "job = submit_job(kind='train', params={})\n"
        "job.refresh_from_db(); print(job.status, job.sent_at)",
    )
    assert said.stdout.strip() == "queued None"
    assert "the broker cannot be reached" in said.stderr
    assert "Traceback" not in said.stderr


def test_without_redis_messages_are_files(tmp_path):
    site = Installation(tmp_path, REDIS_URL="")
    said = site.ask("from django.conf import settings; print(settings.CELERY_BROKER_URL)")
    assert said == "filesystem://localhost"
