"""Which questions a draft would have: its pool walked through in the order drawn; reads only."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.models import Job, Recommendation
from recommender.selectors import recommendations_for
from survey.models import Arm, Study


@dataclass(frozen=True)
class Drawing:
    """``kept`` are users with the recommendation of each arm, ``agreements`` those passed over."""

    kept: list[tuple[int, Recommendation, Recommendation]]
    tried: int
    agreements: int


@dataclass(frozen=True)
class Published:
    """What an arm recommends to each profile of the pool; ``problem`` says why some are missing.

    ``pending``: a job is at it, or waits for a worker.
    """

    found: dict[int, Recommendation]
    problem: str = ""
    pending: bool = False


def published(study: Study, arm: Arm) -> Published:
    found = recommendations_for(trained_model=arm.trained_model, users=study.profile_pool)
    missing = len(study.profile_pool) - len(found)
    job = arm.publish_job
    if not missing or (job is not None and job.status == Job.Status.DONE):
        # After the job, one who rated everything has no recommendation and is passed over.
        return Published(found)
    if job is not None and job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
        return Published(
            found,
            f"The recommendations of {arm.label} could not be made: "
            f"{job.error or 'the job was cancelled.'} "
            f"Mend that; 'launch_study {study.slug}' then tries again.",
        )
    return Published(
        found,
        f"{missing} of {len(study.profile_pool)} recommendations of {arm.label} are still to be "
        "made. Start a worker if there is none, wait, then launch again.",
        pending=job is not None,
    )


def draw(study: Study, first: Published, second: Published) -> Drawing:
    """Take profiles in the order drawn, without agreements, until there are enough questions."""
    kept: list[tuple[int, Recommendation, Recommendation]] = []
    tried = agreements = 0
    for user in study.profile_pool:
        if len(kept) == study.n_profiles:
            break
        tried += 1
        one, two = first.found.get(user), second.found.get(user)
        if one is None or two is None:
            continue
        if one.movie_id == two.movie_id:
            agreements += 1
        else:
            kept.append((user, one, two))
    return Drawing(kept, tried, agreements)
