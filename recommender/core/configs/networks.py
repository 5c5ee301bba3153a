"""Configurations of the neural networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class AutoencoderConfig(SystemConfig):
    """The paper's autoencoder (section III-A): one rating withheld, loss on it alone.

    The optimiser is Adam (the paper names none). In the two layers with a row for each item it
    changes only the rows of the items in the batch, like torch's SparseAdam.
    """

    implementation: ClassVar = "recommender.core.algorithms.autoencoder.model:Autoencoder"
    is_network: ClassVar = True
    added: ClassVar = ("output", "classes", "residual_blocks")

    hidden: tuple[int, ...] = (4096, 2048, 1024, 512, 1024, 2048, 4096)  #: widths of ReLU layers
    epochs: int = 30  #: passes over all training ratings
    learning_rate: float = 1e-4  #: of Adam
    #: of the learning rate; "linear" falls to zero over the run
    schedule: Literal["constant", "linear"] = "constant"
    batch_users: int = 256  #: users sampled for one step
    withheld_per_user: int = 4  #: ratings withheld from each of them, one at a time
    loss: Literal["rmse", "mse"] = "rmse"  #: of a batch: root mean squared error in the paper
    #: in and out: raw stars (paper), or the residual of the damped bias
    target: Literal["stars", "residual"] = "stars"
    normalise: bool = False  #: divide a profile's input by the root of its number of ratings
    movie_damping: float = 0.0  #: scale an item of n ratings by n / (n + this), in and out
    dropout: float = 0.0  #: share of hidden values dropped in training, rounded to 1/256
    weight_decay: float = 0.0  #: of Adam, decoupled from the gradient
    l1: float = 0.0  #: adds this times the sum of absolute weights to the loss (paper, Eq. 4)
    l2: float = 0.0  #: adds this times the sum of squared weights (paper, Eq. 2 and 3)
    sparsity: float = 0.0  #: adds this times the mean sum of the bottleneck's values
    unrelated_weight: float = 0.0  #: weight of pulling unrated items to the damped bias (III-A.3)
    unrelated_per_example: int = 1  #: unrated items drawn for each example, if they are pulled
    patience: int = 0  #: stop after this many passes without a better validation error; 0: never
    validation_share: float = 0.1  #: newest share of the ratings, held out if patience > 0
    #: stars, or a probability for each class of ratings, trained by cross-entropy
    output: Literal["stars", "classes"] = "stars"
    #: each level of the scale, or the stars 1 to 5 by rounding half stars up
    classes: Literal["half-stars", "five"] = "half-stars"
    residual_blocks: bool = False  #: hidden layers become blocks of two with a skip connection


@dataclass(frozen=True)
class QueryMLPConfig(AutoencoderConfig):
    """The paper's first network: a profile and a one-hot query in, the query's rating out.

    The paper gives no widths; these are the first half of its autoencoder.
    """

    implementation: ClassVar = "recommender.core.algorithms.query_mlp.model:QueryMLP"

    hidden: tuple[int, ...] = (4096, 2048, 1024, 512)  #: widths of ReLU layers


@dataclass(frozen=True)
class DualAutoencoderConfig(SystemConfig):
    """Autoencoders over both sides of the rating matrix, their predictions averaged.

    They read and predict residuals of the damped bias. The optimiser is Adam.
    """

    implementation: ClassVar = "recommender.core.algorithms.dual_autoencoder.model:DualAutoencoder"
    is_network: ClassVar = True

    dual_members: int = 1  #: networks that read the user's and the item's profile
    item_members: int = 1  #: networks that read the item's profile; users by ridge regression
    hidden: int = 512  #: width of the one hidden layer of each side
    epochs: int = 40  #: passes over all training ratings, each withheld once in every pass
    withheld: tuple[float, float] = (0.1, 0.3)  #: approximate range of the share withheld at once
    learning_rate: float = 2e-3  #: peak learning rate of Adam; it falls to zero along a half cosine
    warmup_steps: int = 10  #: steps over which the learning rate rises
    dual_dropout: float = 0.8  #: share of hidden values dropped in training, dual members
    item_dropout: float = 0.5  #: the same for item members
    penalty: float = 3e-4  #: adds this times the sum of all squared weights to the loss
    ridge: float = 20.0  #: penalty of the regression that reads a profile for an item member
    trust: float = 1.0  #: a profile of n ratings moves the damped bias by n / (n + this)
    #: adds this times the sum of all squared weights, divided by the number of ratings, to the loss
    penalty_per_rating: float = 0.0
    #: users with weights of their own, those with the most ratings, which bounds memory; 0: all
    most_readers: int = 0
