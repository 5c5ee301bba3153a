"""What reading a source comes to, in a form that tests can compare."""

from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import pytest

from recommender.core.errors import SourceError
from recommender.core.readers import archive, tables
from recommender.core.readers.source import read_source


def triples(ratings):
    """Every rating as (user id, item id, rating, seconds)."""
    times = ratings.timestamps if ratings.timestamps is not None else np.zeros(ratings.n_ratings)
    return list(
        zip(
            ratings.user_ids[ratings.rows()].tolist(),
            ratings.item_ids[ratings.indices].tolist(),
            ratings.values.tolist(),
            times.tolist(),
            strict=True,
        )
    )


def refusal(path, **options) -> SourceError:
    """The error of a source that must be refused."""
    with pytest.raises(SourceError) as refused:
        read_source(path, **options)
    return refused.value


def outcome(path, scale=None, **options):
    """Everything that was read, or the message of the refusal; other errors are failures."""
    try:
        source = read_source(path, scale=scale, **options)
    except SourceError as error:
        return str(error)
    found = {field.name: getattr(source.ratings, field.name) for field in fields(source.ratings)}
    found["labels"] = {
        kind: {name: np.asarray(array).tolist() for name, array in vars(labels).items()}
        for kind, labels in source.ratings.labels.items()
    }
    found["folds"] = {name: mask.tolist() for name, mask in source.ratings.folds.items()}
    arrays = {name: a for name, a in found.items() if isinstance(a, np.ndarray)}
    found |= {name: (array.dtype, array.tolist()) for name, array in arrays.items()}
    return found, source.items, source.format, source.checksum


@contextmanager
def reading(*, block=archive.BLOCK, fast=True):
    """Files are read in blocks of ``block`` bytes, on the fast path whatever their size or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "BLOCK", block)
        patch.setattr(tables, "SMALL", 0 if fast else 1 << 60)
        yield


def assert_paths_agree(path, scale=None, **options):
    """Both paths give one outcome, in blocks of any size; returns it."""
    outcomes = []
    for fast in (False, True):
        for block in (24, 64, archive.BLOCK):
            with reading(block=block, fast=fast):
                outcomes.append(outcome(path, scale, **options))
    assert all(other == outcomes[0] for other in outcomes[1:])
    return outcomes[0]
