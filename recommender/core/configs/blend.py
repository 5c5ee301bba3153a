"""Configuration of the blend of other systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class BlendConfig(SystemConfig):
    """A weighted sum of other systems' predictions; the weights are learned from a slice."""

    implementation: ClassVar = "recommender.core.algorithms.blend:Blend"
    is_network: ClassVar[bool] = True  # the presets have a network among their members
    #: the configuration of a member; set by the registry, which imports this module
    config_of: ClassVar[Callable[[str], SystemConfig]]

    members: tuple[str, ...] = ()  #: the systems, each as "system:preset"
    validation_share: float = 0.1  #: share of the ratings from which the weights are learned
    #: which ratings these are: drawn at random, or the newest
    validation: Literal["random", "newest"] = "random"
    ridge: float = 10.0  #: penalty of the squares of what weights differ from their mean

    @property
    def needs(self) -> tuple[str, ...]:
        found = [need for member in self._configs() for need in member.needs]
        return tuple(dict.fromkeys(found))

    @property
    def uses_dates(self) -> bool:
        return any(member.uses_dates for member in self._configs())

    def _configs(self) -> list[SystemConfig]:
        return [type(self).config_of(member) for member in self.members]
