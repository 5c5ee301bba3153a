"""The registry of systems: labels, configurations, presets and run options; never loads torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite, nan
from pathlib import Path
from typing import Any, ClassVar, Literal

from recommender.core.errors import ConfigurationError


@dataclass(frozen=True)
class Progress:
    """How far a run is; ``seconds_left`` and ``loss`` are None while unknown."""

    phase: str
    done: int = 0
    total: int = 0
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None

    @property
    def share(self) -> float | None:
        """The part of the phase that is done, from 0 to 1; None while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None


def ignore_progress(progress: Progress) -> None:
    """The default progress callback."""


@dataclass(frozen=True)
class RunOptions:
    """How to run, as opposed to what to learn. Only ``seed`` is part of a model's identity.

    ``progress`` is called often, so it must be cheap; it may raise ``errors.Cancelled`` to stop.
    ``checkpoint`` is a file that a run writes now and then and resumes from if it exists, at most
    once in ``checkpoint_seconds``, less often if writing is slow. After ``max_seconds`` of
    training a run writes it and stops; the model is then not ``finished_``. ``precision`` is that
    of a network's matrix products: "auto" is bfloat16 on a GPU that supports it. ``version`` of
    the code is stored in the checkpoint.
    """

    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    progress: Callable[[Progress], None] = ignore_progress
    checkpoint: Path | None = None
    checkpoint_seconds: float = 10.0
    max_seconds: float | None = None
    precision: str = "auto"
    version: str = ""


@dataclass(frozen=True)
class BiasConfig:
    """Damped bias: mean + user offset + item offset, each shrunk towards zero."""

    implementation: ClassVar = "recommender.core.algorithms.bias:Bias"

    user_damping: float = 5.0  #: ratings without offset added to each user before averaging
    item_damping: float = 5.0  #: the same for each item


@dataclass(frozen=True)
class PopularityConfig(BiasConfig):
    """The most rated items first; ratings are predicted by the damped bias of these settings."""

    implementation: ClassVar = "recommender.core.algorithms.popularity:Popularity"


@dataclass(frozen=True)
class RandomConfig(BiasConfig):
    """Items in random order; ratings are predicted by the damped bias of these settings."""

    implementation: ClassVar = "recommender.core.algorithms.random_order:RandomOrder"


@dataclass(frozen=True)
class LikedItemsConfig(BiasConfig):
    """What systems share that learn from liked items; they predict the damped bias."""

    liked_from: float = 0.75  #: where liked ratings begin: 0 is the scale's minimum, 1 its maximum


@dataclass(frozen=True)
class EaseConfig(LikedItemsConfig):
    """A linear model of liked items in closed form."""

    implementation: ClassVar = "recommender.core.algorithms.ease:Ease"

    ridge: float = 200.0  #: penalty of the squared weights, Steck's lambda, in ratings
    most_items: int = 20_000  #: refuse to train on more liked items; memory grows with the square


@dataclass(frozen=True)
class ImplicitALSConfig(LikedItemsConfig):
    """Factors of liked items, by alternating least squares."""

    implementation: ClassVar = "recommender.core.algorithms.implicit_als:ImplicitALS"

    factors: int = 64  #: length of the vector of a user or an item
    iterations: int = 15  #: times that all users' and then all items' vectors are computed
    ridge: float = 60.0  #: penalty of the squared length of each vector, in ratings
    alpha: float = 10.0  #: a liked item has the weight 1 + alpha, any other 1


@dataclass(frozen=True)
class UserKNNConfig:
    """User-user neighbours (paper, sections II and IV.B)."""

    implementation: ClassVar = "recommender.core.algorithms.user_knn:UserKNN"

    k: int = 5  #: number of neighbours, most similar first
    similarity: Literal["cosine", "dot", "correlation"] = "cosine"
    over: Literal["full", "common"] = "full"  #: full profiles with zeros, or common items only
    shrinkage: float = 0.0  #: similarities are multiplied by overlap / (overlap + this)
    minimum_overlap: int = 1  #: least number of items that a neighbour shares with the profile
    minimum_similarity: float = 0.0  #: a neighbour's similarity must be above this
    #: the k nearest raters of the item, the k nearest users overall, or all users
    neighbours: Literal["raters", "overall", "all"] = "raters"
    #: of the raters; "mean-with-zeros" for missing ratings; "sum" of similarity times stars
    combine: Literal["mean", "mean-with-zeros", "sum"] = "mean"
    #: what the user's mean is subtracted from
    centre: Literal["nothing", "stars", "everything"] = "nothing"
    #: without any neighbour: the damped bias, or the mean of all ratings
    fallback: Literal["bias", "mean"] = "bias"
    #: a tree is for the nearest "overall" by cosine only
    search: Literal["blocks", "kd-tree", "ball-tree"] = "blocks"


