"""Draws the questions of a draft from its pool of profiles; reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from recommender.core.duplicates import duplicate_key
from recommender.models import Item, Job, Recommendation
from recommender.selectors import recommendations_for
from survey import pairing
from survey.models import Arm, Question, Study, UploadedRecommendation

#: What an arm recommends for one profile.
AnyRecommendation = Recommendation | UploadedRecommendation
#: Databases limit the number of values in a query.
USERS_A_QUERY = 500


@dataclass(frozen=True)
class Drawing:
    """The ``kept`` questions, without their profiles, on ``profiles`` profiles out of ``tried``.

    ``agreements`` counts the pairs of arms that named the same item on a tried profile, or two
    items with the same title and year.
    """

    kept: list[Question]
    profiles: int
    tried: int
    agreements: int


@dataclass(frozen=True)
class PublishedRecommendations:
    """What an arm recommends for each profile of the pool; ``problem`` explains missing ones.

    ``is_pending`` means that a job is running or waiting for a worker.
    """

    found: Mapping[int, AnyRecommendation]
    problem: str = ""
    is_pending: bool = False


def all_published(study: Study, arm: Arm) -> bool:
    """Whether a trained arm has a recommendation for every profile; cheap enough to poll.

    The copy of a study finds the recommendations of the original, whatever its own job does.
    """
    users = arm.model.recommendations.filter(rank=1).values_list("user", flat=True)
    return set(study.profile_pool) <= set(users)


def published_recommendations(study: Study, arm: Arm) -> PublishedRecommendations:
    if arm.trained_model_id is None:
        return PublishedRecommendations(first_uploaded(arm, study.profile_pool))
    found = recommendations_for(trained_model=arm.model, users=study.profile_pool)
    missing = len(study.profile_pool) - len(found)
    job = arm.publish_job
    if not missing or (job is not None and job.status == Job.Status.DONE):
        # Once the job is done, a user without a recommendation has rated everything: skip them.
        return PublishedRecommendations(found)
    if job is not None and job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
        return PublishedRecommendations(
            found,
            f"The recommendations of {arm.label} could not be made: "
            f"{job.error or 'the job was cancelled.'} "
            f"Fix that; 'launch_study {study.slug}' then tries again.",
        )
    return PublishedRecommendations(
        found,
        f"{missing} of {len(study.profile_pool)} recommendations of {arm.label} are still to be "
        "made. Start a worker if there is none, wait, then launch again.",
        is_pending=job is not None,
    )


def first_uploaded(arm: Arm, users: Sequence[int]) -> dict[int, UploadedRecommendation]:
    """An uploaded arm's first recommendation for each of these users that has one."""
    found = {}
    for start in range(0, len(users), USERS_A_QUERY):
        rows = arm.uploaded.filter(rank=1, user__in=users[start : start + USERS_A_QUERY])
        found.update({row.user: row for row in rows.select_related("item")})
    return found


def draw_questions(study: Study, sources: Mapping[Arm, PublishedRecommendations]) -> Drawing:
    """Take profiles in pool order until ``n_profiles`` of them have a question.

    Two arms that name the same item, or items that look the same, make no question. With more than
    two arms, a profile has a question for every other pair or, with ``balanced`` pairs, for one
    pair asked least so far.
    """
    pairs = list(combinations(sources, 2))
    asked = [0] * len(pairs)
    rng = pairing.generator(study.seed, pairing.Stream.PAIRS)
    kept: list[Question] = []
    profiles = tried = agreements = 0
    for user in study.profile_pool:
        if profiles == study.n_profiles:
            break
        tried += 1
        possible = []
        for place, arms in enumerate(pairs):
            first, second = (sources[arm].found.get(user) for arm in arms)
            if first is None or second is None:
                continue
            if _look_same(first.item, second.item):
                agreements += 1
            else:
                possible.append(place)
        if study.pairs == "balanced":
            chosen = pairing.pick_pair(asked, possible, rng)
            possible = [] if chosen is None else [chosen]
        for place in possible:
            asked[place] += 1
            first_arm, second_arm = pairs[place]
            kept.append(
                Question(
                    study=study,
                    number=len(kept) + 1,
                    user=user,
                    first_arm=first_arm,
                    first_item=sources[first_arm].found[user].item,
                    second_arm=second_arm,
                    second_item=sources[second_arm].found[user].item,
                )
            )
        profiles += bool(possible)
    return Drawing(kept, profiles, tried, agreements)


def _look_same(first: Item, second: Item) -> bool:
    return duplicate_key(first.title, first.year) == duplicate_key(second.title, second.year)
