"""A copy of a study, as a new draft."""

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
    """A draft with the same settings, texts and arms; nobody's answers come along. StudyError.

    With another ``withdraw_until`` (None: no last day) a built-in consent is written anew, since
    it names the day. One that has passed is refused: the copy could never open.

    Uploaded lists are copied row by row. Its pool is drawn by ``seed``; without one by the study's
    own, which gives the same profiles in the same order, as long as the data set is the same.
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


def day_in_words(study: Study, copy: Study) -> str:
    """What a researcher has to know of the copy's last day; "" where it is the study's."""
    if copy.withdraw_until == study.withdraw_until:
        return ""
    over = ", has passed" if is_past_last_day(study.withdraw_until) else ", is not kept"
    was = f"The last day, {study.withdraw_until}{over}. " if study.withdraw_until else ""
    until = f"until {copy.withdraw_until}" if copy.withdraw_until else "at any time"
    own = copy.consent_text == study.consent_text
    read = " The consent is your own and stays as it was: read whether it says so." if own else ""
    return f"{was}In the copy answers can be erased {until}.{read}"


def _without_built_in_consent(study: Study, protocol: Protocol) -> tuple[Protocol, str]:
    """The protocol and the consent without the texts that nobody has written."""
    plain = protocol.model_copy(update={"translations": {}})
    built_in = write_texts(StudyTexts(), questions=study.questions_per_appraiser, protocol=plain)
    own: dict[str, Any] = {}
    for language, words in protocol.translations.items():
        own[language] = dict(words)
        same = built_in.translations.get(language, {}).get("consent_text")
        if same is not None and words.get("consent_text") == same:
            del own[language]["consent_text"]
    consent = "" if study.consent_text == built_in.consent_text else study.consent_text
    return protocol.model_copy(update={"translations": own}), consent
