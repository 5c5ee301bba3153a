"""Studies in Django's admin, read-only except for the texts of a draft."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from recommender.admin import ReadOnly
from survey.access import may_change
from survey.models import (
    Appraiser,
    Arm,
    Assignment,
    Invitation,
    Judgment,
    JudgmentRevision,
    Question,
    Response,
    Study,
    StudyEvent,
    UploadedRecommendation,
    Withdrawal,
)


class ArmInline(ReadOnly, admin.TabularInline):
    model = Arm
    fields = ["position", "label", "trained_model", "upload_name", "upload_checksum", "publish_job"]


@admin.register(Study)
class StudyAdmin(ReadOnly, admin.ModelAdmin):
    """The title and the texts of a draft can be edited; everything else is read-only."""

    list_display = ["slug", "title", "status", "dataset", "quota", "created_at", "launched_at"]
    list_filter = ["status"]
    search_fields = ["slug", "title"]
    inlines = [ArmInline]
    texts = ["title", "consent_text", "instructions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Study | None = None) -> list[str]:
        editable = self.texts if obj is not None and obj.status == Study.Status.DRAFT else []
        return [field.name for field in Study._meta.fields if field.name not in editable]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        # Saving the whole row would overwrite what a concurrent launch has written.
        draft = Study.objects.filter(pk=obj.pk, status=Study.Status.DRAFT)
        texts = {name: getattr(obj, name) for name in self.texts}
        # A translation of the old text would ask for another consent.
        translations = {
            language: {name: text for name, text in own.items() if name not in form.changed_data}
            for language, own in obj.translations.items()
        }
        draft.update(**texts, translations={code: own for code, own in translations.items() if own})


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    pass


class PrivateAdmin(ReadOnlyAdmin):
    """Hides ``secrets`` from everyone, and ``restricted`` from users who may only view studies."""

    secrets: ClassVar[list[str]] = []
    restricted: ClassVar[list[str]] = []

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.secrets if may_change(request.user) else [*self.secrets, *self.restricted]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django would filter by any column named in the address. That would reveal who used a
        # link, or which pseudonym a panel's id belongs to.
        return lookup.partition("__")[0] in self.list_filter


@admin.register(Appraiser)
class AppraiserAdmin(PrivateAdmin):
    list_display = ["pseudonym", "study", "kind", "consented_at", "finished_at", "outcome"]
    list_filter = ["study", "kind", "outcome"]
    list_select_related = ["study"]
    # Next to a pseudonym, the panel's id would tell who gave which answers. It leaves the
    # database only in the panel's payment list.
    secrets: ClassVar = ["token_digest", "panel_person", "panel", "latest_panel"]
    restricted: ClassVar = ["completion_code"]


@admin.register(Invitation)
class InvitationAdmin(PrivateAdmin):
    list_display = ["study", "number", "created_at", "revoked_at"]
    list_filter = ["study"]
    list_select_related = ["study"]
    # The time of use equals the time of an appraiser's consent, and would link label and answers.
    secrets: ClassVar = ["digest", "used_at", "appraiser"]
    restricted: ClassVar = ["label"]


@admin.register(UploadedRecommendation)
class UploadedRecommendationAdmin(ReadOnlyAdmin):
    list_display = ["arm", "user", "rank", "item", "score"]
    list_filter = ["arm__study"]
    list_select_related = ["arm", "item"]
    # Counting millions of rows twice takes longer than showing a hundred of them.
    show_full_result_count = False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["appraiser", "position", "kind", "question", "left_arm", "shown_at"]
    list_filter = ["appraiser__study", "appraiser__kind", "kind"]
    list_select_related = ["appraiser", "question__study", "left_arm"]
    exclude = ["key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return super().get_queryset(request).defer("question__profile")


admin.site.register(
    StudyEvent,
    ReadOnlyAdmin,
    list_display=["at", "study", "from_status", "to_status", "by", "note"],
    list_filter=["study"],
    list_select_related=["study"],
)
admin.site.register(
    Question,
    ReadOnlyAdmin,
    list_display=["study", "number", "user", "first_item", "second_item"],
    list_filter=["study"],
    list_select_related=["study", "first_item", "second_item"],
)
admin.site.register(
    Response,
    ReadOnlyAdmin,
    list_display=["appraiser", "part", "item", "answer", "answered_at"],
    list_filter=["appraiser__study", "appraiser__kind", "part"],
    list_select_related=["appraiser"],
)
admin.site.register(
    Withdrawal,
    ReadOnlyAdmin,
    list_display=["study", "kind", "on", "n_judgments"],
    list_filter=["study", "kind"],
    list_select_related=["study"],
)
admin.site.register(
    Judgment,
    ReadOnlyAdmin,
    list_display=["assignment", "choice", "chosen_arm", "answered_at"],
    list_filter=["assignment__appraiser__study", "assignment__appraiser__kind", "choice"],
    list_select_related=["assignment__appraiser", "chosen_arm"],
    date_hierarchy="answered_at",
)
admin.site.register(
    JudgmentRevision,
    ReadOnlyAdmin,
    list_display=["assignment", "number", "choice", "chosen_arm", "answered_at"],
    list_filter=["assignment__appraiser__study", "assignment__appraiser__kind"],
    list_select_related=["assignment__appraiser", "chosen_arm"],
)
