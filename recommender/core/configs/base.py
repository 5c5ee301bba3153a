"""What every configuration says of its system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class SystemConfig:
    """The settings of a system, each field with its own sentence; immutable and ready for JSON."""

    implementation: ClassVar[str]  #: the class that runs it, as "module:Class"
    #: a neural network: it trains on a GPU where there is one, and its errors vary with the seed
    is_network: ClassVar[bool] = False
    #: fields that configurations stored by earlier versions lack
    added: ClassVar[tuple[str, ...]] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """What the system cannot work without: "timestamps", or kinds of ``Ratings.labels``."""
        return ()

    @property
    def uses_dates(self) -> bool:
        """Whether predictions depend on the time at which a rating is given."""
        return False
