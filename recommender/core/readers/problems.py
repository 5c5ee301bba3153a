"""Collects the problems of a source, so that one report names everything that has to be fixed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recommender.core.errors import SourceError, SourceProblems

PROBLEMS_SHOWN = 20


@dataclass
class Problems:
    """The first problems of a source in the order of reading, their number, and their causes."""

    source: str | Path
    count: int = 0
    first: list[SourceError] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)  #: sentences with cause and remedy

    def add(self, problem: SourceError) -> None:
        self.count += 1
        if len(self.first) < PROBLEMS_SHOWN:
            self.first.append(problem)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Collects the problems that end the work inside, so that other work can go on."""
        try:
            yield
        except SourceProblems as found:
            self.count += found.count
            self.first = [*self.first, *found.first][:PROBLEMS_SHOWN]
            self.causes += found.causes
        except SourceError as problem:
            self.add(problem)

    def raise_any(self) -> None:
        if self.count:
            raise self.error()

    def error(self) -> SourceError:
        """The one problem, or a report of several."""
        if self.count == 1 and not self.causes:
            return self.first[0]
        return SourceProblems(self.source, self.first, self.count, self.causes)
