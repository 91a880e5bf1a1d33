"""Addresses of scorecards."""

from django.urls import path

from training.benchmarks.scorecards.pages import views

urlpatterns = [
    path("models/scorecards/", views.index, name="scorecards"),
    path("models/scorecards/compare/", views.compare, name="scorecard_compare"),
    path("models/scorecards/compare.csv", views.compare_csv, name="scorecard_csv"),
    path("models/scorecards/compare.json", views.compare_json, name="scorecard_json"),
    path("models/scorecards/compare.svg", views.compare_svg, name="scorecard_svg"),
    path("models/<int:pk>/scorecard/", views.detail, name="model_scorecard"),
]