@dataclass(frozen=True)
class ItemKNNConfig:
    """Item-item neighbours (paper, section II): the choices of ``UserKNNConfig`` between items."""

    implementation: ClassVar = "recommender.core.algorithms.item_knn:ItemKNN"

    k: int = 5  #: number of neighbours, most similar first
    similarity: Literal["cosine", "dot", "correlation"] = "cosine"
    over: Literal["full", "common"] = "full"  #: all users with zeros, or those who rated both items
    shrinkage: float = 0.0  #: similarities are multiplied by overlap / (overlap + this)
    minimum_overlap: int = 1  #: least number of users who rated both items
    minimum_similarity: float = 0.0  #: a neighbour's similarity must be above this
    #: the k nearest of the items that the user rated, the k nearest items overall, or all items
    neighbours: Literal["rated", "overall", "all"] = "rated"
    #: of the user's stars for them; "sum" of similarity times stars
    combine: Literal["mean", "sum"] = "mean"
    #: what a mean is subtracted from
    centre: Literal["nothing", "stars", "everything"] = "nothing"
    #: whose mean; "user" makes the centred cosine the adjusted cosine
    mean_of: Literal["item", "user"] = "item"
    #: without any neighbour: the damped bias, or the mean of all ratings
    fallback: Literal["bias", "mean"] = "bias"
    #: most neighbours of an item that a model keeps; 0: all
    stored: int = 1000


KNNConfig = UserKNNConfig | ItemKNNConfig


@dataclass(frozen=True)
class AutoencoderConfig:
    """The paper's autoencoder (section III-A): one rating withheld, loss on it alone.

    The optimiser is Adam (the paper names none). In the two layers with a row for each item it
    changes only the rows of the items in the batch, like torch's SparseAdam.
    """

    implementation: ClassVar = "recommender.core.algorithms.autoencoder.model:Autoencoder"

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


@dataclass(frozen=True)
class DualAutoencoderConfig:
    """Autoencoders over both sides of the rating matrix, their predictions averaged.

    They read and predict residuals of the damped bias. The optimiser is Adam.
    """

    implementation: ClassVar = "recommender.core.algorithms.dual_autoencoder.model:DualAutoencoder"

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


@dataclass(frozen=True)
class System:
    """One recommender of the registry. The first preset is the default.

    The class of a preset's configuration names its ``implementation`` as "module:Class", which is
    imported only where the system runs. Presets may have configurations of different classes.
    """

    name: str
    label: str
    summary: str
    presets: Mapping[str, Any]

    def preset(self, name: str = "") -> tuple[str, Any]:
        """The name and configuration of a preset; the default preset if there is none ``name``."""
        chosen = name if name in self.presets else next(iter(self.presets))
        return chosen, self.presets[chosen]


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(
            name="bias",
            label="Damped bias",
            summary="The mean plus how generous the user and how liked the movie is.",
            presets={"default": BiasConfig()},
        ),
        System(
            name="popularity",
            label="Popularity",
            summary="The movies that most people rated.",
            presets={"default": PopularityConfig()},
        ),
        System(
            name="random",
            label="Random",
            summary="Movies drawn at random, separately for each user.",
            presets={"default": RandomConfig()},
        ),
        System(
            name="ease",
            label="EASE",
            summary="The movies that go best with those the user liked.",
            presets={"default": EaseConfig()},
        ),
        System(
            name="implicit-als",
            label="Implicit ALS",
            summary="Factors of the movies that people liked, whatever stars they gave.",
            presets={"default": ImplicitALSConfig()},
        ),
        System(
            name="user-knn",
            label="User-user KNN",
            summary="What the most similar users who rated the movie gave it.",
            presets={
                # The five nearest raters, which the paper found best (section IV.B).
                "paper": UserKNNConfig(),
                # Section II as printed: S = R R^T, and R_j^T S_i without any normalisation.
                "paper-literal": UserKNNConfig(similarity="dot", neighbours="all", combine="sum"),
                # KNNBasic of Surprise 1.1, user-based with cosine, otherwise its defaults.
                "surprise": UserKNNConfig(k=40, over="common", fallback="mean"),
                # UserKNNScorer of LensKit 2025, explicit feedback, its defaults.
                "lenskit": UserKNNConfig(k=20, centre="everything", minimum_similarity=1e-6),
            },
        ),
        System(
            name="item-knn",
            label="Item-item KNN",
            summary="What the user gave the most similar of the movies that they rated.",
            presets={
                # As "paper" of user-knn: section II with cosine and five neighbours.
                "paper": ItemKNNConfig(),
                # Section II as printed: I = R^T R, and R_i I_j without any normalisation.
                "paper-literal": ItemKNNConfig(similarity="dot", neighbours="all", combine="sum"),
                # KNNBasic of Surprise 1.1, item-based with cosine, otherwise its defaults.
                "surprise": ItemKNNConfig(k=40, over="common", fallback="mean", stored=0),
                # ItemKNNScorer of LensKit 2025, explicit feedback, its defaults.
                "lenskit": ItemKNNConfig(
                    k=20, centre="everything", minimum_similarity=1e-6, stored=0
                ),
            },
        ),
        System(
            name="autoencoder",
            label="Autoencoder",
            summary="A deep network that predicts the one rating withheld from a profile.",
            presets={
                # For small data and CPUs. It reads and predicts residuals of the damped bias,
                # because a small network spends its passes on learning means from raw stars.
                # Damping, dropout and the falling learning rate reduce overfitting, above all to
                # rarely rated items. Chosen on a tenth of the training ratings of ml-100k,
                # ml-latest-small and the demo data.
                "compact": AutoencoderConfig(
                    hidden=(256, 128, 64, 32, 64, 128, 256),
                    epochs=14,
                    learning_rate=2e-3,
                    schedule="linear",
                    batch_users=32,
                    withheld_per_user=32,
                    target="residual",
                    normalise=True,
                    movie_damping=50.0,
                    dropout=0.2,
                ),
                "paper": AutoencoderConfig(),
                # "paper" for millions of ratings, in batches that keep a GPU busy. With 32 ratings
                # withheld from a user at once, reading the profile costs little per example.
                "paper-large": AutoencoderConfig(batch_users=1024, withheld_per_user=32),
                # The most accurate: chosen on a tenth of the training ratings of ml-100k's first
                # official fold (benchmarks/search_tuned.py).
                "tuned": DualAutoencoderConfig(),
            },
        ),
    )
}

