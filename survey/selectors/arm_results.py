"""How often each arm was chosen, alone and against each other arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from recommender.core.multiple_testing import holm
from survey.models import Arm
from survey.selectors.counts import JudgmentCount, NamedItems, share_of_arm, total
from survey.stats.intervals import Proportion
from survey.stats.preference import binomial_p


@dataclass(frozen=True)
class ArmResult:
    """How one arm fared in the questions it was part of.

    ``share`` is how often it was chosen among the judgments that chose one of the two movies; None
    without any. ``share_with_failed`` adds the judgments of appraisers who failed the checks.
    ``ties`` is the number of third answers, whatever their wording. The arm stood on the left in
    ``shown_left`` decided judgments and was chosen in ``chosen_left`` of them.
    """

    label: str
    share: Proportion | None
    share_with_failed: Proportion | None = None
    ties: int = 0
    shown_left: int = 0
    chosen_left: int = 0
    named: NamedItems = field(default_factory=lambda: NamedItems({}))

    @property
    def wins(self) -> int:
        return self.share.count if self.share else 0

    @property
    def judged(self) -> int:
        return self.share.total if self.share else 0

    @property
    def rate(self) -> float | None:
        return self.share.rate if self.share else None

    @property
    def rate_with_failed(self) -> float | None:
        return self.share_with_failed.rate if self.share_with_failed else None

    @property
    def rate_with_ties(self) -> float | None:
        """The share when half of the third answers count for each arm."""
        asked = self.judged + self.ties
        return (self.wins + self.ties / 2) / asked if asked else None

    @property
    def shown_right(self) -> int:
        return self.judged - self.shown_left

    @property
    def chosen_right(self) -> int:
        return self.wins - self.chosen_left


def arm_result(
    arm: Arm, counted: Sequence[JudgmentCount], failed: Sequence[JudgmentCount], named: NamedItems
) -> ArmResult:
    met = [each for each in counted if arm.pk in each.arms]
    on_left = [each for each in met if each.is_decided and each.left_arm == arm.pk]
    return ArmResult(
        label=arm.label,
        share=share_of_arm(arm.pk, counted),
        share_with_failed=share_of_arm(arm.pk, [*counted, *failed]),
        ties=total(each for each in met if not each.is_decided),
        shown_left=total(on_left),
        chosen_left=total(each for each in on_left if each.chosen_arm == arm.pk),
        named=named,
    )


def pair_results(
    arms: Sequence[Arm], counted: Sequence[JudgmentCount], named: Mapping[int, NamedItems]
) -> list[dict[str, Any]]:
    """Every pair of arms: how often ``first`` was chosen over ``second``.

    ``share`` and the exact ``p_value`` against 50 % are None without decided judgments;
    ``p_corrected`` is valid for all pairs of the study together (Holm), even those that were not
    judged yet. ``ties`` are third answers. Both arms named the same movie on ``agreements`` of
    ``profiles`` profiles.
    """
    pairs: list[dict[str, Any]] = []
    for a, b in combinations(arms, 2):
        met = [each for each in counted if {*each.arms} == {a.pk, b.pk}]
        share = share_of_arm(a.pk, met)
        agreements, profiles = named[a.pk].agreements(named[b.pk])
        pairs.append(
            {
                "first": a.label,
                "second": b.label,
                "share": share,
                "ties": total(each for each in met if not each.is_decided),
                "p_value": binomial_p(share.count, share.total) if share else None,
                "p_corrected": None,
                "agreements": agreements,
                "profiles": profiles,
            }
        )
    judged = [pair for pair in pairs if pair["share"]]
    corrected = holm([pair["p_value"] for pair in judged], family=len(pairs))
    for pair, p_value in zip(judged, corrected, strict=True):
        pair["p_corrected"] = p_value
    return pairs
