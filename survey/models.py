"""What may exist of studies and judgments; constraints live here, not in forms."""

import uuid
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import F, Q

from recommender.models import Dataset, Movie, TrainedModel

#: From which status a study may go to which; "" is before it was made.
TRANSITIONS = [
    ("", "draft"),
    ("draft", "pilot"),
    ("pilot", "draft"),
    ("draft", "running"),
    ("pilot", "running"),
    ("running", "paused"),
    ("paused", "running"),
    ("running", "closed"),
    ("paused", "closed"),
]


class Study(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft"
        PILOT = "pilot"
        RUNNING = "running"
        PAUSED = "paused"
        CLOSED = "closed"

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="studies")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    consent_text = models.TextField()
    instructions = models.TextField()
    seed = models.PositiveBigIntegerField()
    n_profiles = models.PositiveIntegerField(help_text="questions to keep")
    questions_per_appraiser = models.PositiveSmallIntegerField()
    quota = models.PositiveIntegerField(help_text="appraisers; later comers are turned away")
    minimum_profile = models.PositiveIntegerField(help_text="ratings a profile has at least")
    profile_pool = models.JSONField(
        default=list, help_text="users drawn, in the order in which they are tried"
    )
    profiles_tried = models.PositiveIntegerField(default=0)
    agreements = models.PositiveIntegerField(
        default=0, help_text="profiles passed over because both arms named the same movie"
    )
    design_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of all that was frozen; empty in a draft"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(n_profiles__gte=F("questions_per_appraiser")),
                name="study_has_enough_profiles",
            ),
            # What was launched can never be a draft or a pilot again.
            models.CheckConstraint(
                condition=Q(status__in=["draft", "pilot"], launched_at__isnull=True)
                | (~Q(status__in=["draft", "pilot"]) & Q(launched_at__isnull=False)),
                name="study_launched_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="draft") | Q(design_hash=""),
                name="study_draft_is_not_frozen",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def takes(self, kind: str) -> bool:
        """Whether appraisers of that kind may join and answer now."""
        wanted = self.Status.PILOT if kind == Appraiser.Kind.PILOT else self.Status.RUNNING
        return self.status == wanted


class StudyEvent(models.Model):
    """One step in a study's life; added by services, never changed."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20, choices=Study.Status.choices)
    by = models.CharField(max_length=150, blank=True, help_text="user name, where one is known")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=reduce(
                    or_, (Q(from_status=start, to_status=end) for start, end in TRANSITIONS)
                ),
                name="study_event_is_possible",
            )
        ]

    def __str__(self) -> str:
        return f"{self.study.slug}: {self.to_status}"


class Arm(models.Model):
    """A source of recommendations in a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="arms")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=100)
    trained_model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="arms")
    publish_job = models.ForeignKey(
        "recommender.Job", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="arm_position_is_unique"),
            models.UniqueConstraint(fields=["study", "label"], name="arm_label_is_unique"),
        ]

    def __str__(self) -> str:
        return self.label


class Question(models.Model):
    """A profile and one recommendation from each of two arms, stored whole when frozen."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveIntegerField()
    user = models.PositiveIntegerField(help_text="row of the rating matrix")
    profile = models.JSONField(help_text="[movie, stars] pairs, most stars first")
    first_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    first_movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")
    second_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    second_movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="question_number_is_unique"),
            models.UniqueConstraint(
                fields=["study", "user", "first_arm", "second_arm"],
                name="question_once_per_profile_and_pair",
            ),
            models.CheckConstraint(
                condition=~Q(first_movie=F("second_movie")), name="question_movies_differ"
            ),
            models.CheckConstraint(
                condition=~Q(first_arm=F("second_arm")), name="question_arms_differ"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} {self.number}"


class Appraiser(models.Model):
    """One who takes part: anonymous, known by the digest of a secret link."""

    class Kind(models.TextChoices):
        REAL = "real"
        PILOT = "pilot"
        SIMULATED = "simulated"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="appraisers")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.REAL)
    number = models.PositiveIntegerField(help_text="in order of consent, within study and kind")
    token_digest = models.CharField(max_length=64, unique=True)
    completion_code = models.CharField(max_length=20, unique=True)
    consent_text = models.TextField(help_text="the words that were accepted")
    consented_at = models.DateTimeField()
    instructed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["study", "kind", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "number"], name="appraiser_number_is_unique"
            )
        ]

    def __str__(self) -> str:
        return self.pseudonym

    @property
    def pseudonym(self) -> str:
        return f"{self.kind}-{self.number:04d}"


class Assignment(models.Model):
    """A question given to an appraiser at a position, with the arm on the left."""

    class Kind(models.TextChoices):
        MAIN = "main"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    appraiser = models.ForeignKey(Appraiser, on_delete=models.CASCADE, related_name="assignments")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.MAIN)
    position = models.PositiveSmallIntegerField()
    left_arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="+")
    shown_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["appraiser", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["appraiser", "position"], name="assignment_position_is_unique"
            ),
            models.UniqueConstraint(
                fields=["appraiser", "question", "kind"], name="assignment_once_per_question"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appraiser} {self.position}"


class Judgment(models.Model):
    """The one choice on an assignment."""

    class Choice(models.TextChoices):
        LEFT = "left"
        RIGHT = "right"

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="judgment")
    choice = models.CharField(max_length=10, choices=Choice.choices)
    chosen_arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    visible_ms = models.PositiveIntegerField(
        null=True, help_text="milliseconds the question could be seen, as the browser says"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=["left", "right"]), name="judgment_choice_is_a_side"
            )
        ]

    def __str__(self) -> str:
        return f"{self.assignment}: {self.choice}"
