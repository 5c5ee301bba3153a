from importlib import import_module

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    name = "recommender"

    def ready(self) -> None:
        # Services send messages through Celery's current application.
        import_module("studysite.celery")
