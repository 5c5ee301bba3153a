"""Settings, addresses and the Celery application; no business logic."""
