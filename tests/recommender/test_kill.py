"""Real workers that are killed, stopped or paused in the middle of training, or share the work.

``KILL_ROUNDS=5 pytest tests/recommender/test_kill.py`` repeats every round five times.
"""

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from itertools import product
from urllib.parse import urlsplit

import pytest
from safetensors.numpy import load_file

from tests.installation import Installation, own_database
from tests.requirements import need
from tests.services import redis

pytestmark = pytest.mark.services

LEASE = 8  # longer than a busy machine delays a heartbeat
EPOCHS = 20  # enough that no machine finishes before the kill
TRAINING_RATINGS = 150 * 80 * 9 // 10
PATIENCE = 900
ROUNDS = range(int(os.environ.get("KILL_ROUNDS", "1")))
WORKER = "-m celery -A studysite worker -P threads -c 1 --without-gossip --without-mingle"


#: Files in the tests on SQLite, Redis in those on PostgreSQL: the database and the broker do not
#: depend on each other.
BROKER = "redis" if os.environ.get("TEST_REDIS_URL") else "filesystem"
#: What a checkpoint holds depends on the preset, and not on the broker.
PRESETS = ["compact"] if BROKER == "redis" else ["compact", "tuned"]


@pytest.fixture(scope="module", params=[BROKER])
def broker(request):
    """The URL of a private broker; empty for files."""
    if request.param == "filesystem":
        yield ""
        return
    need(shutil.which("redis-server"), "there is no redis-server on this machine")
    with redis() as url:
        yield url


@pytest.fixture
def site(tmp_path, broker):
    with own_database(tmp_path) as database:
        site = Installation(
            tmp_path,
            DATABASE_URL=database,
            REDIS_URL=broker,
            JOB_LEASE_SECONDS=str(LEASE),
            JOB_CHECKPOINT_SECONDS="0",  # after every step
            OMP_NUM_THREADS="1",
        )
        site.manage("migrate", "--verbosity", "0")
        source = tmp_path / "small.csv"
        source.write_text("user,item,rating,timestamp\n" + "\n".join(small_ratings()))
        site.manage("import_ratings", str(source))
        yield site
        site.stop()


def small_ratings():
    """150 users with 80 of 400 items each, so that a pass takes a second or two."""
    for nth, (user, film) in enumerate(product(range(150), range(80))):
        yield f"{user},{(user * 7 + film * 5) % 400},{1 + (user * film) % 5},{nth}"


