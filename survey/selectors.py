"""What pages and exports show of a study, as frozen dataclasses; reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from survey.models import Appraiser, Study
from survey.profiles import Card, Profile, ProfileMovie, StarGroup
from survey.stats.intervals import Proportion

__all__ = [
    "ArmResult",
    "Card",
    "LossCurve",
    "Profile",
    "ProfileMovie",
    "Proportion",
    "QuestionPage",
    "Results",
    "StarGroup",
    "StudyLine",
    "places_left",
    "question_page",
    "results",
    "study_list",
]


@dataclass(frozen=True)
class QuestionPage:
    """The question an appraiser has to answer next; nothing in it tells one arm from the other.

    ``assignment_key`` is what the form sends back as ``assignment``; ``number`` counts from 1.
    """

    assignment_key: str
    number: int
    total: int
    profile: Profile
    left: Card
    right: Card


@dataclass(frozen=True)
class StudyLine:
    """A study in the researchers' list; judgments and appraisers are those of kind real."""

    slug: str
    title: str
    status: str
    dataset: str
    n_questions: int
    n_judgments: int
    n_appraisers: int
    n_finished: int
    n_simulated_judgments: int
    quota: int
    created_at: datetime
    launched_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class ArmResult:
    """How one arm fared with the appraisers of one kind.

    ``rate`` is ``wins / judged`` with its exact 95 % interval ``low`` to ``high`` (None without
    judgments; assumes independent judgments). ``shown_left`` counts the judged questions in which
    the arm stood left, ``chosen_left`` those of them in which it was chosen. ``tied_share`` is
    the share of the ``profiles_compared`` in which several movies shared the arm's top score,
    and ``tied_median`` the median number of movies that did, among those profiles (None without).
    """

    label: str
    system: str
    system_label: str
    preset: str
    wins: int
    judged: int
    rate: float | None
    low: float | None
    high: float | None
    shown_left: int
    chosen_left: int
    profiles_compared: int
    tied_share: float | None
    tied_median: float | None


@dataclass(frozen=True)
class LossCurve:
    """The paper's Figure 4 for one arm: ``points`` are (examples seen, training RMSE)."""

    label: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Results:
    """Everything the results page shows of the appraisers of one kind; kinds are never mixed.

    ``kinds`` maps every appraiser kind to its number of judgments. ``arms`` keep the study's
    order; ``leader`` is the one chosen more often (None while undecided or without judgments).
    ``p_value`` is the exact two-sided binomial test against 50 % (None without judgments).
    ``side_balance`` is how often the left recommendation was chosen. ``error_table`` are the rows
    of ``recommender.selectors.leaderboard`` with the arm's ``label`` added.
    """

    study: Study
    kind: str
    kinds: dict[str, int]
    n_judgments: int
    n_appraisers: int
    n_finished: int
    n_questions: int
    n_questions_judged: int
    arms: list[ArmResult]
    p_value: float | None
    side_balance: Proportion | None
    agreements: int
    profiles_tried: int
    error_table: list[dict[str, Any]]
    loss_curves: list[LossCurve] = field(default_factory=list)
    first_answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    confidence: float = 0.95

    @property
    def leader(self) -> ArmResult | None:
        ranked = sorted(self.arms, key=lambda arm: arm.wins, reverse=True)
        if len(ranked) < 2 or ranked[0].wins == ranked[1].wins:
            return None
        return ranked[0]


def question_page(appraiser: Appraiser) -> QuestionPage | None:
    """The first question without an answer, or None when all are answered."""
    raise NotImplementedError


def places_left(study: Study) -> int:
    """How many appraisers of kind real may still join."""
    raise NotImplementedError


def study_list() -> list[StudyLine]:
    """Every study, newest first."""
    raise NotImplementedError


def results(study: Study, *, kind: str) -> Results:
    """The results of the appraisers of one kind; a constant number of queries."""
    raise NotImplementedError
