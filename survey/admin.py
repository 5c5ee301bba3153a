"""Studies in the stock admin: to look at. What was judged cannot be edited anywhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
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
        words = {name: getattr(obj, name) for name in self.words}
        # A translation of words that stand there no more would ask for another consent.
        translations = {
            language: {name: text for name, text in own.items() if name not in form.changed_data}
            for language, own in obj.translations.items()
        }
        draft.update(**words, translations={code: own for code, own in translations.items() if own})


@admin.register(StudyEvent)
class StudyEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "study", "from_status", "to_status", "by", "note"]
    list_filter = ["study"]
    list_select_related = ["study"]


@admin.register(Question)
class QuestionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["study", "number", "user", "first_item", "second_item"]
    list_filter = ["study"]
    list_select_related = ["study", "first_item", "second_item"]


class Discreet(ReadOnly, admin.ModelAdmin):
    """Keeps what may name a person from those who may only look at studies."""

    secrets: ClassVar[list[str]] = []
    discreet: ClassVar[list[str]] = []

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.secrets if may_change(request.user) else [*self.secrets, *self.discreet]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django takes every column of the table: a filter made up in the address would find by
        # whom a link was used, or which pseudonym a panel's name belongs to.
        return lookup.partition("__")[0] in self.list_filter


@admin.register(Appraiser)
class AppraiserAdmin(Discreet):
    list_display = ["pseudonym", "study", "kind", "consented_at", "finished_at", "outcome"]
    list_filter = ["study", "kind", "outcome"]
    list_select_related = ["study"]
    # A panel's names leave by the list for its payment alone: beside a pseudonym they would name
    # who gave which answers.
    secrets: ClassVar = ["token_digest", "panel_person", "panel"]
    discreet: ClassVar = ["completion_code"]


@admin.register(Invitation)
class InvitationAdmin(Discreet):
    list_display = ["study", "number", "created_at", "revoked_at"]
    list_filter = ["study"]
    list_select_related = ["study"]
    # Nor does a label lead to answers: the time of use is that of somebody's consent.
    secrets: ClassVar = ["digest", "used_at", "appraiser"]
    discreet: ClassVar = ["label"]


@admin.register(Response)
class ResponseAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["appraiser", "part", "item", "answer", "answered_at"]
    list_filter = ["appraiser__study", "appraiser__kind", "part"]
    list_select_related = ["appraiser"]


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["study", "kind", "on", "n_judgments"]
    list_filter = ["study", "kind"]
    list_select_related = ["study"]


@admin.register(UploadedRecommendation)
class UploadedRecommendationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["arm", "user", "rank", "item", "score"]
    list_filter = ["arm__study"]
    list_select_related = ["arm", "item"]
    # Counting millions of rows twice a page takes longer than showing a hundred of them.
    show_full_result_count = False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["appraiser", "position", "kind", "question", "left_arm", "shown_at"]
    list_filter = ["appraiser__study", "appraiser__kind", "kind"]
    list_select_related = ["appraiser", "question__study", "left_arm"]
    exclude = ["key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return super().get_queryset(request).defer("question__profile")


@admin.register(Judgment)
class JudgmentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["assignment", "choice", "chosen_arm", "answered_at"]
    list_filter = ["assignment__appraiser__study", "assignment__appraiser__kind", "choice"]
    list_select_related = ["assignment__appraiser", "chosen_arm"]
    date_hierarchy = "answered_at"


@admin.register(JudgmentRevision)
class JudgmentRevisionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["assignment", "number", "choice", "chosen_arm", "answered_at"]
    list_filter = ["assignment__appraiser__study", "assignment__appraiser__kind"]
    list_select_related = ["assignment__appraiser", "chosen_arm"]
