"""The network with a query: a profile and a one-hot vector of one item in, its rating out."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import embedding

from recommender.core.algorithms.autoencoder.network import ProfileNetwork
from recommender.core.algorithms.autoencoder.sparse_batch import WithheldBatch
from recommender.core.configs.networks import AutoencoderConfig

PAIRS_AT_ONCE = 8_192


class QueryNetwork(ProfileNetwork):
    """The first layer reads both vectors: row i of its weights is for item i of the profile, row
    ``n_items + i`` for the query i. So every output needs a pass through all layers, while the sum
    over the profile is shared by its queries.
    """

    tables: ClassVar = ("first",)
    inputs_per_item: ClassVar = 2

    def __init__(
        self,
        config: AutoencoderConfig,
        n_items: int,
        columns: int = 1,
        half: torch.dtype | None = None,
    ) -> None:
        super().__init__(config, n_items, columns, half)
        self.output = nn.Linear(config.hidden[-1], columns)

    def forward(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        sums = batch.of_outputs(self.first(batch)) + self._queries(batch.items)  # (P, H1)
        hidden, bottleneck = self.hidden(sums, self.dropout(batch, generator))
        return self.output(hidden), bottleneck[: batch.n_examples]

    def read(self, sums: torch.Tensor) -> torch.Tensor:
        return sums

    def outputs(self, read: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.output(self.hidden(read + self._queries(items))[0])
        return found

    def all_outputs(self, read: torch.Tensor) -> torch.Tensor:
        pairs = torch.arange(len(read) * self.n_items, device=read.device)
        found = [
            self.outputs(read[part // self.n_items], part % self.n_items)
            for part in pairs.split(PAIRS_AT_ONCE)
        ]
        return torch.cat(found).view(len(read), self.n_items, self.columns)

    def _queries(self, items: torch.Tensor) -> torch.Tensor:
        """(P, H1) The rows of weights of queries; their gradient is sparse."""
        return embedding(items + self.n_items, self.first.weight, sparse=True)
