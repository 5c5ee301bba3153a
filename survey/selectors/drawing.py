"""Which questions a draft would have: its pool walked through in the order drawn; reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from recommender.models import Job, Recommendation
from recommender.selectors import recommendations_for
from survey import pairing
from survey.models import Arm, Study, UploadedRecommendation

#: What an arm recommends to one profile.
Named = Recommendation | UploadedRecommendation
#: Databases limit the number of values in a query.
USERS_A_QUERY = 500


@dataclass(frozen=True)
class Drawn:
    """One question: a user and what two arms recommend; ``arms`` are their places in the study."""

    user: int
    arms: tuple[int, int]
    first: Named
    second: Named


@dataclass(frozen=True)
class Drawing:
    """``kept`` are the questions, on ``profiles`` different profiles of the ``tried`` ones.

    ``agreements`` are the pairs of arms on tried profiles that name the same movie.
    """

    kept: list[Drawn]
    profiles: int
    tried: int
    agreements: int


@dataclass(frozen=True)
class Published:
    """What an arm recommends to each profile of the pool; ``problem`` says why some are missing.

    ``pending``: a job is at it, or waits for a worker.
    """

    found: Mapping[int, Named]
    problem: str = ""
    pending: bool = False


def all_published(study: Study, arm: Arm) -> bool:
    """Whether there is a recommendation of a trained arm for every profile; cheap enough to ask
    again and again. A copy of a study finds those of the study, whatever its own job does.
    """
    users = arm.model.recommendations.filter(rank=1).values_list("user", flat=True)
    return set(study.profile_pool) <= set(users)


def published(study: Study, arm: Arm) -> Published:
    if arm.trained_model_id is None:
        return Published(first_uploaded(arm, study.profile_pool))
    found = recommendations_for(trained_model=arm.model, users=study.profile_pool)
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


def first_uploaded(arm: Arm, users: Sequence[int]) -> dict[int, UploadedRecommendation]:
    """The first recommendation of an uploaded arm to each of these users that has one."""
    found = {}
    for start in range(0, len(users), USERS_A_QUERY):
        rows = arm.uploaded.filter(rank=1, user__in=users[start : start + USERS_A_QUERY])
        found.update({row.user: row for row in rows.select_related("item")})
    return found


def draw(study: Study, sources: Sequence[Published]) -> Drawing:
    """Take profiles in the order drawn until there are ``n_profiles`` with a question each.

    Two arms that name the same movie make no question. With more than two arms, every other pair
    is asked about, or with ``balanced`` pairs one of those that were asked least so far.
    """
    pairs = list(combinations(range(len(sources)), 2))
    asked = [0] * len(pairs)
    rng = pairing.generator(study.seed, pairing.Stream.PAIRS)
    kept: list[Drawn] = []
    profiles = tried = agreements = 0
    for user in study.profile_pool:
        if profiles == study.n_profiles:
            break
        tried += 1
        named = [source.found.get(user) for source in sources]
        possible = []
        for place, (one, two) in enumerate(pairs):
            first, second = named[one], named[two]
            if first is None or second is None:
                continue
            if first.item_id == second.item_id:
                agreements += 1
            else:
                possible.append((place, Drawn(user, (one, two), first, second)))
        if study.pairs == "balanced":
            chosen = pairing.pick_pair(asked, [place for place, _ in possible], rng)
            possible = [(place, drawn) for place, drawn in possible if place == chosen]
        for place, drawn in possible:
            asked[place] += 1
            kept.append(drawn)
        profiles += bool(possible)
    return Drawing(kept, profiles, tried, agreements)
