"""The registry of systems: names, labels, configurations, presets, run options; loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

from recommender.core.errors import ConfigurationError


@dataclass(frozen=True)
class Progress:
    """Where a run stands; ``seconds_left`` and ``loss`` are None while unknown."""

    phase: str
    done: int = 0
    total: int = 0
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None


def ignore_progress(progress: Progress) -> None:
    """The default listener."""


@dataclass(frozen=True)
class RunOptions:
    """How to run, as opposed to what to learn; none of it is part of a model's identity but seed.

    ``progress`` is called often (it must be cheap) and may raise ``errors.Cancelled`` to stop.
    ``checkpoint`` is a file that a run writes now and then and resumes from when it is there:
    ``checkpoint_seconds`` after the one before at the earliest, more where writing takes long.
    After ``max_seconds`` of training a run writes it and ends; its model is then not ``finished_``.
    ``precision`` of a network's matrix products: "auto" is bfloat16 on a GPU that has it.
    ``version`` of the code, which a checkpoint tells of every run that learned what it holds.
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
    """Damped bias: mean + user offset + movie offset, each shrunk towards zero."""

    user_damping: float = 5.0  #: imaginary ratings without offset added to each user
    item_damping: float = 5.0  #: the same for each movie


@dataclass(frozen=True)
class UserKNNConfig:
    """User-user neighbours (paper, sections II and IV.B)."""

    k: int = 5  #: how many neighbours, most similar first
    similarity: str = "cosine"  #: "cosine", "dot" or "correlation"
    over: str = "full"  #: whole profiles, a missing rating being zero, or "common" movies only
    shrinkage: float = 0.0  #: similarities times overlap / (overlap + this)
    minimum_overlap: int = 1  #: movies that a neighbour shares with the profile, at least
    minimum_similarity: float = 0.0  #: a neighbour's is above it
    neighbours: str = "raters"  #: the k nearest who rated the movie, "overall", or "all" users
    combine: str = "mean"  #: of raters; "mean-with-zeros" for missing stars; "sum" of s r
    centre: str = "nothing"  #: less the user's mean: "nothing", "stars" only, or "everything"
    fallback: str = "bias"  #: without any neighbour: the damped bias, or the "mean" of all ratings
    search: str = "blocks"  #: of the k nearest overall by cosine: also "kd-tree" or "ball-tree"


@dataclass(frozen=True)
class AutoencoderConfig:
    """The paper's autoencoder (section III-A): one rating withheld, loss on it alone.

    The optimiser is Adam, which the paper leaves open; in the two layers with a row per movie it
    changes only the rows of the movies in the batch (as torch's SparseAdam does).
    """

    hidden: tuple[int, ...] = (4096, 2048, 1024, 512, 1024, 2048, 4096)  #: ReLU layers' widths
    epochs: int = 30  #: passes over all training ratings
    learning_rate: float = 1e-4  #: of Adam
    schedule: str = "constant"  #: of the learning rate; "linear" falls to zero over the run
    batch_users: int = 256  #: users sampled for one step
    withheld_per_user: int = 4  #: ratings withheld, one at a time, from each of them
    loss: str = "rmse"  #: of a batch: its root mean squared error (paper), or "mse"
    target: str = "stars"  #: in and out: raw "stars" (paper) or the damped bias's "residual"
    normalise: bool = False  #: divide a profile's input by the root of its number of ratings
    movie_damping: float = 0.0  #: a movie of n ratings counts n / (n + this), in and out
    dropout: float = 0.0  #: share of hidden values dropped in training, in 256ths
    weight_decay: float = 0.0  #: of Adam, decoupled from the gradient
    l1: float = 0.0  #: times the sum of absolute weights is added to the loss (paper, Eq. 4)
    l2: float = 0.0  #: times the sum of squared weights is added to the loss (paper, Eq. 2 and 3)
    sparsity: float = 0.0  #: times the bottleneck's mean sum of values is added to the loss
    unrelated_weight: float = 0.0  #: of pulling unrated movies to the damped bias (III-A.3)
    unrelated_per_example: int = 1  #: unrated movies drawn for each example, if they are pulled
    patience: int = 0  #: passes without a better validation error before training stops; 0: never
    validation_share: float = 0.1  #: of the ratings, the newest, not learned from if patience > 0


@dataclass(frozen=True)
class DualAutoencoderConfig:
    """Autoencoders over both sides of the rating matrix, their predictions averaged.

    They read and predict what the damped bias leaves over. The optimiser is Adam.
    """

    dual_members: int = 1  #: networks that read both the user's and the movie's profile
    item_members: int = 1  #: networks that read the movie's; its user is a ridge regression
    hidden: int = 512  #: width of the one hidden layer of each side
    epochs: int = 40  #: passes over all training ratings, each withheld once in every pass
    withheld: tuple[float, float] = (0.1, 0.3)  #: about the least and most of the ratings at once
    learning_rate: float = 2e-3  #: of Adam at its height; it falls to zero by half a cosine
    warmup_steps: int = 10  #: steps over which the learning rate rises
    dual_dropout: float = 0.8  #: share of hidden values dropped in training, dual members
    item_dropout: float = 0.5  #: the same of item members
    penalty: float = 3e-4  #: times the sum of all squared weights is added to the loss
    ridge: float = 20.0  #: the same of the regression that reads a profile for an item member
    trust: float = 1.0  #: a profile of n ratings moves the damped bias by n / (n + this)


Config = BiasConfig | UserKNNConfig | AutoencoderConfig | DualAutoencoderConfig


