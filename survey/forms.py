"""What the pages may send back."""

from django import forms

from survey.models import Judgment


class JudgmentForm(forms.Form):
    assignment = forms.UUIDField()
    choice = forms.ChoiceField(choices=Judgment.Choice.choices)
    # A field without checks of its own: a browser's wrong measure must not cost an answer.
    visible_ms = forms.Field(required=False)

    def clean_visible_ms(self) -> int | None:
        """Milliseconds, or None for anything that is no plain number of nine digits at most."""
        sent = str(self.cleaned_data["visible_ms"] or "")
        plain = sent.isascii() and sent.isdecimal() and len(sent) <= 9
        return int(sent) if plain else None


class CloneForm(forms.Form):
    slug = forms.SlugField(max_length=60)
    draw = forms.ChoiceField(choices=[("same", "The same profiles"), ("new", "Other profiles")])
