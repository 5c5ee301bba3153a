"""Appraisers, their invitations, their questionnaires, and what is kept of a withdrawal."""

from django.db import models
from django.db.models import Q

from survey.models.studies import Study


class Appraiser(models.Model):
    """A person who takes part: anonymous, identified by the digest of a private link."""

    class Kind(models.TextChoices):
        REAL = "real"
        PILOT = "pilot"
        SIMULATED = "simulated"

    class Outcome(models.TextChoices):
        DONE = "done"
        SCREENED = "screened"
        FAILED = "failed"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="appraisers")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.REAL)
    number = models.PositiveIntegerField(help_text="in order of consent, within study and kind")
    token_digest = models.CharField(max_length=64, unique=True)
    completion_code = models.CharField(max_length=20, unique=True)
    language = models.CharField(max_length=20, blank=True, help_text="of the pages")
    consent_text = models.TextField(help_text="the text that was accepted")
    consent_version = models.CharField(
        max_length=16, blank=True, help_text="start of the SHA-256 of this text"
    )
    panel_person = models.CharField(
        max_length=200, blank=True, help_text="the panel's id of the person"
    )
    panel = models.JSONField(default=dict, help_text="the panel's parameters, as sent")
    latest_panel = models.JSONField(
        default=dict, help_text="the parameters of the latest visit, if they differ"
    )
    consented_at = models.DateTimeField()
    instructed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="when activity was last seen")
    confirmed_at = models.DateTimeField(
        null=True, help_text="when the answers were confirmed, if they could change"
    )
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=20,
        choices=Outcome.choices,
        blank=True,
        help_text="completed, screened out or failed checks",
    )

    class Meta:
        ordering = ["study", "kind", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "number"], name="appraiser_number_is_unique"
            ),
            models.UniqueConstraint(
                fields=["study", "kind", "panel_person"],
                condition=~Q(panel_person=""),
                name="appraiser_once_per_panel_person",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, outcome="")
                | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="appraiser_finished_has_an_outcome",
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym

    @property
    def pseudonym(self) -> str:
        return f"{self.kind}-{self.number:04d}"


class Invitation(models.Model):
    """A personal link for one appraiser; only its digest is stored."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=200, blank=True, help_text="the researcher's own note")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True, help_text="revoked before it was used")
    appraiser = models.OneToOneField(
        Appraiser, on_delete=models.SET_NULL, null=True, related_name="invitation"
    )
    #: The link's secret, which is not stored: "" except while the link is being made.
    token = ""

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="invitation_number_is_unique"),
            models.CheckConstraint(
                condition=Q(appraiser__isnull=True) | Q(used_at__isnull=False),
                name="invitation_with_appraiser_is_used",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(revoked_at__isnull=True),
                name="invitation_revoked_is_not_used",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} invitation {self.number}"


class Response(models.Model):
    """An answer to one item of a questionnaire, with the question as it was worded."""

    class Part(models.TextChoices):
        BEFORE = "before"
        AFTER = "after"

    appraiser = models.ForeignKey(Appraiser, on_delete=models.CASCADE, related_name="responses")
    part = models.CharField(max_length=10, choices=Part.choices)
    item = models.CharField(max_length=60, help_text="the item's name")
    question = models.TextField(help_text="as it was asked")
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField()

    class Meta:
        ordering = ["appraiser", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["appraiser", "part", "item"], name="response_once_per_item"
            )
        ]

    def __str__(self) -> str:
        return f"{self.appraiser} {self.part} {self.item}"


class PastOutcome(models.Model):
    """The outcome of a panel's person whose answers were erased, so that it stays the only one.

    Only a keyed digest of study and id is kept, until the study's retention date.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="past_outcomes")
    kind = models.CharField(max_length=20, choices=Appraiser.Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    outcome = models.CharField(max_length=20, choices=Appraiser.Outcome.choices)
    n_returns = models.PositiveIntegerField(
        default=0, help_text="visits by the panel's link since the erasure"
    )

    class Meta:
        ordering = ["study", "pk"]

    def __str__(self) -> str:
        return f"{self.study.slug}: {self.outcome}, erased"


class Withdrawal(models.Model):
    """What is kept of an appraiser who withdrew: a count, without identity."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="withdrawals")
    kind = models.CharField(max_length=20, choices=Appraiser.Kind.choices)
    on = models.DateField()
    n_judgments = models.PositiveIntegerField()

    class Meta:
        ordering = ["study", "pk"]

    def __str__(self) -> str:
        return f"{self.study.slug}: withdrawn on {self.on}"
