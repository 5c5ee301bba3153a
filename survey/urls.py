"""Addresses of appraisers and researchers."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
