"""A job from its claim to its end, in this process."""

import threading
import time

import numpy as np
import pytest
from django.conf import settings as product
from django.db import transaction

from recommender import jobs, lease, store
from recommender.core.errors import OutOfMemory
from recommender.core.runs import Progress
from recommender.loaders import load_ratings
from recommender.models import Evaluation, Job, TrainedModel
from recommender.services.claims import claim_job
from recommender.services.submitting import cancel_job
from tests.recommender.fake import run

# The heartbeat is a thread with a connection of its own: it must see what the test committed.
pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_heart"),
]

PATIENCE = 120


def files(home, *folders: str) -> list[str]:
    found = [place for folder in folders for place in store.entries(folder)]
    return [place for place in found if not place.endswith(".lock")]


def test_training_stores_one_model_with_everything_needed_to_repeat_it(start, dataset, home):
    job = run(start(system="bias", seed=3))
    model = TrainedModel.objects.get()
    assert (job.status, job.attempts, model.job_id) == ("done", 1, job.pk)
    assert (model.system, model.preset, model.seed, model.split) == (
        "bias",
        "default",
        3,
        "time-90-10",
    )
    assert model.config == {"user_damping": 5.0, "item_damping": 5.0}
    assert model.data_checksum == dataset.checksum
    assert model.split_facts["n_train"] + model.split_facts["n_test"] == dataset.n_ratings
    assert model.code_version.startswith("0.1.0+core.")
    assert {"python", "torch", "numpy", "scipy", "pandas"} <= set(model.library_versions)
    assert model.device.startswith("cpu: ")
    assert model.seconds > 0
    assert model.peak_memory_mb > 10


def test_training_leaves_one_verified_artefact_and_no_other_file(start, home):
    job = run(start(system="bias"))
    model = TrainedModel.objects.get()
    assert files(home, "artefacts", "checkpoints") == [f"artefacts/{job.pk}-1"] == [model.artefact]
    arrays, facts = store.read_artefact(model.artefact, model.artefact_checksum)
    assert "bias.mean" in arrays
    assert facts["system"] == "bias"


def test_the_errors_are_those_of_the_stored_model(start, dataset):
    run(start())
    errors = Evaluation.objects.get()
    ratings = load_ratings(dataset)
    newest = np.argsort(ratings.timestamps)[-errors.n_test :]
    expected = np.mean((ratings.values[newest] - dataset.scale_minimum) ** 2)
    assert errors.mse == pytest.approx(expected)
    assert errors.rmse == pytest.approx(expected**0.5)


def test_the_loss_curve_is_kept(start):
    run(start())
    assert TrainedModel.objects.get().loss_curve == [[1000, 0.9], [2000, 0.8]]


def test_progress_reaches_the_row_while_the_job_runs(start, fake):
    seen = []

    def wait_for_a_beat(options):
        deadline = time.monotonic() + PATIENCE
        while not seen and time.monotonic() < deadline:
            seen.extend(
                Job.objects.filter(phase="training", epoch=1).values_list("loss", flat=True)
            )

    fake.middle = wait_for_a_beat
    run(start())
    assert seen == [0.9]


def test_a_listener_in_this_process_gets_every_phase(start):
    phases = []
    jobs.run_job(start().pk, owner="ada", watch=lambda step: phases.append(step.phase))
    assert [p for p in phases if p != "training"] == [
        "loading",
        "splitting",
        "evaluating",
        "saving",
    ]


