"""What an appraiser's page may send back."""

from django import forms

from survey.models import Judgment


class JudgmentForm(forms.Form):
    assignment = forms.UUIDField()
    choice = forms.ChoiceField(choices=Judgment.Choice.choices)
