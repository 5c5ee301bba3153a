"""The recommenders and their evaluation as a library: no Django, no Celery, no settings."""
