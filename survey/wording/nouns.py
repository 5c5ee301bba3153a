"""What the items of a data set are called, in the language of a page.

Texts of pages leave room for these nouns where they stand uninflected: in the nominative, and in
German and Spanish without an article.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import get_language

from recommender.models import Dataset
from recommender.naming import KINDS, Words


@dataclass(frozen=True)
class Nouns:
    """``one`` and ``many`` items; ``counts_with_one`` where a number always takes ``one``."""

    one: str
    many: str
    counts_with_one: bool = False

    def counted(self, number: int) -> str:
        """ "1 movie", "1,234 movies", "16 部电影"."""
        is_one = number == 1 or self.counts_with_one
        return f"{number_format(number, force_grouping=True)} {self.one if is_one else self.many}"


def nouns_of(dataset: Dataset) -> Nouns:
    """The nouns in the active language; own words that lack it stand in their first language."""
    language = (get_language() or "en").lower()
    known: Mapping[str, Words] = dataset.item_words or KINDS[dataset.item_kind]
    found = next((code for code in known if language.startswith(code)), next(iter(known)))
    return Nouns(*known[found], counts_with_one=found == "zh-hans")
