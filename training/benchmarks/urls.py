"""Addresses of suites and scorecards."""

from django.urls import URLPattern, URLResolver, include, path

from training.benchmarks.scorecards import views as scorecards_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("training.benchmarks.suites.urls")),
    path("models/scorecards/", scorecards_views.index, name="scorecards"),
    path("models/scorecards/compare/", scorecards_views.compare, name="scorecard_compare"),
    path("models/scorecards/compare.csv", scorecards_views.compare_csv, name="scorecard_csv"),
    path("models/scorecards/compare.json", scorecards_views.compare_json, name="scorecard_json"),
    path("models/scorecards/compare.svg", scorecards_views.compare_svg, name="scorecard_svg"),
    path("models/<int:pk>/scorecard/", scorecards_views.detail, name="model_scorecard"),
]
