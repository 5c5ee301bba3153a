"""Fixtures of the tests of jobs: the fake system, a data set, queued and claimed jobs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender.models import Job
from recommender.services import claims
from recommender.services.claims import Claim
from recommender.services.submitting import submit_training
from tests.factories import DatasetFactory
from tests.recommender.fake import fake

__all__ = ["fake"]


@pytest.fixture
def dataset(home):
    return DatasetFactory()


@pytest.fixture
def queued(dataset) -> Job:
    return submit_training(dataset=dataset, system="bias")


@pytest.fixture
def claim(queued) -> Claim:
    return claims.claim_job(queued.pk, owner="ada")


@pytest.fixture
def expire():
    """End the lease of a job."""

    def now(job_id) -> None:
        Job.objects.filter(pk=job_id).update(lease_until=timezone.now() - timedelta(seconds=1))

    return now


@pytest.fixture
def quick_heart(settings):
    settings.JOB_LEASE_SECONDS = 0.4  # a beat every tenth of a second


@pytest.fixture
def start(dataset, fake):
    """Queue the training of the fake system or of a named one."""

    def job(**params) -> Job:
        return submit_training(**({"dataset": dataset, "system": "fake"} | params))

    return job
