"""The way back to the panel, for end pages."""

from django import template

from survey.selectors.recruiting import panel_return

register = template.Library()
register.simple_tag(panel_return)
