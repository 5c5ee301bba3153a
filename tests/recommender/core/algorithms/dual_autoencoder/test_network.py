from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from recommender.core.algorithms.dual_autoencoder import network
from recommender.core.algorithms.dual_autoencoder.network import MemberNetwork, WithheldPart
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts
from recommender.core.configs.networks import DualAutoencoderConfig
from tests.recommender.core.matrices import random_ratings

CONFIG = DualAutoencoderConfig(hidden=16, dual_dropout=0.5, item_dropout=0.5)
RATINGS = random_ratings(2, n_users=20, n_items=15)


def first_part(dtype=torch.float64) -> WithheldPart:
    parts = RatingParts(RATINGS.matrix(), CONFIG, dtype=dtype)
    return parts.prepare(next(parts.draw_masks(np.random.default_rng(0))))


def dense(matrix, n_columns: int) -> torch.Tensor:
    found = torch.zeros(len(matrix.starts) - 1, n_columns, dtype=torch.float64)
    for row, (start, stop) in enumerate(torch.stack([matrix.starts[:-1], matrix.starts[1:]], 1)):
        found[row, matrix.columns[start:stop]] = matrix.values[start:stop]
    return found


def dense_codes(tower, profiles: torch.Tensor, dropout: float, generator) -> torch.Tensor:
    seen = (profiles != 0).double()
    scale = seen.sum(1, keepdim=True).clamp(min=1) ** -0.5
    sums = profiles @ tower.given + seen @ tower.seen
    codes = torch.selu(sums * scale + tower.bias)
    kept = torch.rand(codes.shape, generator=generator) >= dropout
    return codes * kept / (1 - dropout)


def dense_predictions(member, part, generator) -> torch.Tensor:
    """The same network written with whole matrices, in which zero means "not rated"."""
    profiles = dense(part.kept, 15)  # (20 users, 15 items)
    items = dense_codes(member.items, profiles.T, member.dropout, generator)
    if member.is_dual:
        users = dense_codes(member.users, profiles, member.dropout, generator) @ member.link
        grid = users @ items.T + member.offsets
    else:
        grid = member.vectors @ items.T + member.offsets[:, None]
    return part.trust * grid[part.user_of, part.withheld.columns]


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_predictions_and_gradients_are_those_of_dense_matrices(kind):
    part = first_part()
    member = MemberNetwork(kind, (20, 15), CONFIG, [0]).double()
    torch.nn.init.uniform_(member.offsets)
    found = {}
    for form in (member, lambda *given: dense_predictions(member, *given)):
        predicted = form(part, torch.Generator().manual_seed(5))
        member.zero_grad()
        ((predicted - part.targets) ** 2).mean().backward()
        gradients = {name: weights.grad for name, weights in member.named_parameters()}
        for name, numbers in {"predicted": predicted.detach(), **gradients}.items():
            found.setdefault(name, []).append(numbers)
    assert len(found) == (9 if kind == "dual" else 6)
    for name, (ours, wanted) in found.items():
        assert wanted.abs().max() > 1e-4, name
        assert_allclose(ours, wanted, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_blocks_of_pairs_change_nothing(kind, monkeypatch):
    part, member = first_part(torch.float32), MemberNetwork(kind, (20, 15), CONFIG, [0])
    whole = member(part, None)
    monkeypatch.setattr(network, "PAIRS_AT_ONCE", 4)
    assert torch.equal(member(part, None), whole)


def test_dropout_keeps_the_mean():
    member = MemberNetwork("dual", (20, 15), replace(CONFIG, dual_dropout=0.75), [0])
    dropped = member._drop(torch.ones(2000, 16), torch.Generator().manual_seed(0))
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)
