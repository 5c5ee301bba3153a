"""Proposes the settings of the next trial of a search, from the trials so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommender.core.configs.spaces import Space, Span, Value

RANDOM_TRIALS = 5  #: drawn at random before the search follows what it found


@dataclass(frozen=True)
class Trial:
    """Settings that were tried; ``loss`` is to be small, None if they could not be trained."""

    settings: Mapping[str, Value]
    loss: float | None


def propose_settings(space: Space, trials: Sequence[Trial], seed: int) -> dict[str, Any]:
    """Settings from ``space`` for the next trial, by a tree-structured Parzen estimator.

    Bergstra, Bardenet, Bengio & Kegl, NIPS 2011, as implemented by Optuna. The same space, trials
    and seed give the same settings, so that a search that was interrupted goes on as if it had
    not been. Trials with settings outside the space, such as those of a preset, are ignored.
    """
    import optuna  # only here: it takes a second

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ranges = {name: _distribution(optuna, span) for name, span in space.items()}
    sampler = optuna.samplers.TPESampler(
        seed=(seed * 1_000_003 + len(trials)) % 2**32, n_startup_trials=RANDOM_TRIALS
    )
    study = optuna.create_study(sampler=sampler)
    for trial in trials:
        if trial.settings.keys() != ranges.keys():
            continue
        ended = optuna.trial.TrialState
        study.add_trial(
            optuna.trial.create_trial(
                state=ended.FAIL if trial.loss is None else ended.COMPLETE,
                params=dict(trial.settings),
                distributions=ranges,
                value=trial.loss,
            )
        )
    return dict(study.ask(ranges).params)


def best_trial(trials: Sequence[Trial]) -> int | None:
    """The position of the first trial with the least loss; None if none could be trained."""
    known = [(trial.loss, number) for number, trial in enumerate(trials) if trial.loss is not None]
    return min(known)[1] if known else None


def _distribution(optuna: Any, span: Span | tuple[Value, ...]) -> Any:
    if isinstance(span, tuple):
        return optuna.distributions.CategoricalDistribution(span)
    if span.is_whole:
        return optuna.distributions.IntDistribution(int(span.low), int(span.high), log=span.log)
    return optuna.distributions.FloatDistribution(span.low, span.high, log=span.log)
