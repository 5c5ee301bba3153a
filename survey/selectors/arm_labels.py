"""Names that tell the arms of a study apart and say no more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recommender.core.systems import SYSTEMS
from recommender.models import TrainedModel
from survey.uploads import UploadedList

#: Where the recommendations of an arm come from.
Source = TrainedModel | UploadedList


def label_arms(sources: Sequence[Source]) -> list[str]:
    """For each arm the shortest of its names that no other arm bears too."""
    names = [_names(source) for source in sources]
    seen = [Counter(level) for level in zip(*names, strict=True)]
    short = [
        next((name for name, level in zip(each, seen, strict=True) if level[name] == 1), each[-1])
        for each in names
    ]
    # An uploaded system may be called as the longer name of another arm.
    return short if len(set(short)) == len(short) else [each[-1] for each in names]


def _names(source: Source) -> list[str]:
    """From short to long, the last one always its own; at most 100 characters each."""
    if isinstance(source, UploadedList):
        name = source.system
        return [name, f"{name} (uploaded)", f"{name} (uploaded, {source.checksum[:8]})"]
    known = SYSTEMS.get(source.system)
    label = known.label if known else source.system
    return [
        label,
        f"{label} ({source.preset})",
        f"{label} ({source.preset}, model {source.pk})",
    ]
