from dataclasses import replace

import numpy as np
import pytest

from recommender.core.algorithms.query_mlp.model import QueryMLP
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from recommender.core.systems import system
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings

COMPACT = system("query-mlp").preset("compact")[1]


class TestCompact(SystemContract):
    system = "query-mlp"
    # Made for a matrix of 40 users: fewer ratings, so less damping and more passes.
    config = replace(
        COMPACT,
        hidden=(48, 24, 16),
        epochs=60,
        batch_users=16,
        learning_rate=3e-3,
        dropout=0.0,
        movie_damping=1.0,
    )


class TestClasses(SystemContract):
    system = "query-mlp"
    config = replace(TestCompact.config, output="classes", residual_blocks=True, epochs=40)


def test_the_paper_preset_follows_the_text():
    """Raw stars and the root mean squared error; the widths are the autoencoder's first half."""
    config = system("query-mlp").preset("paper")[1]
    paper = system("autoencoder").preset("paper")[1]
    assert config.hidden == paper.hidden[:4]
    assert (config.epochs, config.loss, config.target) == (30, "rmse", "stars")
    assert (config.output, config.residual_blocks, config.dropout) == ("stars", False, 0)


def test_the_classes_of_the_query_network_are_those_of_the_paper():
    config = system("query-mlp").preset("classes")[1]
    assert (config.output, config.classes) == ("classes", "half-stars")


def test_the_training_error_is_that_of_each_rating_withheld():
    """Compared with predictions from profiles without the rating."""
    ratings = random_ratings(1, n_users=20, n_items=15)
    config = replace(TestCompact.config, epochs=3, target="stars", movie_damping=0.0)
    model = QueryMLP(config).fit(ratings, options=RunOptions(threads=1))
    squares = []
    for user, item, stars in zip(ratings.rows(), ratings.indices, ratings.values, strict=True):
        dense = ratings.matrix().toarray()[[user]]
        dense[0, item] = 0
        read = model._read(of_dense(dense).matrix())
        output = model._outputs(read, np.array([0]), np.array([item])).item()
        squares.append((np.clip(output, 0.5, 5) - stars) ** 2)
    assert model.train_rmse_ == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)


def test_a_configuration_that_cannot_be_trained_is_refused():
    with pytest.raises(ConfigurationError, match="hidden"):
        QueryMLP(replace(TestCompact.config, hidden=())).fit(random_ratings(1))
