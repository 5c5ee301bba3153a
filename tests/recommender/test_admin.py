"""The admin shows jobs, data sets and models, and cancels jobs."""

import pytest

from recommender.services.reconciling import record_worker
from tests.factories import TrainedModelFactory


@pytest.mark.parametrize("table", ["job", "dataset", "trainedmodel", "worker"])
def test_every_list_is_shown_and_nothing_can_be_added(admin_client, claim, home, table):
    TrainedModelFactory()
    record_worker(name="celery@here", queues=["gpu"])
    assert admin_client.get(f"/admin/recommender/{table}/").status_code == 200
    assert admin_client.get(f"/admin/recommender/{table}/add/").status_code == 403


def test_a_model_is_shown_with_its_errors(admin_client, home):
    model = TrainedModelFactory()
    page = admin_client.get(f"/admin/recommender/trainedmodel/{model.pk}/change/")
    assert page.status_code == 200
    assert "train-only" in page.content.decode()


def test_jobs_are_cancelled_from_the_list(admin_client, queued):
    action = {"action": "cancel", "_selected_action": [str(queued.pk)]}
    page = admin_client.post("/admin/recommender/job/", action, follow=True)
    queued.refresh_from_db()
    assert queued.status == "cancelled"
    assert "1 cancelled" in page.content.decode()
