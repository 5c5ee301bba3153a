"""Short labels that tell the arms of a study apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recommender.core.systems import SYSTEMS, present_name
from recommender.models import TrainedModel
from survey.uploads import UploadedList

#: Where the recommendations of an arm come from.
Source = TrainedModel | UploadedList


def label_arms(sources: Sequence[Source]) -> list[str]:
    """For each arm the shortest of its names that no other arm has."""
    names = [_names(source) for source in sources]
    counts = [Counter(level) for level in zip(*names, strict=True)]
    short = [
        next((name for name, count in zip(own, counts, strict=True) if count[name] == 1), own[-1])
        for own in names
    ]
    # An uploaded system may have the longer name of another arm as its own short name.
    return short if len(set(short)) == len(short) else [own[-1] for own in names]


def _names(source: Source) -> list[str]:
    """From short to long, at most 100 characters each; the longest is unique."""
    if isinstance(source, UploadedList):
        name = source.system
        return [name, f"{name} (uploaded)", f"{name} (uploaded, {source.checksum[:8]})"]
    system = present_name(source.system, source.preset)
    label = SYSTEMS[system].label if system in SYSTEMS else system
    return [
        label,
        f"{label} ({source.preset})",
        f"{label} ({source.preset}, model {source.pk})",
    ]
