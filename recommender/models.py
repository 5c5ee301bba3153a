"""Data sets, jobs and trained models, with the constraints that they must satisfy."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from recommender.core.runs import Progress
from recommender.core.systems import present_name
from recommender.naming import KINDS, LINKS, OTHER_LINKS, Link

NAME = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Use letters, digits, dots and dashes.")


class Dataset(models.Model):
    """One imported source. Its ratings are arrays on disk, its items rows."""

    name = models.CharField(max_length=100, unique=True, validators=[NAME])
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the source")
    format = models.CharField(max_length=40)
    licence_note = models.TextField(blank=True)
    folder = models.CharField(max_length=200, help_text="of the arrays, below STUDYSITE_HOME")
    arrays_checksum = models.CharField(max_length=64, help_text="SHA-256 over the arrays")
    n_ratings = models.PositiveBigIntegerField()
    n_users = models.PositiveIntegerField()
    n_items = models.PositiveIntegerField(help_text="in the catalogue, rated or not")
    scale_minimum = models.FloatField()
    scale_maximum = models.FloatField()
    scale_step = models.FloatField()
    first_rated_at = models.DateTimeField(null=True)
    last_rated_at = models.DateTimeField(null=True)
    folds = models.JSONField(default=list, help_text="names of the source's official folds")
    reading = models.JSONField(
        default=dict, help_text="what was guessed, decided and left out when the source was read"
    )
    item_kind = models.CharField(max_length=20, default="movie", choices=[(k, k) for k in KINDS])
    item_words = models.JSONField(
        default=dict, help_text="own words for one item and several, by language"
    )
    links = models.JSONField(
        default=list, help_text="own names and templates of addresses to look items up"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scale_step__gt=0) & Q(scale_maximum__gte=F("scale_minimum")),
                name="dataset_scale_is_ordered",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holds_movies(self) -> bool:
        return self.item_kind == "movie" and not self.item_words

    @property
    def look_ups(self) -> list[Link]:
        """Names and templates of the addresses where people look items up."""
        own = [(name, template) for name, template in self.links]
        return own or (OTHER_LINKS if self.item_words else LINKS[self.item_kind])


class Item(models.Model):
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=100)
    position = models.PositiveIntegerField(
        null=True, help_text="column of the rating matrix; empty for an item without ratings"
    )
    title = models.CharField(max_length=500)
    year = models.SmallIntegerField(null=True)
    genres = models.JSONField(default=list)
    external_ids = models.JSONField(default=dict, help_text="such as imdb and tmdb")

    class Meta:
        ordering = ["dataset", "position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "external_id"], name="item_id_is_unique"),
            models.UniqueConstraint(fields=["dataset", "position"], name="item_column_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class LabelSet(models.Model):
    """Labels of one kind of a data set's items, as arrays on disk. Never changed once stored."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="label_sets")
    kind = models.CharField(max_length=20, help_text="such as tags; genres are kept with the items")
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the source")
    folder = models.CharField(max_length=200, help_text="of the arrays, below STUDYSITE_HOME")
    arrays_checksum = models.CharField(max_length=64, help_text="SHA-256 over the arrays")
    reading = models.CharField(max_length=400, help_text="what was read and left out")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["dataset", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "kind"], name="label_kind_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.dataset}"


