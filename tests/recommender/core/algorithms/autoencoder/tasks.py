"""Training tasks on small matrices, and the same training in the paper's dense formulation."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.autoencoder.network import Network, draw_network
from recommender.core.algorithms.autoencoder.rating_classes import RatingClasses
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.query_mlp.network import QueryNetwork
from recommender.core.configs.networks import AutoencoderConfig, QueryMLPConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.runs import RunOptions
from tests.recommender.core.matrices import HALF_STARS

FAITHFUL = {"target": "stars", "loss": "rmse"}
RESIDUAL = {"target": "residual", "loss": "mse", "normalise": True, "movie_damping": 3.0}


def make_task(matrix, config, *, dense=False, half=None, dtype=torch.float64):
    """The task as ``fit`` makes it; ``dense`` as on a GPU, ``half`` as on one with bfloat16."""
    n_items = matrix.shape[1]
    counts = np.bincount(matrix.indices, minlength=n_items)
    has_classes = config.output == "classes"
    classes = RatingClasses.of(HALF_STARS, config.classes) if has_classes else None
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config, classes)
    kind = QueryNetwork if isinstance(config, QueryMLPConfig) else Network
    network = draw_network(
        config, n_items, 0, "cpu", dtype, half, columns=encoding.columns, kind=kind
    )
    return WithheldRatingsTask(network, matrix, encoding, config, RunOptions(), dense)


def config_of(
    kind=AutoencoderConfig,
    *,
    hidden=(8, 7, 6, 3, 6, 7, 8),
    batch_users=5,
    withheld_per_user=3,
    **values,
):
    return kind(
        hidden=hidden, batch_users=batch_users, withheld_per_user=withheld_per_user, **values
    )


class DenseForm:
    """The paper's formulation of a task: whole profiles with a zero for the withheld rating, every
    output of every example, ordinary torch. Stars must be above zero.
    """

    def __init__(self, task):
        self.task, self.config = task, task.config
        self.stars = task.matrix.toarray().astype(float)
        self.weights = {
            name: tensor.detach().clone().requires_grad_()
            for name, tensor in task.parameters.items()
        }

    def layer(self, name, values):
        return values @ self.weights[name].T + self.weights[f"{name}.bias"]

    def middle(self, number, values, drop):
        name = f"middle.{number}"
        if not self.config.residual_blocks:
            return drop(torch.relu(self.layer(name, values)))
        inner = drop(torch.relu(self.layer(f"{name}.inner", values)))
        projection = self.weights.get(f"{name}.projection")
        skipped = values if projection is None else values @ projection.T
        return drop(torch.relu(self.layer(f"{name}.outer", inner) + skipped))

    def inputs(self, plan):
        """(E, n_items)"""
        rows, items = plan.users[plan.profile_of], self.task.matrix.indices[plan.withheld]
        inputs = self.task.inputs.toarray()[rows]
        inputs[np.arange(len(rows)), items] = 0
        if self.config.normalise:
            counts = (self.stars[rows] > 0).sum(1) - 1
            inputs /= np.sqrt(np.maximum(counts, 1))[:, None]
        return torch.from_numpy(inputs).to(self.weights["first"].dtype)

    def run(self, sums, make_drop):
        drop = make_drop()  # one that drops the same in every run
        layers = [drop(torch.relu(sums + self.weights["first.bias"]))]
        for number in range(len(self.config.hidden) - 1):
            layers.append(self.middle(number, layers[-1], drop))
        return layers[-1], layers[self.config.hidden.index(min(self.config.hidden))]

    def outputs(self, plan, make_drop):
        """(E, n_items, C) outputs, and the bottleneck (E, narrowest width)."""
        n_items = self.stars.shape[1]
        if isinstance(self.config, QueryMLPConfig):
            inputs, code = self.inputs(plan), None
            found = []
            for item in range(n_items):
                query = torch.zeros_like(inputs)
                query[:, item] = 1
                sums = torch.hstack([inputs, query]) @ self.weights["first"]
                hidden, own = self.run(sums, make_drop)
                found.append(self.layer("output", hidden))
                asked = torch.from_numpy(self.task.matrix.indices[plan.withheld] == item)
                code = own if code is None else torch.where(asked[:, None], own, code)
            return torch.stack(found, 1), code
        hidden, code = self.run(self.inputs(plan) @ self.weights["first"], make_drop)
        return self.layer("last", hidden).view(len(hidden), n_items, -1), code

    def predictions(self, outputs, baselines):
        """(E, n_items) stars and (E, n_items, C) logits."""
        counts = torch.from_numpy((self.stars > 0).sum(0).astype(float))
        outputs = outputs * (counts / (counts + self.config.movie_damping))[:, None]
        if self.config.output == "stars":
            return outputs.squeeze(2) + baselines, outputs
        levels = torch.arange(0.5, 5.1, 0.5, dtype=torch.float64)
        values = levels.view(5, 2).mean(1) if self.config.classes == "five" else levels
        if self.config.target == "residual":
            outputs = outputs - (values - baselines[:, :, None]) ** 2 / (2 * (4.5 / 4) ** 2)
        return (torch.softmax(outputs, 2) * values).sum(2), outputs

    def loss(self, plan, make_drop=lambda: lambda values: values):
        rows, items = plan.users[plan.profile_of], self.task.matrix.indices[plan.withheld]
        outputs, code = self.outputs(plan, make_drop)
        bias = torch.from_numpy(self.task.encoding.bias.grid(self.task.matrix))[rows]
        own = np.arange(len(rows)), items
        baselines = bias.clone() if self.config.target == "residual" else torch.zeros_like(bias)
        baselines[own] = torch.from_numpy(self.task.baselines[plan.withheld])
        predicted, logits = self.predictions(outputs, baselines)
        targets = torch.from_numpy(self.stars[rows, items])
        if self.config.output == "classes":
            width = 1 if self.config.classes == "five" else 0.5
            loss = cross_entropy(logits[own], (targets / width).ceil().long() - 1)
        else:
            loss = ((predicted[own] - targets) ** 2).mean()
            loss = loss.sqrt() if self.config.loss == "rmse" else loss
        return (
            loss
            + self.unrelated(plan, predicted - bias)
            + (self.config.sparsity * code.sum(1).mean())
        )

    def unrelated(self, plan, distances):
        """How far the drawn items that are not in the profile are from the damped bias."""
        if not self.config.unrelated_weight:
            return 0
        squares = [distances[example, item] ** 2 for example, item in self.unrated(plan)]
        assert 0 < len(squares) < plan.drawn.size
        return self.config.unrelated_weight * sum(squares) / len(squares)

    def unrated(self, plan):
        rated = self.stars[plan.users[plan.profile_of]] > 0
        pairs = [(example, item) for example, drawn in enumerate(plan.drawn) for item in drawn]
        return [pair for pair in pairs if not rated[pair]]

    def penalty(self, plan):
        """L1 and L2 of the middle layers, and of the rows of the items in the batch."""
        drawn = np.array([item for _, item in self.unrated(plan)], int)
        read = np.unique(self.task.matrix[plan.users].indices)
        asked = np.unique(np.concatenate((self.task.matrix.indices[plan.withheld], drawn)))
        columns, n_items = self.task.encoding.columns, self.stars.shape[1]
        is_query = isinstance(self.config, QueryMLPConfig)
        rows = {
            "first": np.concatenate((read, asked + n_items)) if is_query else read,
            "last": (asked[:, None] * columns + np.arange(columns)).ravel(),
        }
        parts = [
            tensor[rows[name]] if name in rows else tensor
            for name, tensor in self.weights.items()
            if not name.endswith("bias")
        ]
        l1 = sum(tensor.abs().sum() for tensor in parts)
        return self.config.l1 * l1 + self.config.l2 * sum((part**2).sum() for part in parts)

    def gradients(self, loss):
        found = torch.autograd.grad(loss, [*self.weights.values()])
        return dict(zip(self.weights, found, strict=True))
