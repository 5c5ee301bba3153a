"""How far a study's results can be trusted: who took part, side balance, repeated questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum

from survey.models import Appraiser, Assignment, Judgment, Study
from survey.selectors.counts import FAILED, JudgmentCount, main_judgments, total
from survey.stats.intervals import Proportion, proportion
from survey.stats.preference import preference


def trust_facts(
    study: Study, kind: str, counted: Sequence[JudgmentCount], failed: Sequence[JudgmentCount]
) -> dict[str, Any]:
    """Counts of the appraisers of one kind, and checks on their judgments.

    ``n_finished``, ``n_failed`` and ``n_screened`` count the outcomes; the appraisers who failed
    gave ``n_failed_judgments``, which count nowhere else. ``n_withdrawn`` appraisers had
    ``n_erased`` judgments erased; ``n_ended`` of them, sent by a panel, had an outcome by then, and
    came again ``n_returns`` times in vain. ``sides`` is how often the left movie was chosen, with
    the test against 50 %; None without decided judgments. ``repeats`` is the share of repeated
    questions with the same answer; None without any.
    """
    decided = [each for each in counted if each.is_decided]
    left = total(each for each in decided if each.choice == Judgment.Choice.LEFT)
    judged = main_judgments(study).filter(assignment__appraiser__kind=kind).exclude(FAILED)
    return {
        **study.appraisers.filter(kind=kind).aggregate(
            n_appraisers=Count("pk"),
            n_finished=Count("pk", filter=Q(outcome=Appraiser.Outcome.DONE)),
            n_failed=Count("pk", filter=Q(outcome=Appraiser.Outcome.FAILED)),
            n_screened=Count("pk", filter=Q(outcome=Appraiser.Outcome.SCREENED)),
        ),
        **study.withdrawals.filter(kind=kind).aggregate(
            n_withdrawn=Count("pk"), n_erased=Sum("n_judgments", default=0)
        ),
        **(_past_outcomes(study, kind) if study.entry == "panel" else {}),
        "n_failed_judgments": total(failed),
        "n_questions": study.questions.count(),
        "n_questions_judged": judged.values("assignment__question").distinct().count(),
        "sides": preference(left, total(decided)) if decided else None,
        "repeats": repeat_consistency(study, kind) if study.n_repeats else None,
    }


def _past_outcomes(study: Study, kind: str) -> dict[str, int]:
    return study.past_outcomes.filter(kind=kind).aggregate(
        n_ended=Count("pk"), n_returns=Sum("n_returns", default=0)
    )


def repeat_consistency(study: Study, kind: str) -> Proportion | None:
    """The share of repeated questions with the same answer as before; None without any.

    The same answer is the same movie, or a third answer both times. Appraisers who failed the
    checks do not count.
    """
    before = Judgment.objects.filter(
        assignment__appraiser=OuterRef("assignment__appraiser"),
        assignment__question=OuterRef("assignment__question"),
        assignment__kind=Assignment.Kind.MAIN,
    )
    rows = (
        Judgment.objects.filter(
            assignment__appraiser__study=study,
            assignment__appraiser__kind=kind,
            assignment__kind=Assignment.Kind.REPEAT,
        )
        .exclude(FAILED)
        .annotate(
            first_choice=Subquery(before.values("choice")[:1]),
            first_arm=Subquery(before.values("chosen_arm")[:1]),
        )
        .exclude(first_choice=None)
    )
    # Third answers choose no arm, and in SQL two NULLs are not equal.
    same = Q(chosen_arm=F("first_arm")) | Q(chosen_arm=None, first_arm=None)
    found = rows.aggregate(total=Count("pk"), same=Count("pk", filter=same))
    return proportion(found["same"], found["total"]) if found["total"] else None