class Job(models.Model):
    """One piece of work for a worker. This row is the truth; a broker's message only a nudge."""

    class Kind(models.TextChoices):
        TRAIN = "train"
        PUBLISH = "publish"
        EVALUATE = "evaluate"
        TUNE = "tune"
        REPORT = "report"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    params = models.JSONField(default=dict)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    owner = models.CharField(max_length=200, blank=True, help_text="who holds the lease")
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True, help_text="when the broker was last told")
    cancel_requested = models.BooleanField(default=False)
    time_limit_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="of work, over all attempts; waiting does not count"
    )
    worked_seconds = models.FloatField(default=0, help_text="by all attempts, waiting left out")
    phase = models.CharField(max_length=40, blank=True)
    done_units = models.PositiveBigIntegerField(default=0)
    total_units = models.PositiveBigIntegerField(default=0)
    epoch = models.PositiveIntegerField(default=0)
    loss = models.FloatField(null=True)
    seconds_left = models.FloatField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True, help_text="what went wrong and what to do")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["status", "lease_until"], name="job_due")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="running") | (~Q(owner="") & Q(lease_until__isnull=False)),
                name="job_running_has_owner",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def progress(self) -> Progress:
        return Progress(
            self.phase, self.done_units, self.total_units, self.epoch, self.loss, self.seconds_left
        )

    @property
    def share(self) -> float | None:
        """The part of the current phase that is done; None while it is unknown."""
        return 1.0 if self.status == self.Status.DONE else self.progress.share

    @property
    def has_ended(self) -> bool:
        return self.status not in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a worker: queued, or running under a lease that has lapsed."""
        if self.status == self.Status.RUNNING:
            return self.lease_until is None or self.lease_until < timezone.now()
        return self.status == self.Status.QUEUED

    @property
    def is_partial(self) -> bool:
        """Whether its time ran out before its last pass; the model so far is stored."""
        return bool(self.result.get("status") == TrainedModel.Status.PARTIAL)


class Worker(models.Model):
    """A worker process and when it was last seen."""

    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    has_card = models.BooleanField(default=False, help_text="whether torch can use a GPU in it")
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class TrainedModel(models.Model):
    """One fit of a system on one split, with everything needed to repeat it."""

    class Status(models.TextChoices):
        DONE = "done"
        PARTIAL = "partial"

    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="trained_model")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="trained_models")
    status = models.CharField(
        max_length=20,
        choices=Status.choices,
        default=Status.DONE,
        help_text="partial: its time was up before its last pass; training it again goes on",
    )
    system = models.CharField(max_length=40)
    preset = models.CharField(max_length=40)
    config = models.JSONField()
    seed = models.PositiveBigIntegerField()
    split = models.CharField(max_length=40)
    split_seed = models.PositiveBigIntegerField(default=0)
    split_facts = models.JSONField(help_text="the cut in time, counts, cold shares")
    data_checksum = models.CharField(max_length=64)
    code_version = models.CharField(max_length=100)
    begun_with = models.JSONField(
        default=list,
        help_text="other versions of the code that learned before this one went on, oldest first",
    )
    library_versions = models.JSONField()
    device = models.CharField(max_length=100)
    seconds = models.FloatField(
        help_text="to fit and evaluate, with the work of attempts that were cut off"
    )
    peak_memory_mb = models.FloatField(
        help_text="the process's memory sampled meanwhile, and the device's on top"
    )
    loss_curve = models.JSONField(default=list, help_text="[examples seen, RMSE] points, thinned")
    artefact = models.CharField(max_length=200, help_text="folder below STUDYSITE_HOME")
    artefact_checksum = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        partial = " (partial)" if self.status == self.Status.PARTIAL else ""
        system = present_name(self.system, self.preset)
        return f"{system}:{self.preset}{partial} on {self.dataset}, {self.split}"


class SearchedPreset(models.Model):
    """The best settings that a search found for a system: its preset ``searched`` on one split.

    It belongs to the split, because the training part of one split contains test ratings of others.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="searched_presets")
    system = models.CharField(max_length=40)
    split = models.CharField(max_length=40)
    split_seed = models.PositiveBigIntegerField(default=0)
    config = models.JSONField()
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="searched_presets")
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "system", "split", "split_seed"], name="searched_once_per_split"
            )
        ]

    def __str__(self) -> str:
        return f"{self.system} on {self.dataset}, {self.split}"


class Evaluation(models.Model):
    """The figures of one trained model, for one policy of what a profile contains at test time."""

    trained_model = models.ForeignKey(
        TrainedModel, on_delete=models.CASCADE, related_name="evaluations"
    )
    policy = models.CharField(max_length=40, default="train-only")
    n_train = models.PositiveBigIntegerField()
    n_test = models.PositiveBigIntegerField()
    cold_share = models.FloatField(help_text="of test ratings whose user has no training rating")
    train_rmse = models.FloatField(null=True)
    rmse = models.FloatField(null=True, help_text="errors are missing if ratings are not predicted")
    mse = models.FloatField(null=True)
    mae = models.FloatField(null=True)
    figures = models.JSONField(
        default=dict, help_text="the other figures by name; empty in rows of earlier versions"
    )
    users = models.CharField(
        max_length=200, blank=True, help_text="folder of the figures by user, below STUDYSITE_HOME"
    )
    users_checksum = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trained_model", "policy"], name="evaluation_once_per_policy"
            )
        ]

    def __str__(self) -> str:
        return f"{self.trained_model} ({self.policy})"


class Recommendation(models.Model):
    """An item that a trained model recommends to a user, given all their ratings."""

    trained_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, related_name="recommendations"
    )
    user = models.PositiveIntegerField(help_text="row of the rating matrix")
    rank = models.PositiveSmallIntegerField(default=1)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="recommendations")
    score = models.FloatField()
    tied = models.PositiveIntegerField(default=1, help_text="items that share the top score")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trained_model", "user", "rank"], name="recommendation_once_per_rank"
            )
        ]

    def __str__(self) -> str:
        return f"{self.item} for user {self.user}"
