"""The registry of systems: their labels, summaries and presets; never loads torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite, nan
from typing import Any

from recommender.core.configs.blend import BlendConfig
from recommender.core.configs.factors import (
    BayesFMConfig,
    BiasedALSConfig,
    SVDConfig,
    SVDppConfig,
    TimeSVDppConfig,
)
from recommender.core.configs.liked_items import EaseConfig, ImplicitALSConfig
from recommender.core.configs.neighbours import ItemKNNConfig, UserKNNConfig
from recommender.core.configs.networks import (
    AutoencoderConfig,
    DualAutoencoderConfig,
    QueryMLPConfig,
)
from recommender.core.configs.probabilistic import NPMFConfig
from recommender.core.configs.side import CMFConfig, MoodMFConfig, MudRecSConfig
from recommender.core.configs.simple import BiasConfig, PopularityConfig, RandomConfig
from recommender.core.errors import ConfigurationError


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


#: For small data and CPUs. It reads and predicts residuals of the damped bias, because a small
#: network spends its passes on learning means from raw stars. Damping, dropout and the falling
#: learning rate reduce overfitting, above all to rarely rated items. Chosen on a tenth of the
#: training ratings of ml-100k, ml-latest-small and the demo data.
COMPACT = AutoencoderConfig(
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
)
#: The same for the query network, which memorises more. Widths, passes and dropout were chosen on
#: a tenth of the training ratings of ml-100k's first official fold.
QUERY = QueryMLPConfig(**asdict(COMPACT) | {"hidden": (128, 64), "epochs": 8, "dropout": 0.5})

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
            name="npmf",
            label="NPMF",
            summary="A normal distribution over all movies, given the stars of the profile.",
            presets={"default": NPMFConfig()},
        ),
        System(
            name="cmf",
            label="Collective matrix factorisation",
            summary="Factors that explain the stars and the genres of a movie together.",
            presets={
                "default": CMFConfig(),
                "people": CMFConfig(relations=("genres", "people")),
            },
        ),
        System(
            name="mood-mf",
            label="Mood factorisation",
            summary="Factors in which movies of a similar mood are close to each other.",
            presets={"tags": MoodMFConfig(), "genome": MoodMFConfig(source="genome")},
        ),
        System(
            name="mudrecs",
            label="MudRecS-style (our reconstruction)",
            summary="The stars that the user gave to movies with similar genres, people and words.",
            presets={
                "strict": MudRecSConfig(),
                "regression": MudRecSConfig(estimate="regression"),
            },
        ),
        System(
            name="svd",
            label="SVD",
            summary="Biases and factors of users and movies, learned rating by rating.",
            presets={
                "default": SVDConfig(),
                # SVD of Surprise 1.1, its defaults.
                "surprise": SVDConfig(epochs=20, ridge=0.02),
            },
        ),
        System(
            name="svdpp",
            label="SVD++",
            summary="SVD that also learns from which movies a user rated.",
            presets={
                "default": SVDppConfig(),
                # SVDpp of Surprise 1.1, its defaults.
                "surprise": SVDppConfig(factors=20, epochs=20, learning_rate=0.007, ridge=0.02),
            },
        ),
        System(
            name="timesvdpp",
            label="timeSVD++",
            summary="SVD++ whose users and movies change with the date of a rating.",
            presets={"default": TimeSVDppConfig()},
        ),
        System(
            name="biased-als",
            label="Biased ALS",
            summary="Factors of what the damped bias leaves over, each computed exactly in turn.",
            presets={"default": BiasedALSConfig()},
        ),
        System(
            name="autoencoder",
            label="Autoencoder",
            summary="A deep network that predicts the one rating withheld from a profile.",
            presets={
                "compact": COMPACT,
                "paper": AutoencoderConfig(),
                # "paper" for millions of ratings, in batches that keep a GPU busy. With 32 ratings
                # withheld from a user at once, reading the profile costs little per example.
                "paper-large": AutoencoderConfig(batch_users=1024, withheld_per_user=32),
                # Variants that section III-A.1 names without widths or settings. Class outputs
                # overfit sooner, so they have fewer passes and more dropout.
                "classes": replace(COMPACT, output="classes", epochs=6, dropout=0.4),
                "residual": replace(COMPACT, residual_blocks=True),
            },
        ),
        System(
            name="dual-autoencoder",
            label="Dual autoencoder",
            summary="Shallow networks that read the profiles of users and of movies.",
            presets={
                # As "tuned" on ml-100k, in units that carry over to more ratings
                # (benchmarks/recipe_scale.py).
                "default": DualAutoencoderConfig(
                    penalty=0.0, penalty_per_rating=24.0, most_readers=50_000
                ),
                # Chosen on a tenth of the training ratings of ml-100k's first official fold
                # (benchmarks/search_tuned.py). With more ratings its penalty is too strong.
                "tuned": DualAutoencoderConfig(),
            },
        ),
        System(
            name="query-mlp",
            label="Query network",
            summary="A deep network that is asked for one movie at a time.",
            presets={
                "compact": QUERY,
                "paper": QueryMLPConfig(),
                "classes": replace(QUERY, output="classes"),
            },
        ),
        System(
            name="bayes-fm",
            label="Bayesian FM",
            summary="Factors of users, movies and who rated what, averaged over many draws.",
            presets={"default": BayesFMConfig(), "dates": BayesFMConfig(dates=True)},
        ),
        System(
            name="blend",
            label="Blend",
            summary="A weighted sum of the predictions of several systems.",
            presets={
                "default": BlendConfig(("dual-autoencoder:tuned", "bayes-fm:default")),
                # Needs time stamps.
                "dates": BlendConfig(("dual-autoencoder:tuned", "bayes-fm:dates")),
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
#: the preset that tune_models finds, for one data set and split
SEARCHED = "searched"
PRESETS = sorted({SEARCHED, *(preset for system in SYSTEMS.values() for preset in system.presets)})
#: presets that are systems of their own now. Stored models keep the former name of their system,
#: because it is part of the design of frozen studies.
MOVED = {("autoencoder", "tuned"): "dual-autoencoder"}


def system(name: str) -> System:
    """The system of that name; ConfigurationError lists the known names."""
    if name not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise ConfigurationError(f"There is no system {name!r}. Choose from: {known}.")
    return SYSTEMS[name]


def present_name(name: str, preset: str) -> str:
    """What the system of that preset, perhaps ``CHANGED``, is called now."""
    return MOVED.get((name, preset.removesuffix(CHANGED)), name)


def member_config(member: str) -> Any:
    """The configuration that "system:preset" names; ConfigurationError if there is none."""
    name, _, preset = member.partition(":")
    name = present_name(name, preset)
    presets = system(name).presets
    if preset not in presets:
        raise ConfigurationError(
            f"{member!r} names no preset of {name}. Write it as SYSTEM:PRESET, with one of: "
            f"{', '.join(presets)}."
        )
    return presets[preset]


BlendConfig.config_of = member_config


def config_to_dict(config: Any) -> dict[str, Any]:
    """A configuration as JSON-ready values, without ``added`` fields that have their default.

    So a training that an earlier version of the code began is recognised as the same.
    """
    values: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    usual = _added_defaults(config)
    return {key: value for key, value in values.items() if key not in usual or value != usual[key]}


def config_from_dict(name: str, values: Mapping[str, Any]) -> Any:
    """The inverse of ``config_to_dict``; ConfigurationError for a field that ``name`` lacks.

    If presets, including those that moved to another system, have configurations of several
    classes, the first class that has all fields is used.
    """
    moved = [system(new).presets[preset] for (old, preset), new in MOVED.items() if old == name]
    kinds = list(dict.fromkeys(map(type, [*system(name).presets.values(), *moved])))
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
    plain = system(name).presets[known]
    added = _added_defaults(plain)
    usual = added | config_to_dict(plain)
    others = {
        key: value for key, value in (added | dict(config)).items() if usual.get(key) != value
    }
    return ", ".join([known, *(f"{key}={_text(value)}" for key, value in others.items())])


def _added_defaults(config: Any) -> dict[str, Any]:
    """The default values of the ``added`` fields of a configuration."""
    return {item.name: item.default for item in fields(config) if item.name in config.added}


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
