"""Deletes what is kept past a study's retention date."""

from typing import Any

from django.core.management.base import BaseCommand

from survey.services.withdrawing import delete_expired


class Command(BaseCommand):
    help = "Delete the outcomes of erased people that are kept past their study's retention date."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Deleted: {delete_expired():,}.")
