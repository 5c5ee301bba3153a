"""What end pages say of the panel that sent somebody."""

from django import template

from survey.models import Appraiser
from survey.selectors import recruiting

register = template.Library()


@register.simple_tag
def panel_return(appraiser: Appraiser | None) -> recruiting.PanelReturn | None:
    """The way back to the panel; None for those whom none sent, and before the outcome stands."""
    return recruiting.panel_return(appraiser) if appraiser else None
