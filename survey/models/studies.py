"""Studies with their arms, uploaded lists and questions."""

from datetime import date, datetime
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from recommender.models import Dataset, Item, TrainedModel

#: The allowed changes of status; "" stands for a study that does not exist yet.
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

#: The texts of a study that may be translated.
TEXTS = ("title", "consent_text", "instructions")


def is_past_last_day(last_day: date | None, now: datetime | None = None) -> bool:
    """Whether a last day is over, by the server's calendar (UTC)."""
    return last_day is not None and last_day < (now or timezone.now()).date()


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
    # With more than two arms, n_profiles counts profiles with a question, and agreements counts
    # pairs of arms that named the same item, over all profiles tried.
    n_profiles = models.PositiveIntegerField(help_text="questions to keep")
    questions_per_appraiser = models.PositiveSmallIntegerField()
    quota = models.PositiveIntegerField(help_text="appraisers; later ones are turned away")
    minimum_profile = models.PositiveIntegerField(help_text="fewest ratings in a profile")
    # The protocol; survey.protocol defines the values of each field.
    pairs = models.CharField(max_length=20, default="every")
    maximum_profile = models.PositiveIntegerField(null=True)
    era_from = models.PositiveSmallIntegerField(null=True)
    era_to = models.PositiveSmallIntegerField(null=True)
    third_answer = models.CharField(max_length=20, blank=True)
    ask_familiarity = models.BooleanField(default=False)
    ask_confidence = models.BooleanField(default=False)
    ask_comment = models.BooleanField(default=False)
    n_practice = models.PositiveSmallIntegerField(default=0)
    n_checks = models.PositiveSmallIntegerField(default=0)
    checks_to_pass = models.PositiveSmallIntegerField(default=0)
    n_repeats = models.PositiveSmallIntegerField(default=0)
    changes = models.CharField(max_length=20, default="never")
    return_after = models.PositiveIntegerField(
        default=120, help_text="idle minutes until assignments return"
    )
    language = models.CharField(max_length=20, blank=True)
    translations = models.JSONField(default=dict)
    entry = models.CharField(max_length=20, default="open")
    panel = models.JSONField(default=dict)
    before = models.JSONField(default=list, help_text="items of the questionnaire before")
    after = models.JSONField(default=list, help_text="items of the questionnaire after")
    withdraw_until = models.DateField(null=True)
    retain_until = models.DateField(null=True)
    profile_pool = models.JSONField(
        default=list, help_text="users drawn, in the order in which they are tried"
    )
    profiles_tried = models.PositiveIntegerField(default=0)
    agreements = models.PositiveIntegerField(
        default=0, help_text="profiles skipped because both arms named the same item"
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
            # A launched study can never return to draft or pilot.
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

    @property
    def judgments_wanted(self) -> int:
        """The target number of real judgments; the pilot has the same target of its own."""
        return self.quota * self.questions_per_appraiser

    @property
    def asks_extras(self) -> bool:
        """Whether a question asks for more than the choice, so one click cannot answer it."""
        return self.ask_familiarity or self.ask_confidence or self.ask_comment

    def texts_in(self, language: str) -> dict[str, str]:
        """The texts in a language; a text without translation is the study's own."""
        own: dict[str, str] = self.translations.get(language, {})
        return {name: own.get(name) or getattr(self, name) for name in TEXTS}

    def is_open_for(self, kind: str) -> bool:
        """Whether appraisers of this kind may join and answer now."""
        wanted = self.Status.PILOT if kind == "pilot" else self.Status.RUNNING
        return self.status == wanted


class StudyEvent(models.Model):
    """One change of a study's status; added by services, never changed."""

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
    """A source of recommendations in a study: a trained model or an uploaded list."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="arms")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=100)
    trained_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, related_name="arms"
    )
    upload_name = models.CharField(
        max_length=200, blank=True, help_text="the system's name in the uploaded file"
    )
    upload_checksum = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the uploaded file"
    )
    publish_job = models.ForeignKey(
        "recommender.Job", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="arm_position_is_unique"),
            models.UniqueConstraint(fields=["study", "label"], name="arm_label_is_unique"),
            models.CheckConstraint(
                condition=Q(trained_model__isnull=False, upload_checksum="")
                | (Q(trained_model__isnull=True) & ~Q(upload_checksum="")),
                name="arm_is_a_model_or_an_upload",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def model(self) -> TrainedModel:
        """The trained model; ValueError if the arm is an uploaded list."""
        if self.trained_model is None:
            raise ValueError(f"{self.label} is an uploaded list, not a trained model.")
        return self.trained_model


class UploadedRecommendation(models.Model):
    """What a system trained elsewhere recommends for one profile, at one rank."""

    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="uploaded")
    user = models.PositiveIntegerField(help_text="row of the rating matrix")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    rank = models.PositiveIntegerField(help_text="1 is the best")
    score = models.FloatField(null=True)

    class Meta:
        ordering = ["arm", "user", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["arm", "user", "rank"], name="uploaded_once_a_rank"),
            models.UniqueConstraint(fields=["arm", "user", "item"], name="uploaded_once_per_item"),
        ]

    def __str__(self) -> str:
        return f"{self.arm} {self.user} #{self.rank}"


class Question(models.Model):
    """A profile and one recommendation from each of two arms, stored whole when frozen."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveIntegerField()
    user = models.PositiveIntegerField(help_text="row of the rating matrix")
    profile = models.JSONField(help_text="[item, stars] pairs, most stars first")
    first_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    first_item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    second_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    second_item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="question_number_is_unique"),
            models.UniqueConstraint(
                fields=["study", "user", "first_arm", "second_arm"],
                name="question_once_per_profile_and_pair",
            ),
            models.CheckConstraint(
                condition=~Q(first_item=F("second_item")), name="question_items_differ"
            ),
            models.CheckConstraint(
                condition=~Q(first_arm=F("second_arm")), name="question_arms_differ"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} {self.number}"
