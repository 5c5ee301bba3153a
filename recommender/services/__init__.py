"""Every write to the tables of this app, by subject; each service is one transaction."""

from recommender.services.claims import (
    Claim,
    LostClaim,
    claim,
    discard,
    end_cancelled,
    fail,
    finish,
    heartbeat,
    new_owner,
    release,
)
from recommender.services.importing import register_dataset
from recommender.services.publishing import (
    keep_evaluation,
    keep_recommendations,
    keep_trained_model,
)
from recommender.services.reconciling import (
    drop_message,
    forget_worker,
    reconcile,
    see_worker,
    sweep,
)
from recommender.services.submitting import (
    PRECISIONS,
    cancel,
    first_claim,
    submit,
    submit_evaluation,
    submit_publish,
    submit_training,
)

__all__ = [
    "PRECISIONS",
    "Claim",
    "LostClaim",
    "cancel",
    "claim",
    "discard",
    "drop_message",
    "end_cancelled",
    "fail",
    "finish",
    "first_claim",
    "forget_worker",
    "heartbeat",
    "keep_evaluation",
    "keep_recommendations",
    "keep_trained_model",
    "new_owner",
    "reconcile",
    "register_dataset",
    "release",
    "see_worker",
    "submit",
    "submit_evaluation",
    "submit_publish",
    "submit_training",
    "sweep",
]
