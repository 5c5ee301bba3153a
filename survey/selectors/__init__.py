"""What pages and exports show of a study, as frozen dataclasses; reads only."""

from survey.profiles import Card, Profile, ProfileMovie, StarGroup
from survey.selectors.checklist import Check, Checklist, checklist
from survey.selectors.design import design, design_hash, digest
from survey.selectors.judging import QuestionPage, places_left, question_page
from survey.selectors.results import ArmResult, LossCurve, Results, results
from survey.selectors.studies import StudyLine, model_for_arm, study_list
from survey.stats.intervals import Proportion

__all__ = [
    "ArmResult",
    "Card",
    "Check",
    "Checklist",
    "LossCurve",
    "Profile",
    "ProfileMovie",
    "Proportion",
    "QuestionPage",
    "Results",
    "StarGroup",
    "StudyLine",
    "checklist",
    "design",
    "design_hash",
    "digest",
    "model_for_arm",
    "places_left",
    "question_page",
    "results",
    "study_list",
]