@dataclass(frozen=True)
class System:
    """One recommender of the registry."""

    name: str
    label: str
    summary: str
    implementation: str  #: "module:Class", imported only where the system runs
    #: the same for configurations of another kind than the default preset's
    variants: Mapping[type, str] = field(default_factory=dict)
    presets: Mapping[str, Any] = field(default_factory=dict)
    default_preset: str = ""

    def preset(self, name: str = "") -> tuple[str, Any]:
        """The preset of that name, or this system's own default where it has none such."""
        chosen = name if name in self.presets else self.default_preset
        return chosen, self.presets[chosen]

    def implementation_of(self, config: Any) -> str:
        """What runs such a configuration, as "module:Class"; None is the default preset's."""
        return self.variants.get(type(config), self.implementation)


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(
            name="bias",
            label="Damped bias",
            summary="The mean plus how generous the user and how liked the movie is.",
            implementation="recommender.core.algorithms.bias:Bias",
            presets={"default": BiasConfig()},
            default_preset="default",
        ),
        System(
            name="user-knn",
            label="User-user KNN",
            summary="What the most similar users who rated the movie gave it.",
            implementation="recommender.core.algorithms.user_knn:UserKNN",
            presets={
                # The five nearest raters, which the paper found best (section IV.B).
                "paper": UserKNNConfig(),
                # Section II as printed: S = R R^T, and R_j^T S_i without dividing by anything.
                "paper-literal": UserKNNConfig(similarity="dot", neighbours="all", combine="sum"),
                # KNNBasic of Surprise 1.1, user-based with cosine, otherwise its defaults.
                "surprise": UserKNNConfig(k=40, over="common", fallback="mean"),
                # UserKNNScorer of LensKit 2025, explicit feedback, its defaults.
                "lenskit": UserKNNConfig(k=20, centre="everything", minimum_similarity=1e-6),
            },
            default_preset="paper",
        ),
        System(
            name="autoencoder",
            label="Autoencoder",
            summary="A deep network that predicts the one rating withheld from a profile.",
            implementation="recommender.core.algorithms.autoencoder:Autoencoder",
            variants={
                DualAutoencoderConfig: (
                    "recommender.core.algorithms.dual_autoencoder:DualAutoencoder"
                )
            },
            presets={
                # For small data and CPUs. It reads and predicts what the damped bias leaves over:
                # on raw stars a small network spends its passes on learning means. Damping,
                # dropout and the falling rate keep it from learning by heart, above all what it
                # reads of rarely rated movies. Chosen on a tenth of the training ratings of
                # ml-100k, ml-latest-small and the demo data.
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
                # The same for millions of ratings: batches that keep a GPU busy. With 32 ratings
                # withheld at once, reading a profile costs an example little.
                "paper-large": AutoencoderConfig(batch_users=1024, withheld_per_user=32),
                # The most accurate: chosen on a tenth of the training ratings of ml-100k's first
                # official fold (benchmarks/search_tuned.py).
                "tuned": DualAutoencoderConfig(),
            },
            default_preset="compact",
        ),
    )
}

#: after the name of a preset: some of its fields were set otherwise
CHANGED = ", changed"
PRESETS = sorted({preset for system in SYSTEMS.values() for preset in system.presets})


def system(name: str) -> System:
    """The system of that name; ConfigurationError lists the names there are."""
    if name not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise ConfigurationError(f"There is no system {name!r}. Choose from: {known}.")
    return SYSTEMS[name]


def config_to_dict(config: Any) -> dict[str, Any]:
    """A configuration as JSON-ready values."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(config).items()
    }


def config_from_dict(name: str, values: Mapping[str, Any]) -> Any:
    """The configuration of system ``name`` with these values; unknown fields are an error.

    Its kind is the one that has all the fields, the default preset's where several have.
    """
    found = system(name)
    kinds = [type(found.preset()[1]), *found.variants]
    unknown = {kind: set(values) - {item.name for item in fields(kind)} for kind in kinds}
    kind = min(kinds, key=lambda kind: len(unknown[kind]))
    if unknown[kind]:
        raise ConfigurationError(f"System {name!r} has no option {sorted(unknown[kind])}.")
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    )


def override(config: Any, **values: Any) -> Any:
    """A copy with the given fields changed, ignoring those the configuration does not have."""
    known = {item.name for item in fields(config)}
    return replace(config, **{key: value for key, value in values.items() if key in known})


def with_settings(name: str, config: Any, settings: Mapping[str, str]) -> Any:
    """A copy of system ``name``'s configuration with fields set from text, as a person writes them.

    Numbers of a field that holds several are parted by commas: hidden=512,256,512.
    ConfigurationError for an unknown field and for a text that is none of its values.
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


def preset_in_words(name: str, preset: str, config: Mapping[str, Any]) -> str:
    """The name of a preset, with what a JSON-ready configuration has otherwise if it is CHANGED."""
    known = preset.removesuffix(CHANGED)
    if known == preset or known not in system(name).presets:
        return preset
    usual = config_to_dict(system(name).presets[known])
    others = {key: value for key, value in config.items() if usual.get(key) != value}
    return ", ".join([known, *(f"{key}={_text(value)}" for key, value in others.items())])


def _text(value: Any) -> str:
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def _value(words: str, text: str, like: Any) -> Any:
    """``text`` as a value of the same kind as ``like``."""
    if isinstance(like, str):
        return text
    if isinstance(like, tuple):
        parts = [_value(words, part.strip(), like[0]) for part in text.split(",")]
        return tuple(parts)
    if isinstance(like, bool):
        if text not in ("true", "false"):
            raise ConfigurationError(f"{words}={text!r} is neither true nor false.")
        return text == "true"
    kind, name = (int, "a whole number") if isinstance(like, int) else (float, "a number")
    try:
        value = kind(text)
    except ValueError:
        raise ConfigurationError(f"{words}={text!r} is not {name}.") from None
    if not isfinite(value):
        raise ConfigurationError(f"{words}={text!r} is not {name}.")
    return value
