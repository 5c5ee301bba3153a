"""Every write to the tables of this app, by subject; each service is one transaction."""

from recommender.services.claims import (
    Claim,
    LostClaim,
    claim,
    end_cancelled,
    fail,
    finish,
    heartbeat,
    release,
)
from recommender.services.publishing import (
    keep_evaluation,
    keep_recommendations,
    keep_trained_model,
)
from recommender.services.reconciling import forget_worker, reconcile, see_worker, sweep
from recommender.services.submitting import (
    cancel,
    submit,
    submit_evaluation,
    submit_publish,
    submit_training,
)

__all__ = [
    "Claim",
    "LostClaim",
    "cancel",
    "claim",
    "end_cancelled",
    "fail",
    "finish",
    "forget_worker",
    "heartbeat",
    "keep_evaluation",
    "keep_recommendations",
    "keep_trained_model",
    "reconcile",
    "release",
    "see_worker",
    "submit",
    "submit_evaluation",
    "submit_publish",
    "submit_training",
    "sweep",
]
