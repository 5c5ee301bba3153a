"""Studies in the stock admin: to look at. What was judged cannot be edited anywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from survey.models import Appraiser, Arm, Assignment, Judgment, Question, Study, StudyEvent


class LookOnly:
    """Nothing is added, changed or deleted: services write, and answers stay what they were."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ArmInline(LookOnly, admin.TabularInline):
    model = Arm
    fields = ["position", "label", "trained_model", "publish_job"]


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):
    """The title and the words of a draft may be mended; the rest is drawn and counted."""

    list_display = ["slug", "title", "status", "dataset", "quota", "created_at", "launched_at"]
    list_filter = ["status"]
    search_fields = ["slug", "title"]
    inlines = [ArmInline]
    words = ["title", "consent_text", "instructions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Study | None = None) -> list[str]:
        fields = [field.name for field in Study._meta.fields]
        if obj is not None and obj.status == Study.Status.DRAFT:
            return [name for name in fields if name not in self.words]
        return fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        # Saving the whole row would put back what a launch in the meantime has written.
        draft = Study.objects.filter(pk=obj.pk, status=Study.Status.DRAFT)
        draft.update(**{name: getattr(obj, name) for name in self.words})


@admin.register(StudyEvent)
class StudyEventAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["at", "study", "from_status", "to_status", "by", "note"]
    list_filter = ["study"]
    list_select_related = ["study"]


@admin.register(Question)
class QuestionAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["study", "number", "user", "first_movie", "second_movie"]
    list_filter = ["study"]
    list_select_related = ["study", "first_movie", "second_movie"]


@admin.register(Appraiser)
class AppraiserAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["pseudonym", "study", "kind", "consented_at", "finished_at"]
    list_filter = ["study", "kind"]
    list_select_related = ["study"]
    exclude = ["token_digest"]


@admin.register(Assignment)
class AssignmentAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["appraiser", "position", "question", "left_arm", "shown_at"]
    list_filter = ["appraiser__study", "appraiser__kind"]
    list_select_related = ["appraiser", "question__study", "left_arm"]
    exclude = ["key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return super().get_queryset(request).defer("question__profile")


@admin.register(Judgment)
class JudgmentAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["assignment", "choice", "chosen_arm", "answered_at"]
    list_filter = ["assignment__appraiser__study", "assignment__appraiser__kind", "choice"]
    list_select_related = ["assignment__appraiser", "chosen_arm"]
    date_hierarchy = "answered_at"
