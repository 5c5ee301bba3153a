"""Formats ratings of any scale for pages, in the language of the page."""

from decimal import Decimal
from math import floor, log10

from django import template
from django.template.defaultfilters import floatformat
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from survey.scales import Bin, RatingScale
from survey.templatetags.formatting import stars_in_words

register = template.Library()

MINUS = "\u2212"  #: is as wide as a figure, and screen readers say it


@register.filter
def rating(stars: float, scale: RatingScale) -> str:
    """A rating alone: 6.309999942779541 reads "6.31"."""
    return _number(scale.level(stars))


@register.filter
def mean_rating(mean: float, scale: RatingScale) -> str:
    """A mean alone, with one decimal or, on a scale shorter than 2, with more."""
    span = scale.maximum - scale.minimum
    digits = max(1, 1 - floor(log10(span / 2))) if span else 1
    return floatformat(mean, digits).replace("-", MINUS)


@register.filter
def bin_in_words(bin: Bin, scale: RatingScale) -> str:
    """ "4.5 stars", "7 of 10", "7 to 8 of 10", "-4 to -2 on a scale from -10 to 10"."""
    if scale.is_stars:
        return stars_in_words(float(bin.low))
    numbers = _number(bin.low)
    if bin.is_range:
        numbers = gettext("{low} to {high}").format(low=numbers, high=_number(bin.high))
    return _on_scale(numbers, scale)


@register.filter
def mean_in_words(mean: float, scale: RatingScale) -> str:
    """ "3.8 stars", "7.3 of 10", "-3.2 on a scale from -10 to 10"."""
    number = mean_rating(mean, scale)
    if scale.is_stars:
        return ngettext("{number} star", "{number} stars", 2).format(number=number)
    return _on_scale(number, scale)


@register.filter
def bin_label(bin: Bin) -> SafeString | str:
    """What stands under a bar: "7", or "7–8", which may break after the dash."""
    if not bin.is_range:
        return _number(bin.low)
    # A dash between negative numbers would read as a sign.
    between = "–" if bin.low >= 0 else "…"
    return format_html("{}{}<wbr>{}", _number(bin.low), between, _number(bin.high))


def _on_scale(number: str, scale: RatingScale) -> str:
    low, high = _number(scale.lowest), _number(scale.highest)
    if scale.lowest < 0:
        words = gettext("{number} on a scale from {minimum} to {maximum}")
        return words.format(number=number, minimum=low, maximum=high)
    return gettext("{number} of {maximum}").format(number=number, maximum=high)


def _number(level: Decimal) -> str:
    """Without zeros at its end, and with a true minus sign."""
    return str(number_format(f"{level.normalize():f}")).replace("-", MINUS)