def query(site: Installation, sql: str) -> list[tuple]:
    url = site.env["DATABASE_URL"]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path, timeout=20)) as connection:
            return connection.execute(sql).fetchall()
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def until(site: Installation, condition: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not query(site, f"SELECT 1 FROM recommender_job WHERE {condition}"):
        rows = query(site, "SELECT status, phase, epoch, attempts, error FROM recommender_job")
        assert time.monotonic() < deadline, f"never {condition}: {rows}"
        time.sleep(0.05)


def train(site: Installation, preset: str = "compact", where: str = "--detach") -> str:
    params = f"--dataset small --epochs {EPOCHS} --systems autoencoder --preset {preset}"
    (job, *_) = json.loads(site.manage("train_models", *params.split(), where, "--json").stdout)
    return job


def assert_equal_to_undisturbed_run(site: Installation, preset: str) -> None:
    """The model is equal, bit by bit, to that of an undisturbed run without checkpoints."""
    site.env["JOB_CHECKPOINT_SECONDS"] = "100000"
    train(site, preset, "--inline")
    newest_last = "SELECT artefact FROM recommender_trainedmodel ORDER BY created_at"
    disturbed, whole = (
        load_file(site.home / artefact / "model.safetensors")
        for (artefact,) in query(site, newest_last)
    )
    assert disturbed.keys() == whole.keys()
    assert [name for name in whole if disturbed[name].tobytes() != whole[name].tobytes()] == []


def assert_one_model_and_no_other_file(site: Installation, job: str, *, attempts: int) -> None:
    """The job is done once, and no other file or message is left."""
    deadline = time.monotonic() + PATIENCE  # the last file goes a moment after the last row
    while (list((site.home / "checkpoints").iterdir()) or messages(site)) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert query(site, "SELECT status, attempts FROM recommender_job") == [("done", attempts)]
    ((artefact, curve),) = query(site, "SELECT artefact, loss_curve FROM recommender_trainedmodel")
    examples, _ = (json.loads(curve) if isinstance(curve, str) else curve)[-1]
    assert examples == EPOCHS * TRAINING_RATINGS  # none skipped, none repeated
    assert [f"artefacts/{path.name}" for path in (site.home / "artefacts").iterdir()] == [artefact]
    left = sorted(path.name for path in (site.home / artefact).iterdir())
    assert left == ["facts.json", "model.safetensors"]
    assert list((site.home / "checkpoints").iterdir()) == []
    assert list(site.home.rglob("*.partial")) == []
    assert messages(site) == 0


def messages(site: Installation) -> int:
    if url := site.env["REDIS_URL"]:
        from redis import Redis

        broker = Redis.from_url(url)
        return sum(broker.llen(key) for key in broker.keys("*") if broker.type(key) == b"list")
    return len(list((site.home / "queue" / "data").iterdir()))


def end(process, how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(PATIENCE)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("number", ROUNDS)
def test_a_job_whose_worker_is_killed_is_finished_once_by_the_next(site, number, preset):
    job = train(site, preset)
    first = site.start(*WORKER.split(), log="first")
    until(site, "epoch >= 2")
    end(first, signal.SIGKILL)
    assert query(site, "SELECT status, attempts FROM recommender_job") == [("running", 1)]
    # The kill may have interrupted the next checkpoint, which leaves a partial file.
    assert (site.home / "checkpoints" / job / "attempt-1").is_file()

    site.start(*WORKER.split(), log="second")
    until(site, "attempts = 2 AND epoch >= 2")
    until(site, "status = 'done'")
    assert_one_model_and_no_other_file(site, job, attempts=2)
    assert_equal_to_undisturbed_run(site, preset)


def test_a_worker_that_is_asked_to_stop_puts_its_job_back(site, broker):
    how = signal.SIGTERM if broker else signal.SIGINT
    job = train(site)
    first = site.start(*WORKER.split(), log="first")
    until(site, "epoch >= 2")
    end(first, how)
    assert query(site, "SELECT status, attempts FROM recommender_job") == [("queued", 0)]

    site.start(*WORKER.split(), log="second")
    until(site, "status = 'done'")
    assert_one_model_and_no_other_file(site, job, attempts=1)


def test_a_worker_paused_beyond_its_lease_cannot_finish(site):
    job = train(site)
    first = site.start(*WORKER.split(), log="first")
    until(site, "epoch >= 2")
    first.send_signal(signal.SIGSTOP)
    site.start(*WORKER.split(), log="second")
    # A paused process keeps the device's memory, so its successor waits with a lease of its own.
    until(site, "attempts = 2 AND phase = 'waiting for the device'")
    first.send_signal(signal.SIGCONT)
    until(site, "status = 'done'")
    assert_one_model_and_no_other_file(site, job, attempts=2)
    assert "taken over by another worker" in (site.home / "first.log").read_text()


def test_a_quick_training_ends_while_a_worker_with_a_card_trains_a_network(site):
    # The first worker pretends to a card: this row names it, and stays alive for an hour.
    site.ask(
        "from datetime import timedelta; from django.utils import timezone\n"
        "from recommender.models import Worker\n"
        "Worker.objects.create(name='pretends', queues=['gpu'], has_card=True,"
        " seen_at=timezone.now() + timedelta(hours=1))"
    )
    train(site)
    site.start(*WORKER.split(), "-Q", "gpu", log="gpu")
    until(site, "epoch >= 1")
    site.manage("train_models", "--dataset", "small", "--systems", "bias", "--detach")
    site.start(*WORKER.split(), "-Q", "default,inference", log="default")
    until(site, "status = 'done'")
    assert query(site, "SELECT status FROM recommender_job ORDER BY created_at") == [
        ("running",),
        ("done",),
    ]
