"""What end pages say of the panel that sent somebody."""

from django import template

from survey.models import Appraiser
from survey.selectors import recruiting

register = template.Library()


@register.simple_tag
def way_back(appraiser: Appraiser | None) -> recruiting.WayBack | None:
    """The way back to the panel; None for those whom none sent, and before the outcome stands."""
    return recruiting.way_back(appraiser) if appraiser else None
