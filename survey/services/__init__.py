"""Every write of a study, by subject; keyword arguments only, one transaction each."""

from survey.services.judging import (
    Outcome,
    begin,
    join_study,
    mark_shown,
    record_judgment,
    token_digest,
)
from survey.services.launching import close_study, launch_study
from survey.services.preparing import prepare_study, publish_again

__all__ = [
    "Outcome",
    "begin",
    "close_study",
    "join_study",
    "launch_study",
    "mark_shown",
    "prepare_study",
    "publish_again",
    "record_judgment",
    "token_digest",
]
