"""Formats numbers, titles and lists for pages, in the language of the page."""

from collections.abc import Iterable
from datetime import timedelta

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext

from recommender.core.exhibits.exhibit import cell_text
from recommender.models import Dataset, Item
from recommender.naming import ISBN, look_up
from survey.profiles import TasteCount
from survey.scales import MOST_STARS
from survey.templatetags.genres import GENRES
from survey.wording.nouns import Nouns

register = template.Library()
register.filter("cell", cell_text)


@register.filter
def half_stars(stars: float) -> int | str:
    """How many half stars to draw, 1 to 10; empty for a longer scale."""
    return max(1, min(10, round(2 * stars))) if 0 < stars <= MOST_STARS else ""


@register.filter
def stars_in_words(stars: float) -> str:
    """4.5 reads "4.5 stars", 1 reads "1 star"."""
    words = ngettext("{number} star", "{number} stars", 1 if stars == 1 else 2)
    return words.format(number=plain(stars))


@register.filter
def in_minutes(time: timedelta) -> int:
    """Whole minutes, rounded up."""
    return -(-time // timedelta(minutes=1))


@register.filter
def in_hours(time: timedelta) -> int:
    """Whole hours, rounded up."""
    return -(-time // timedelta(hours=1))


@register.filter
def without_aside(title: str) -> str:
    """A title without the parentheses after it: "Amelie (Le fabuleux ...)" gives "Amelie"."""
    return title.partition(" (")[0]


@register.filter
def aside(title: str) -> str:
    """The parentheses after a title, such as its original name; may be empty."""
    _, opening, rest = title.partition(" (")
    return opening.strip() + rest


@register.filter
def isolated(title: str) -> str:
    """A title within a sentence: it keeps its own direction, and browsers do not translate it."""
    return format_html('<bdi translate="no">{}</bdi>', title)


@register.filter("genre")
def translate_genre(name: str) -> str:
    """Names that are not in public catalogues stay as they are."""
    return str(GENRES.get(name, name))


@register.filter
def genres(names: Iterable[str]) -> str:
    """ "Drama, Sci-Fi", with non-breaking hyphens."""
    return ", ".join(map(translate_genre, names)).replace("-", "\u2011")


@register.filter
def translated_genres(names: Iterable[str]) -> list[str]:
    return [translate_genre(name) for name in names]


@register.filter
def genre_names(tastes: Iterable[TasteCount]) -> list[str]:
    """The translated names, sorted."""
    return sorted(translate_genre(taste.name) for taste in tastes)


@register.filter("decade")
def format_decade(first_year: str) -> str:
    """ "1990" reads "1990s"."""
    return gettext("{decade}s").format(decade=first_year)


@register.filter("look_ups")
def look_up_addresses(item: Item, dataset: Dataset) -> list[tuple[str, str]]:
    """Names and addresses of the pages where people can look an item up."""
    values = {
        # Alternative titles in parentheses would leave a search without results.
        "title": without_aside(item.title),
        "year": str(item.year or ""),
        "id": item.external_id,
        "isbn": item.external_id if ISBN.fullmatch(item.external_id) else "",
        **item.external_ids,
    }
    return list(look_up(dataset.look_ups, values).items())


@register.filter
def looked_up_in(title: str, name: str) -> str:
    """The text of a look-up link for screen readers."""
    if name == "Web":
        return gettext("{title} on the web (new tab)").format(title=title)
    return gettext("{title} on {site} (new tab)").format(title=title, site=name)


@register.filter
def items(number: int, nouns: Nouns) -> str:
    """The number with its noun: "16 movies"."""
    return nouns.counted(number)


@register.filter
def listed(words: Iterable[str]) -> str:
    """Words listed in a sentence: "Drama, Crime and War"."""
    *front, last = list(words) or [""]
    if not front:
        return last
    comma = pgettext("between the words of a list", ", ")
    return gettext("{words} and {last}").format(words=comma.join(front), last=last)


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    """0.7167 reads "71.7 %", with a non-breaking space."""
    return "–" if share is None else f"{100 * share:.{digits}f}\u202f%"


@register.filter
def percent_only(share: float | None, digits: int = 1) -> str:
    """Like `percent` without the sign, for the first of two numbers that share it."""
    return "–" if share is None else f"{100 * share:.{digits}f}"


@register.filter
def figure(value: float | None, digits: int = 4) -> str:
    """A measured value, or a dash if there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in the two largest units: "8 s", "3 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter("count")
def format_count(number: int | None) -> str:
    """1500 reads "1,500"."""
    return "–" if number is None else str(number_format(number, force_grouping=True))


@register.filter
def thousands(number: int) -> str:
    """The thousands separator of the page's language; may be ""."""
    return format_count(number).strip("0123456789")


@register.filter
def p_value(chance: float) -> str:
    """0.0312 reads "0.031"; anything smaller reads "below 0.001"."""
    return "below 0.001" if chance < 0.001 else f"{chance:.3f}"


@register.filter
def plain(number: float | None) -> str:
    """2.0 reads "2", 2.5 reads "2.5"."""
    return "–" if number is None else str(number_format(f"{number:g}"))


@register.filter
def memory(megabytes: float | None) -> str:
    return "–" if megabytes is None else f"{megabytes:,.0f} MB"
