"""URLs of runs."""

from django.urls import path

from training.runs.views import compare, parts, runs

urlpatterns = [
    path("runs/", runs.index, name="runs"),
    path("runs/new/<slug:kind>/", runs.new, name="run_new"),
    path("runs/new/<slug:kind>/cost", runs.cost, name="run_cost"),
    path("runs/compare/", compare.compare, name="run_compare"),
    path("runs/<int:pk>/", runs.detail, name="run"),
    path("runs/<int:pk>/remarks", parts.describe, name="run_describe"),
    path("runs/<int:pk>/live", runs.fragment, name="run_fragment"),
    path("runs/<int:pk>/stop", runs.stop, name="run_stop"),
    path("runs/<int:pk>/kill", runs.kill, name="run_kill"),
    path("runs/<int:pk>/retry", runs.retry, name="run_retry"),
    path("runs/<int:pk>/extend", parts.extend, name="run_extend"),
    path(
        "runs/<int:pk>/ask-for-comparison",
        parts.ask_for_comparison,
        name="run_ask_for_comparison",
    ),
    path("runs/<int:pk>/log/", parts.log, name="run_log"),
    path("runs/<int:pk>/archive", parts.archive, name="run_archive"),
]
