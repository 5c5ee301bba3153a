"""A trained model comes back from its artefact."""

import numpy as np
import pytest

from recommender import store
from recommender.models import TrainedModel
from recommender.restoring import restore_model
from tests.recommender.fake import run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stored_model_predicts(start):
    run(start(system="bias"))
    model = restore_model(TrainedModel.objects.get())
    assert 0.5 <= model.predict(None, np.array([0]), np.array([0]))[0] <= 5


def test_a_changed_artefact_is_refused(start):
    run(start(system="bias"))
    TrainedModel.objects.update(artefact_checksum="0" * 64)
    with pytest.raises(store.StoreError, match="changed"):
        restore_model(TrainedModel.objects.get())
