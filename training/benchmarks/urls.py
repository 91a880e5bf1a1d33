"""Addresses of suites and scorecards."""

from django.urls import URLPattern, URLResolver, include, path

from training.benchmarks.scorecards.people import views as people_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("training.benchmarks.suites.urls")),
    path("", include("training.benchmarks.scorecards.pages.urls")),
    path("", include("training.benchmarks.attacks.urls")),
    path("models/scorecards/refusals/", people_views.classifier_card, name="refusal_classifier"),
    path("runs/<int:pk>/score/", people_views.score_again, name="run_score_again"),
    path("runs/<int:pk>/suites/<int:suite>/", people_views.rated, name="run_suite"),
    path("runs/<int:pk>/suites/<int:suite>/raters/", people_views.send, name="run_suite_raters"),
]
