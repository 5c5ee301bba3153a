"""The Celery application; queues and limits are settings, jobs are recommender.tasks."""

import os
import sys
from pathlib import Path

from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studysite.settings")

app = Celery("studysite")
app.set_default()  # for every thread, not only the one that imports this
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["recommender"])
# A worker that names no queue serves all of these. recommender.queues decides between the first
# three; messages of earlier versions wait in "device".
app.conf.task_queues = [
    Queue(name, Exchange(name), routing_key=name)
    for name in ("gpu", "inference", "default", "device")
]

try:
    if not settings.REDIS_URL:
        # At the start, so that a home without room for the queue is reported at once.
        folder = Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]))
        folder.mkdir(parents=True, exist_ok=True)
except ImproperlyConfigured as error:
    sys.exit(f"studysite: {error}")
except OSError as error:
    sys.exit(f"studysite: cannot create the queue folder below STUDYSITE_HOME: {error}.")
