"""Keeps the rendered profile beside a question in Django's cache; it holds nothing personal."""

from __future__ import annotations

import hashlib
from functools import partial

from django.core.cache import caches
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from survey import figures
from survey.models import Study
from survey.selectors.question import question_profile
from survey.wording.nouns import nouns_of


def profile_html(study: Study, question_id: int) -> SafeString:
    """The profile beside a question.

    Questions are frozen, so a rendered profile stays true until its data set gets other nouns or
    links. The design is part of the key because the questions of a pilot are discarded, and the
    database may use their numbers again.
    """
    named = f"{study.dataset.look_ups}{nouns_of(study.dataset)}"
    naming = hashlib.sha256(named.encode()).hexdigest()[:16]
    language = translation.get_language()
    key = f"profile/{study.pk}/{study.design_hash}/{question_id}/{language}/{naming}"
    try:
        kept = caches["profiles"].get_or_set(key, partial(_render, study, question_id))
    except RedisError:
        kept = None
    return kept or _render(study, question_id)


def _render(study: Study, question_id: int) -> SafeString:
    profile = question_profile(question_id)
    parts = {
        "profile": profile,
        "bars": figures.star_bars(profile),
        "dataset": study.dataset,
        "nouns": nouns_of(study.dataset),
    }
    return render_to_string("survey/_profile.html", parts)
