"""Every write of a study, by subject; keyword arguments only, one transaction each."""

from survey.services.cloning import clone_study
from survey.services.joining import begin, join_study, new_ticket, speak_to, token_digest
from survey.services.judging import (
    Extras,
    Outcome,
    confirm_answers,
    mark_shown,
    record_judgment,
)
from survey.services.launching import change_state, launch_study, pilot_study
from survey.services.life import close_study, end_pilot, pause_study, resume_study
from survey.services.preparing import delete_draft, prepare_study, publish_again
from survey.services.responding import respond
from survey.services.returning import come_back, seen
from survey.services.withdrawing import withdraw

__all__ = [
    "Extras",
    "Outcome",
    "begin",
    "change_state",
    "clone_study",
    "close_study",
    "come_back",
    "confirm_answers",
    "delete_draft",
    "end_pilot",
    "join_study",
    "launch_study",
    "mark_shown",
    "new_ticket",
    "pause_study",
    "pilot_study",
    "prepare_study",
    "publish_again",
    "record_judgment",
    "respond",
    "resume_study",
    "seen",
    "speak_to",
    "token_digest",
    "withdraw",
]
