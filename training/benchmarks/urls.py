"""Addresses of suites and scorecards."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("training.benchmarks.suites.urls")),
]
