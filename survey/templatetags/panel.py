"""The way back to the panel, for end pages."""

from django import template

from survey.models import Appraiser
from survey.selectors import recruiting

register = template.Library()


@register.simple_tag(name="panel_return")
def panel_return_of(appraiser: Appraiser | None) -> recruiting.PanelReturn | None:
    """None if no panel sent the appraiser, or while their outcome is not stored."""
    return recruiting.panel_return(appraiser) if appraiser else None
