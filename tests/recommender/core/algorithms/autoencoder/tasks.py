"""Training tasks on small matrices, and the same training in the paper's dense formulation."""

import numpy as np
import torch

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.autoencoder.network import draw_network
from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.runs import RunOptions

FAITHFUL = {"target": "stars", "loss": "rmse"}
RESIDUAL = {"target": "residual", "loss": "mse", "normalise": True, "movie_damping": 3.0}


def make_task(matrix, config, *, dense=False, half=None, dtype=torch.float64):
    """The task as ``fit`` makes it; ``dense`` as on a GPU, ``half`` as on one with bfloat16."""
    n_items = matrix.shape[1]
    network = draw_network(config, n_items, 0, "cpu", dtype, half)
    counts = np.bincount(matrix.indices, minlength=n_items)
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
    return WithheldRatingsTask(network, matrix, encoding, config, RunOptions(), dense)


def config_of(*, hidden=(8, 7, 6, 3, 6, 7, 8), batch_users=5, withheld_per_user=3, **values):
    return AutoencoderConfig(
        hidden=hidden, batch_users=batch_users, withheld_per_user=withheld_per_user, **values
    )


class DenseForm:
    """The paper's formulation of a task: whole profiles with a zero for the withheld rating, an
    output for every item, ordinary torch. Stars must be above zero.
    """

    def __init__(self, task):
        self.task, self.config = task, task.config
        self.stars = task.matrix.toarray().astype(float)
        self.weights = {
            name: tensor.detach().clone().requires_grad_()
            for name, tensor in task.parameters.items()
        }

    def outputs(self, plan, drop):
        """(E, n_items) outputs and the hidden layers."""
        rows, items = plan.users[plan.profile_of], self.task.matrix.indices[plan.withheld]
        inputs = self.task.inputs.toarray()[rows]  # (E, n_items)
        inputs[np.arange(len(rows)), items] = 0
        if self.config.normalise:
            counts = (self.stars[rows] > 0).sum(1) - 1
            inputs /= np.sqrt(np.maximum(counts, 1))[:, None]
        own = self.weights
        layers = [torch.from_numpy(inputs).to(own["first"].dtype) @ own["first"]]
        layers[0] = drop(torch.relu(layers[0] + own["first.bias"]))
        for layer in range(len(self.config.hidden) - 1):
            sums = layers[-1] @ own[f"middle.{layer}"].T + own[f"middle.{layer}.bias"]
            layers.append(drop(torch.relu(sums)))
        outputs = layers[-1] @ own["last"].T + own["last.bias"]
        counts = torch.from_numpy((self.stars > 0).sum(0).astype(float))
        return outputs * counts / (counts + self.config.movie_damping), layers

    def loss(self, plan, drop=lambda values: values):
        rows, items = plan.users[plan.profile_of], self.task.matrix.indices[plan.withheld]
        outputs, layers = self.outputs(plan, drop)
        baselines = torch.from_numpy(self.task.baselines[plan.withheld])
        targets = torch.from_numpy(self.stars[rows, items])
        errors = outputs[np.arange(len(rows)), items] + baselines - targets
        loss = (errors**2).mean()
        loss = loss.sqrt() if self.config.loss == "rmse" else loss
        code = layers[self.config.hidden.index(min(self.config.hidden))]
        return loss + self.unrelated(plan, outputs) + self.config.sparsity * code.sum(1).mean()

    def unrelated(self, plan, outputs):
        """How far the drawn items that are not in the profile are from the damped bias."""
        if not self.config.unrelated_weight:
            return 0
        bias = torch.from_numpy(self.task.encoding.bias.grid(self.task.matrix))
        bias = bias[plan.users[plan.profile_of]]
        if self.config.target == "residual":
            outputs = outputs + bias
        squares = [
            (outputs[example, item] - bias[example, item]) ** 2
            for example, item in self.unrated(plan)
        ]
        assert 0 < len(squares) < plan.drawn.size
        return self.config.unrelated_weight * sum(squares) / len(squares)

    def unrated(self, plan):
        rated = self.stars[plan.users[plan.profile_of]] > 0
        pairs = [(example, item) for example, drawn in enumerate(plan.drawn) for item in drawn]
        return [pair for pair in pairs if not rated[pair]]

    def penalty(self, plan):
        """L1 and L2 of the middle layers, and of the rows of the items in the batch."""
        drawn = np.array([item for _, item in self.unrated(plan)], int)
        withheld = self.task.matrix.indices[plan.withheld]
        rows = {
            "first": np.unique(self.task.matrix[plan.users].indices),
            "last": np.unique(np.concatenate((withheld, drawn))),
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
