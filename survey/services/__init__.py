"""Every write of a study, by subject; keyword arguments only, one transaction each."""

from survey.services.cloning import clone_study
from survey.services.judging import (
    Outcome,
    begin,
    join_study,
    mark_shown,
    new_ticket,
    record_judgment,
    token_digest,
)
from survey.services.launching import change_state, launch_study, pilot_study
from survey.services.life import close_study, end_pilot, pause_study, resume_study
from survey.services.preparing import delete_draft, prepare_study, publish_again

__all__ = [
    "Outcome",
    "begin",
    "change_state",
    "clone_study",
    "close_study",
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
    "resume_study",
    "token_digest",
]