def until_stopped(options):
    """Fit for ever, telling the progress."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        options.progress(Progress("training", 1, 2, 1))
        time.sleep(0.01)


def test_a_cancelled_job_stops_and_leaves_nothing(start, fake, home):
    def cancel_and_go_on(options):
        options.checkpoint.write_text("half a model")
        cancel_job(Job.objects.get().pk)
        until_stopped(options)

    fake.middle = cancel_and_go_on
    assert run(start()).status == "cancelled"
    assert files(home, "artefacts", "checkpoints") == []
    assert not TrainedModel.objects.exists()


def test_a_job_over_its_time_limit_fails_with_the_reason(start, fake, home):
    fake.middle = until_stopped
    job = run(start(time_limit_seconds=1))
    assert (job.status, job.attempts) == ("failed", 1)
    assert "time limit of 1 s" in job.error
    assert files(home, "artefacts", "checkpoints") == []


def test_work_of_earlier_attempts_counts_against_the_time_limit(start, fake):
    fake.middle = until_stopped
    job = start(time_limit_seconds=1000)
    Job.objects.update(worked_seconds=2000.0)
    assert run(job).status == "failed"


def test_a_worker_that_shuts_down_puts_the_job_back_with_its_checkpoint(start, fake, home):
    def shut_down(options):
        options.checkpoint.write_text("half a model")
        lease.stop_runs()
        until_stopped(options)

    fake.middle = shut_down
    job = run(start())
    assert (job.status, job.attempts, job.sent_at) == ("queued", 0, None)
    assert files(home, "artefacts", "checkpoints") == [f"checkpoints/{job.pk}"]


def test_the_next_attempt_resumes_from_the_last_checkpoint(start, fake, expire):
    found = []

    def look(options):
        found.append((options.checkpoint.name, options.checkpoint.read_text()))

    fake.middle = look
    job = start()
    dead = claim_job(job.pk, owner="dead")
    jobs._checkpoint(dead, earlier=[]).write_text("half a model")
    expire(job.pk)
    assert run(job).attempts == 2
    assert found == [("attempt-2", "half a model")]


def test_a_run_that_lost_its_lease_stops_and_removes_its_files(start, fake, home, expire):
    job = start()

    def lose(options):
        with transaction.atomic():  # else a heartbeat may renew the lease between the two
            expire(job.pk)
            assert claim_job(job.pk, owner="ben")
        until_stopped(options)

    fake.middle = lose
    run(job)
    assert (job.status, job.owner, job.attempts) == ("running", "ben", 2)
    assert not TrainedModel.objects.exists()
    assert files(home, "artefacts") == []


def test_a_run_that_lost_its_lease_at_the_last_moment_cannot_store_its_model(
    start, fake, home, monkeypatch
):
    write = store.write_artefact

    def lose_then_write(*args):
        Job.objects.update(owner="ben", attempts=2)
        return write(*args)

    monkeypatch.setattr(store, "write_artefact", lose_then_write)
    job = run(start())
    assert (job.status, job.owner) == ("running", "ben")
    assert not TrainedModel.objects.exists()
    assert files(home, "artefacts") == []


def test_an_error_that_the_user_can_fix_fails_at_once_with_the_remedy(start, fake):
    def no_memory(options):
        raise OutOfMemory("This machine has too little free memory. Use the preset compact.")

    fake.middle = no_memory
    job = run(start())
    assert (job.status, job.attempts) == ("failed", 1)
    assert job.error == "This machine has too little free memory. Use the preset compact."


def test_running_out_of_memory_is_a_clear_error(start, fake, monkeypatch):
    def no_memory(*args):
        raise MemoryError

    monkeypatch.setattr(jobs, "split", no_memory)
    job = run(start())
    assert job.status == "failed"
    assert "too little free memory" in job.error


def test_ratings_that_are_gone_fail_the_job_with_the_remedy(start, dataset, home):
    job = start()
    store.remove(dataset.folder)
    assert run(job).status == "failed"
    assert "is missing. Restore it" in job.error


def test_an_unexpected_error_is_recorded_raised_and_tried_again(start, fake):
    def crash(options):
        raise RuntimeError("a bug")

    fake.middle = crash
    job = start()
    for attempt in range(1, product.JOB_MAX_ATTEMPTS + 1):
        with pytest.raises(jobs.Crashed, match="RuntimeError: a bug"):
            run(job)
        job.refresh_from_db()
        assert (job.attempts, "RuntimeError: a bug" in job.error) == (attempt, True)
    assert job.status == "failed"
    run(job)  # nobody does it any more
    assert job.attempts == product.JOB_MAX_ATTEMPTS


def test_an_interrupt_from_the_keyboard_puts_the_job_back(start, fake):
    def interrupt(options):
        raise KeyboardInterrupt

    fake.middle = interrupt
    job = start()
    with pytest.raises(KeyboardInterrupt):
        run(job)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)


def test_one_job_at_a_time_uses_the_device(start, fake):
    """The second waits, its lease alive, until the first is through."""
    second = start(system="bias")
    seen = []

    def let_another_try(options):
        other = threading.Thread(target=run_in_thread, args=[second])
        other.start()
        deadline = time.monotonic() + PATIENCE
        while not seen and time.monotonic() < deadline:
            seen.extend(Job.objects.filter(pk=second.pk, phase="waiting for the device"))
        threads.append(other)

    threads = []
    fake.middle = let_another_try
    run(start())
    threads[0].join()
    second.refresh_from_db()
    assert [job.status for job in seen] == ["running"]
    assert second.status == "done"


def run_in_thread(job):
    from django.db import connection

    try:
        jobs.run_job(job.pk, owner="ben")
    finally:
        connection.close()
