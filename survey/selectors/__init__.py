"""What pages and exports show of a study, as frozen dataclasses; reads only."""

from survey.profiles import Card, Profile, ProfileMovie, StarGroup
from survey.selectors.checklist import Check, Checklist, checklist
from survey.selectors.design import design, design_hash, digest
from survey.selectors.judging import (
    OwnAnswer,
    QuestionPage,
    answers_listed,
    changeable,
    own_answers,
    question_page,
    question_profile,
    shown_digest,
)
from survey.selectors.places import places_left
from survey.selectors.results import ArmResult, LossCurve, Results, results
from survey.selectors.studies import StudyLine, model_for_arm, study_list
from survey.stats.intervals import Proportion

__all__ = [
    "ArmResult",
    "Card",
    "Check",
    "Checklist",
    "LossCurve",
    "OwnAnswer",
    "Profile",
    "ProfileMovie",
    "Proportion",
    "QuestionPage",
    "Results",
    "StarGroup",
    "StudyLine",
    "answers_listed",
    "changeable",
    "checklist",
    "design",
    "design_hash",
    "digest",
    "model_for_arm",
    "own_answers",
    "places_left",
    "question_page",
    "question_profile",
    "results",
    "shown_digest",
    "study_list",
]
