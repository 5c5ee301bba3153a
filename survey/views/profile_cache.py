"""Parts of pages that look the same for everybody and every time: made once, then kept a while.

Never anything that belongs to a person: a profile depends on the question and the language alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from survey import figures
from survey.models import Study
from survey.selectors.question import question_profile

#: Characters that the kept parts have in each process: some sixty profiles of 2,000 movies.
ROOM = 64_000_000


class Fragments:
    """The least recently used go when the room is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.used = 0
        self.kept: OrderedDict[Hashable, SafeString] = OrderedDict()
        self.lock = Lock()

    def get(self, key: Hashable, make: Callable[[], SafeString]) -> SafeString:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key]
        made = make()  # without the lock: two threads may make the same, and nobody waits
        with self.lock:
            if key not in self.kept and len(made) <= self.room:
                self.kept[key] = made
                self.used += len(made)
            while self.used > self.room:
                _, oldest = self.kept.popitem(last=False)
                self.used -= len(oldest)
        return made

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()
            self.used = 0


profiles = Fragments(ROOM)


def profile_html(study: Study, question_id: int) -> SafeString:
    """The profile beside a question.

    Questions are frozen, so what was made once stays true. The design is part of the key all the
    same: a trial's questions are discarded, and a database may give their numbers out again.
    """

    def make() -> SafeString:
        profile = question_profile(question_id)
        parts = {"profile": profile, "bars": figures.star_bars(profile)}
        return render_to_string("survey/_profile.html", parts)

    language = translation.get_language()
    return profiles.get((study.pk, study.design_hash, question_id, language), make)
