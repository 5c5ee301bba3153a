"""What the pages may send back."""

from django import forms

from survey.models import Judgment


class JudgmentForm(forms.Form):
    assignment = forms.UUIDField()
    choice = forms.ChoiceField(choices=Judgment.Choice.choices)


class CloneForm(forms.Form):
    slug = forms.SlugField(max_length=60)
    draw = forms.ChoiceField(choices=[("same", "The same profiles"), ("new", "Other profiles")])
