"""Finds the rows that commands name; for an unknown name the error lists the known ones."""

from __future__ import annotations

from typing import TypeVar

from django.core.management.base import CommandError
from django.db.models import Model

from recommender.models import Dataset

#: Exit status of wrong usage; 1 is a failure, and 3 means that no worker was seen.
USAGE = 2

Row = TypeVar("Row", bound=Model)


def find_dataset(name: str) -> Dataset:
    return find_row(Dataset, "data set", " Import one: manage.py import_ratings SOURCE", name=name)


def find_row(model: type[Row], noun: str, remedy: str = "", **key: str) -> Row:
    """The row with this unique key. CommandError lists the first ten keys that exist."""
    found = model._default_manager.filter(**key).first()
    if found is None:
        ((field, value),) = key.items()
        names = ", ".join(model._default_manager.values_list(field, flat=True)[:10])
        known = f" Available: {names}." if names else ""
        raise CommandError(f"There is no {noun} {value!r}.{known}{remedy}", returncode=USAGE)
    return found
