"""Writes the tables of a comparison of systems: as text, Markdown or JSON."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.core.management.base import OutputWrapper

from recommender.comparison import TableRow, compare_rows, row_of
from recommender.core.errors import ConfigurationError
from recommender.management.following import format_duration
from recommender.management.tables import difference_table, system_table
from recommender.models import TrainedModel
from recommender.store import StoreError


class ComparisonWriter:
    """Writes each table as soon as it is added; JSON, which is one list, at the end.

    With JSON on ``stdout``, sentences go to ``stderr``. ``problems``: why differences are missing.
    """

    def __init__(
        self,
        stdout: OutputWrapper,
        stderr: OutputWrapper,
        *,
        form: Literal["json", "markdown"] | None = None,
        reference: str | None = None,
        has_titles: bool = False,
    ) -> None:
        self._stdout, self._stderr = stdout, stderr
        self._form, self._reference = form, reference
        self._has_titles = has_titles or form == "markdown"
        self._rows: list[dict[str, Any]] = []
        self._started = time.monotonic()
        self.problems: list[str] = []

    def add(self, lines: Sequence[TableRow]) -> None:
        rows, compared = list(map(row_of, lines)), self._compared(lines)
        if self._reference:
            rows = [{**row, "compared": compared.get(row["system"])} for row in rows]
        self._rows += rows
        if self._form == "json":
            return
        markdown = self._form == "markdown"
        gap = "\n\n" if markdown else "\n"
        if self._has_titles:
            title = "{split}, profiles {profile}, {dataset}".format_map(rows[0])
            self._stdout.write(f"{'## ' if markdown else ''}{title}{gap}")
        self._stdout.write(system_table(rows, markdown=markdown))
        if compared:
            self._stdout.write(f"\nDifferences from {self._reference}, over users:{gap}")
            found = [row for measures in compared.values() for row in measures.values()]
            self._stdout.write(difference_table(found, markdown=markdown))
        if compared or self._has_titles:
            self._stdout.write("")

    def end(self, reasons: Mapping[str, str]) -> None:
        """Write which protocols have no table for these ``reasons``, and what the others cost."""
        if self._form == "json":
            self._stdout.write(json.dumps(self._rows, indent=2))
        for name, reason in reasons.items():
            self._say(f"No table for {name}: {reason}")
        took = f"This command took {format_duration(time.monotonic() - self._started)}."
        ids = {pk for row in self._rows for pk in row["models"]}
        costs = TrainedModel.objects.filter(pk__in=ids).values_list("seconds", "peak_memory_mb")
        if seconds := [cost[0] for cost in costs]:
            most = max(cost[1] for cost in costs)
            took = (
                f"{len(seconds)} models: {format_duration(sum(seconds))} to train and evaluate, at "
                f"most {most:,.0f} MB at once. {took}"
            )
        self._say(took)

    def _compared(self, lines: Sequence[TableRow]) -> dict[str, dict[str, Any]]:
        if not self._reference:
            return {}
        try:
            return compare_rows(lines, self._reference)
        except (ConfigurationError, StoreError) as error:
            self.problems.append(
                f"There are no differences from {self._reference}: {error} Measure the models "
                "again: evaluate_models --again"
            )
            return {}

    def _say(self, sentence: str) -> None:
        if self._form == "json":
            self._stderr.write(sentence, style_func=str)
        else:
            self._stdout.write(sentence)
