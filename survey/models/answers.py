"""Assignments of questions to appraisers, their judgments, and the history of these."""

import uuid

from django.db import models
from django.db.models import Q

from survey.models.people import Appraiser
from survey.models.studies import Arm, Question


class Assignment(models.Model):
    """A question given to an appraiser at a position, with the arm on the left."""

    class Kind(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        CHECK = "check"
        REPEAT = "repeat"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appraiser = models.ForeignKey(Appraiser, on_delete=models.CASCADE, related_name="assignments")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.MAIN)
    position = models.PositiveSmallIntegerField()
    left_arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="+")
    expected = models.CharField(
        max_length=10, blank=True, help_text="the side to choose in an attention check"
    )
    shown_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(
        null=True, help_text="returned to the pool; asked again only if the appraiser comes back"
    )

    class Meta:
        ordering = ["appraiser", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["appraiser", "position"], name="assignment_position_is_unique"
            ),
            models.UniqueConstraint(
                fields=["appraiser", "question", "kind"], name="assignment_once_per_question"
            ),
            models.CheckConstraint(
                condition=Q(kind="check", expected__in=["left", "right"])
                | (~Q(kind="check") & Q(expected="")),
                name="assignment_check_expects_a_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appraiser} {self.position}"


class Answer(models.Model):
    """The answer to an assignment: the choice, and the extras that a study may ask for."""

    class Choice(models.TextChoices):
        LEFT = "left"
        RIGHT = "right"
        TIE = "tie"
        UNSURE = "unsure"

    class Familiarity(models.TextChoices):
        SEEN = "seen"
        KNOWN = "known"
        LOOKED_UP = "looked-up"
        UNKNOWN = "unknown"

    choice = models.CharField(max_length=10, choices=Choice.choices)
    chosen_arm = models.ForeignKey(
        Arm,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="empty if neither was chosen",
    )
    left_familiarity = models.CharField(max_length=10, choices=Familiarity.choices, blank=True)
    right_familiarity = models.CharField(max_length=10, choices=Familiarity.choices, blank=True)
    confidence = models.PositiveSmallIntegerField(null=True, help_text="from 1 to 5")
    comment = models.TextField(blank=True)
    answered_at = models.DateTimeField()
    client_at = models.DateTimeField(null=True, help_text="the browser's clock when it was sent")
    page_language = models.CharField(
        max_length=35, blank=True, help_text="of the page, which the browser may have translated"
    )
    visible_ms = models.PositiveIntegerField(
        null=True, help_text="milliseconds the question was visible, according to the browser"
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=["left", "right"], chosen_arm__isnull=False)
                | Q(choice__in=["tie", "unsure"], chosen_arm__isnull=True),
                name="%(class)s_side_names_an_arm",
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__range=(1, 5)),
                name="%(class)s_confidence_is_possible",
            ),
        ]


class Judgment(Answer):
    """The current answer to an assignment."""

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="judgment")
    revision = models.PositiveSmallIntegerField(
        default=1, help_text="number of the newest revision"
    )

    def __str__(self) -> str:
        return f"{self.assignment}: {self.choice}"


class JudgmentRevision(Answer):
    """An entry in the history of a judgment; services add entries and never change them."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveSmallIntegerField(help_text="1 is the first answer")

    class Meta(Answer.Meta):
        ordering = ["assignment", "number"]
        constraints = [
            *Answer.Meta.constraints,
            models.UniqueConstraint(
                fields=["assignment", "number"], name="revision_number_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} ({self.number}): {self.choice}"
