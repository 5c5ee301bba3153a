"""Settings, URLs and the Celery application; no business logic."""
