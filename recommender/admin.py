"""A read-only admin: jobs and commands write these rows, not people."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from recommender.models import Dataset, Evaluation, Job, LabelSet, TrainedModel, Worker
from recommender.services.submitting import cancel_job


class ReadOnly:
    """Rows can be viewed, but not added, changed or deleted."""

    def _never(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _never


class LabelSetInline(ReadOnly, admin.TabularInline):
    model = LabelSet


@admin.register(Dataset)
class DatasetAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "format", "n_ratings", "n_users", "n_items", "created_at")
    inlines = (LabelSetInline,)


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "kind", "system", "status", "phase", "attempts", "created_at", "error")
    list_filter = ("status", "kind")
    actions = ("cancel",)

    @admin.display
    def system(self, job: Job) -> str:
        return str(job.params.get("system", ""))

    @admin.action(description="Cancel selected jobs", permissions=["cancel"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        cancelled = sum(map(cancel_job, jobs.values_list("pk", flat=True)))
        late = jobs.count() - cancelled
        self.message_user(request, f"{cancelled} cancelled; running ones stop within seconds.")
        if late:
            self.message_user(request, f"{late} had ended before.", messages.WARNING)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommender.change_job")


@admin.register(Worker)
class WorkerAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "queues", "has_card", "seen_at")


class EvaluationInline(ReadOnly, admin.TabularInline):
    model = Evaluation


@admin.register(TrainedModel)
class TrainedModelAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "id", "system", "preset", "dataset", "split", "status", "rmse", "seconds", "created_at",
    )  # fmt: skip
    list_filter = ("system", "dataset", "split", "status")
    inlines = (EvaluationInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainedModel]:
        found = super().get_queryset(request)
        return found.select_related("dataset").prefetch_related("evaluations")

    @admin.display
    def rmse(self, model: TrainedModel) -> Any:
        found = next((item.rmse for item in model.evaluations.all()), None)
        return "–" if found is None else f"{found:.4f}"
