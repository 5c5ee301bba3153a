"""What may exist of studies, people and answers; constraints live here, not in forms."""

from survey.models.answers import Assignment, Judgment, JudgmentRevision
from survey.models.people import Appraiser, Invitation, PastOutcome, Response, Withdrawal
from survey.models.studies import (
    TEXTS,
    TRANSITIONS,
    Arm,
    Question,
    Study,
    StudyEvent,
    UploadedRecommendation,
    is_past_last_day,
)
