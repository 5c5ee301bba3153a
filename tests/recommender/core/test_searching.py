"""The settings that a search proposes."""

import pytest

from recommender.core.configs.spaces import Span
from recommender.core.searching import Trial, best_trial, propose_settings

SPACE = {
    "k": Span(1, 100, log=True),
    "ridge": Span(0.0, 1.0),
    "similarity": ("cosine", "correlation"),
}


def search(n_trials: int, seed: int = 0) -> list[Trial]:
    """A search for k = 10 and cosine, whose first trial is a preset."""
    trials = [Trial({}, 9.0)]
    while len(trials) < n_trials:
        found = propose_settings(SPACE, trials, seed)
        loss = abs(found["k"] - 10) + (found["similarity"] != "cosine")
        trials.append(Trial(found, float(loss)))
    return trials


def test_proposals_lie_in_the_space():
    for trial in search(12)[1:]:
        assert isinstance(trial.settings["k"], int)
        assert 1 <= trial.settings["k"] <= 100
        assert 0 <= trial.settings["ridge"] <= 1
        assert trial.settings["similarity"] in SPACE["similarity"]


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been():
    trials = search(9)
    again = propose_settings(SPACE, trials[:8], seed=0)
    assert again == dict(trials[8].settings)


def test_another_seed_proposes_other_settings():
    assert search(3, seed=0) != search(3, seed=1)


def test_a_search_comes_close_to_the_best_settings():
    trials = search(30)
    assert trials[best_trial(trials)].loss <= 2


def test_a_trial_that_could_not_be_trained_is_never_the_best():
    assert best_trial([Trial({}, None), Trial({}, 2.0), Trial({}, 1.0), Trial({}, 1.0)]) == 2
    assert best_trial([Trial({}, None)]) is None
    assert propose_settings(SPACE, [Trial({"k": 3, "ridge": 0.5, "similarity": "cosine"}, None)], 0)


@pytest.mark.parametrize(("low", "high", "whole"), [(1, 9, True), (1.0, 9.0, False)])
def test_whole_ends_give_whole_numbers(low, high, whole):
    assert Span(low, high).is_whole == whole
