"""The URLs of the whole site."""

from django.contrib import admin
from django.urls import include, path

from studysite.health import healthz

admin.autodiscover()

urlpatterns = [
    path("", include("survey.urls")),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
