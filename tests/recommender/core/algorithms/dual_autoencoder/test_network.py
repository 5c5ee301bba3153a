from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from recommender.core.algorithms.dual_autoencoder import network, parts
from recommender.core.algorithms.dual_autoencoder.network import (
    MemberNetwork,
    UserBlock,
    WithheldPart,
)
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts
from recommender.core.configs.networks import DualAutoencoderConfig
from tests.recommender.core.matrices import random_ratings

CONFIG = DualAutoencoderConfig(hidden=16, dual_dropout=0.5, item_dropout=0.5)
RATINGS = random_ratings(2, n_users=20, n_items=15)


def first_part(dtype=torch.float64, config=CONFIG) -> WithheldPart:
    parts = RatingParts(RATINGS.matrix(), config, dtype=dtype)
    return parts.prepare(next(parts.draw_masks(np.random.default_rng(0))))


def only_block(part: WithheldPart) -> UserBlock:
    (make_block,) = part.blocks
    return make_block()


def predict(member, part, generator=None) -> torch.Tensor:
    return member(only_block(part), member.code_items(part, generator), generator)


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
    block = only_block(part)
    return block.trust * grid[block.user_of, block.withheld.columns]


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_predictions_and_gradients_are_those_of_dense_matrices(kind):
    part = first_part()
    member = MemberNetwork(kind, (20, 15), CONFIG, [0]).double()
    torch.nn.init.uniform_(member.offsets)
    found = {}
    for form in (predict, dense_predictions):
        predicted = form(member, part, torch.Generator().manual_seed(5))
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
    whole = predict(member, part)
    monkeypatch.setattr(network, "PAIRS_AT_ONCE", 4)
    assert torch.equal(predict(member, part), whole)


def learn(kind, part, n_readers) -> dict[str, torch.Tensor]:
    """The predictions and gradients of one step without dropout."""
    config = replace(CONFIG, dual_dropout=0.0, item_dropout=0.0)
    member = MemberNetwork(kind, (n_readers, 15), config, [0]).double()
    predicted = member.learn(part, torch.Generator())
    gradients = {name: weights.grad for name, weights in member.named_parameters()}
    return {"predicted": predicted, **gradients}


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_blocks_of_users_add_up_to_the_whole_step(kind, monkeypatch):
    whole = learn(kind, first_part(), 20)
    monkeypatch.setattr(parts, "USERS_AT_ONCE", 7)
    blocks = learn(kind, first_part(), 20)
    for name, numbers in whole.items():
        assert numbers.abs().max() > 1e-5, name
        assert_allclose(blocks[name], numbers, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_the_gradient_of_a_whole_step_is_that_of_one_graph(kind):
    part, member = first_part(torch.float32), MemberNetwork(kind, (20, 15), CONFIG, [0])
    predicted = predict(member, part, torch.Generator().manual_seed(1))
    wanted = torch.autograd.grad(
        torch.nn.functional.mse_loss(predicted, part.targets), list(member.parameters())
    )
    assert torch.equal(member.learn(part, torch.Generator().manual_seed(1)), predicted)
    for weights, gradient in zip(member.parameters(), wanted, strict=True):
        assert torch.equal(weights.grad, gradient)


def test_users_who_are_no_readers_are_predicted_by_dual_members_alone():
    part = first_part(config=replace(CONFIG, most_readers=12))
    n_readers = int((part.blocks[0]().user_of < 12).sum())
    found = {kind: learn(kind, part, 12)["predicted"] for kind in ("dual", "item")}
    assert {kind: len(predicted) for kind, predicted in found.items()} == {
        "dual": len(part.targets),
        "item": n_readers,
    }
    assert n_readers < len(part.targets)


def test_dropout_keeps_the_mean():
    member = MemberNetwork("dual", (20, 15), replace(CONFIG, dual_dropout=0.75), [0])
    dropped = member._drop(torch.ones(2000, 16), torch.Generator().manual_seed(0))
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)
