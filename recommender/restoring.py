"""Restores a trained model from its artefact; loads torch for networks."""

from recommender import store
from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.systems import config_from_dict
from recommender.models import TrainedModel


def restore_model(trained: TrainedModel) -> Recommender:
    """The model as it was stored; StoreError if its artefact is missing or was changed."""
    arrays, _facts = store.read_artefact(trained.artefact, trained.artefact_checksum)
    config = config_from_dict(trained.system, trained.config)
    return implementation(trained.system, config).from_arrays(config, arrays)
