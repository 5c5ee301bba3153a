"""The paper's multilayer perceptron with a query (section III-A.2)."""

from __future__ import annotations

from typing import ClassVar

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.algorithms.query_mlp.network import QueryNetwork
from recommender.core.configs.networks import QueryMLPConfig


class QueryMLP(Autoencoder):
    """A deep network that maps a profile and one item to the stars of that item.

    Training, fallbacks, tie breaks and ``train_rmse_`` are those of the autoencoder. Ranking all
    items costs a pass through the network for each of them.
    """

    name: ClassVar[str] = "query-mlp"
    config: QueryMLPConfig
    network_kind: ClassVar = QueryNetwork
