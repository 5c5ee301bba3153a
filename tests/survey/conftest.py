"""Studies that several test modules use."""

import pytest

from tests.factories import StudyFactory


@pytest.fixture
def small(db):
    """Four appraisers with six questions each, on eight profiles: three of each question."""
    return StudyFactory(n_profiles=8, questions_per_appraiser=6, quota=4)


@pytest.fixture
def mixed(db):
    """Eight questions that count, beside two to practise, two checks and three repeats."""
    return StudyFactory(
        n_profiles=16,
        questions_per_appraiser=8,
        quota=6,
        n_practice=2,
        n_checks=2,
        checks_to_pass=2,
        n_repeats=3,
    )
