"""URLs of runs."""

from django.urls import path

from training.runs import compare_views, part_views
from training.runs import views as runs_views

urlpatterns = [
    path("runs/", runs_views.index, name="runs"),
    path("runs/new/<slug:kind>/", runs_views.new, name="run_new"),
    path("runs/new/<slug:kind>/cost", runs_views.cost, name="run_cost"),
    path("runs/compare/", compare_views.compare, name="run_compare"),
    path("runs/<int:pk>/", runs_views.detail, name="run"),
    path("runs/<int:pk>/remarks", compare_views.describe, name="run_describe"),
    path("runs/<int:pk>/live", runs_views.fragment, name="run_fragment"),
    path("runs/<int:pk>/stop", runs_views.stop, name="run_stop"),
    path("runs/<int:pk>/kill", runs_views.kill, name="run_kill"),
    path("runs/<int:pk>/retry", runs_views.retry, name="run_retry"),
    path("runs/<int:pk>/extend", part_views.extend, name="run_extend"),
    path("runs/<int:pk>/log/", part_views.log, name="run_log"),
    path("runs/<int:pk>/archive", part_views.archive, name="run_archive"),
]
