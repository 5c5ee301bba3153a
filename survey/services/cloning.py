"""Copies a study into a new draft."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from survey.errors import StudyError
from survey.models import Study, is_past_last_day
from survey.protocol.fields import Protocol, StudyPlan
from survey.protocol.problems import validated
from survey.selectors.uploads import stored_upload
from survey.services.preparing import prepare_study
from survey.wording.of_study import StudyTexts, write_texts


def clone_study(
    *,
    study: Study,
    slug: str,
    seed: int | None = None,
    withdraw_until: date | Literal["same"] | None = "same",
    by: str = "",
) -> Study:
    """A draft with the study's settings, texts and arms, without its answers. StudyError.

    With another ``withdraw_until`` (None: no last day) a built-in consent text is rewritten,
    because it names the day. A day that has passed is refused: the copy could never open. A
    ``retain_until`` that has passed is not copied.

    Uploaded lists are copied row by row. The pool is drawn with ``seed``, by default the study's
    own, which gives the same profiles in the same order if the data set has not changed.
    """
    protocol, consent = Protocol.of(study), study.consent_text
    if withdraw_until != "same" and withdraw_until != protocol.withdraw_until:
        protocol, consent = _without_built_in_consent(study, protocol)
        protocol = protocol.model_copy(update={"withdraw_until": withdraw_until})
    if is_past_last_day(protocol.withdraw_until):
        raise StudyError(
            f"Answers can be erased until {protocol.withdraw_until}, which has passed: the copy "
            "could never open. Give it a later day, or none: --withdraw-until DATE|none."
        )
    if is_past_last_day(protocol.retain_until):
        protocol = protocol.model_copy(update={"retain_until": None})
    arms = [
        stored_upload(arm) if arm.trained_model is None else arm.trained_model
        for arm in study.arms.select_related("trained_model")
    ]
    plan = dict(StudyPlan.of(study)) | ({} if seed is None else {"seed": seed})
    return prepare_study(
        slug=slug,
        dataset=study.dataset,
        arms=arms,
        plan=validated(StudyPlan, plan),
        texts=StudyTexts(study.title, consent, study.instructions),
        protocol=protocol,
        by=by,
        note=f"copied from {study.slug}",
    )


def describe_last_day(study: Study, copy: Study) -> str:
    """A warning that the copy has another last day for erasing answers; "" if it is the same."""
    if copy.withdraw_until == study.withdraw_until:
        return ""
    over = "has passed" if is_past_last_day(study.withdraw_until) else "is not copied"
    was = f"The last day, {study.withdraw_until}, {over}. " if study.withdraw_until else ""
    until = f"until {copy.withdraw_until}" if copy.withdraw_until else "at any time"
    own = copy.consent_text == study.consent_text
    check = " You wrote the consent text yourself: check what it says about this." if own else ""
    return f"{was}In the copy, answers can be erased {until}.{check}"


def _without_built_in_consent(study: Study, protocol: Protocol) -> tuple[Protocol, str]:
    """The protocol and the consent text without the built-in texts."""
    plain = protocol.model_copy(update={"translations": {}})
    built_in = write_texts(
        StudyTexts(),
        questions=study.questions_per_appraiser,
        protocol=plain,
        about_movies=study.dataset.holds_movies,
    )
    own: dict[str, Any] = {}
    for language, words in protocol.translations.items():
        own[language] = dict(words)
        same = built_in.translations.get(language, {}).get("consent_text")
        if same is not None and words.get("consent_text") == same:
            del own[language]["consent_text"]
    consent = "" if study.consent_text == built_in.consent_text else study.consent_text
    return protocol.model_copy(update={"translations": own}), consent
