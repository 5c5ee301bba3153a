"""The Celery application; queues and limits are settings, jobs are recommender.tasks."""

import os
import sys
from pathlib import Path

from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studysite.settings")

app = Celery("studysite")
app.set_default()  # for every thread, not only the one that imports this
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["recommender"])

try:
    if not settings.REDIS_URL:
        # The filesystem transport expects its folders to be there.
        for name in ("data_folder_in", "data_folder_out", "control_folder"):
            folder = Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]))
            folder.mkdir(parents=True, exist_ok=True)
except ImproperlyConfigured as error:
    sys.exit(f"studysite: {error}")
except OSError as error:
    sys.exit(f"studysite: the queue cannot be made below STUDYSITE_HOME: {error}.")