#: appended to the name of a preset some of whose fields were changed
CHANGED = ", changed"
#: how the settings of a type are read from text, and what the type is called
PARSERS: dict[type, tuple[Callable[[str], Any], str]] = {
    bool: ({"true": True, "false": False}.__getitem__, "true or false"),
    int: (int, "a whole number"),
    float: (float, "a number"),
}
PRESETS = sorted({preset for system in SYSTEMS.values() for preset in system.presets})


def system(name: str) -> System:
    """The system of that name; ConfigurationError lists the known names."""
    if name not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise ConfigurationError(f"There is no system {name!r}. Choose from: {known}.")
    return SYSTEMS[name]


def config_to_dict(config: Any) -> dict[str, Any]:
    """A configuration as JSON-ready values."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return values


def config_from_dict(name: str, values: Mapping[str, Any]) -> Any:
    """The inverse of ``config_to_dict``; ConfigurationError for a field that ``name`` lacks.

    If presets have configurations of several classes, the first class that has all fields is used.
    """
    kinds = list(dict.fromkeys(type(preset) for preset in system(name).presets.values()))
    unknown = {kind: set(values) - {item.name for item in fields(kind)} for kind in kinds}
    kind = min(kinds, key=lambda kind: len(unknown[kind]))
    if unknown[kind]:
        raise ConfigurationError(f"System {name!r} has no option {sorted(unknown[kind])}.")
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    )


def override(config: Any, **values: Any) -> Any:
    """A copy with these fields changed; fields that the configuration lacks are ignored."""
    known = {item.name for item in fields(config)}
    return replace(config, **{key: value for key, value in values.items() if key in known})


def with_settings(name: str, config: Any, settings: Mapping[str, str]) -> Any:
    """A copy with fields set from text, as typed on a command line; ``name`` is for messages.

    Several numbers are separated by commas: hidden=512,256,512. Raises ConfigurationError for an
    unknown field and for a text that is not a value of the field's type.
    """
    known = {item.name: getattr(config, item.name) for item in fields(config)}
    values = {}
    for key, text in settings.items():
        if key not in known:
            raise ConfigurationError(
                f"System {name!r} has no option {key!r} here. Choose from: {', '.join(known)}."
            )
        values[key] = _value(f"{name}.{key}", text, known[key])
    return replace(config, **values)


def describe_preset(name: str, preset: str, config: Mapping[str, Any]) -> str:
    """The preset's name, followed by the changed fields of the JSON-ready ``config`` if CHANGED."""
    known = preset.removesuffix(CHANGED)
    if known == preset or known not in system(name).presets:
        return preset
    usual = config_to_dict(system(name).presets[known])
    others = {key: value for key, value in config.items() if usual.get(key) != value}
    return ", ".join([known, *(f"{key}={_text(value)}" for key, value in others.items())])


def _text(value: Any) -> str:
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def _value(field: str, text: str, like: Any) -> Any:
    """``text`` as a value of the same type as ``like``."""
    if isinstance(like, str):
        return text
    if isinstance(like, tuple):
        return tuple(_value(field, part.strip(), like[0]) for part in text.split(","))
    parse, kind = PARSERS[type(like)]
    try:
        value = parse(text)
    except (KeyError, ValueError):
        value = nan
    if not isfinite(value):
        raise ConfigurationError(f"{field}={text!r} is not {kind}.")
    return value
