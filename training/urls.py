"""Addresses of the training half. Who may open which is config.permissions."""

from django.urls import path

from training.views import compare, models, nodes, runs, schedules, snapshots, withdrawals

urlpatterns = [
    path("runs/", runs.index, name="runs"),
    path("runs/new/<slug:kind>/", runs.new, name="run_new"),
    path("runs/compare/", compare.compare, name="run_compare"),
    path("runs/<int:pk>/", runs.detail, name="run"),
    path("runs/<int:pk>/first", nodes.first, name="run_first"),
    path("runs/<int:pk>/remarks", compare.describe, name="run_describe"),
    path("runs/<int:pk>/live", runs.fragment, name="run_fragment"),
    path("runs/<int:pk>/stop", runs.stop, name="run_stop"),
    path("runs/<int:pk>/retry", runs.retry, name="run_retry"),
    path("snapshots/", snapshots.index, name="snapshots"),
    path("snapshots/new/", snapshots.new, name="snapshot_new"),
    path("snapshots/<int:pk>/", snapshots.detail, name="snapshot"),
    path("models/", models.index, name="models"),
    path("models/new/", models.new, name="model_new"),
    path("models/<int:pk>/", models.detail, name="model"),
    path("schedules/", schedules.index, name="schedules"),
    path("schedules/new/<slug:template>/", schedules.new, name="schedule_new"),
    path("schedules/<int:pk>/", schedules.detail, name="schedule"),
    path("schedules/<int:pk>/edit/", schedules.edit, name="schedule_edit"),
    path("schedules/<int:pk>/pause", schedules.pause, name="schedule_pause"),
    path("schedules/<int:pk>/resume", schedules.resume, name="schedule_resume"),
    path("schedules/<int:pk>/fire", schedules.fire, name="schedule_fire"),
    path("chains/<int:pk>/", schedules.chain, name="chain"),
    path("chains/<int:pk>/approve", schedules.approve, name="chain_approve"),
    path("chains/<int:pk>/resume", schedules.resume_chain, name="chain_resume"),
    path("chains/<int:pk>/stop", schedules.stop_chain, name="chain_stop"),
    path("nodes/", nodes.index, name="nodes"),
    path("nodes/<int:pk>/drain", nodes.drain, name="node_drain"),
    path("nodes/<int:pk>/resume", nodes.resume, name="node_resume"),
    path("nodes/<int:pk>/forget", nodes.forget, name="node_forget"),
    path("raters/<int:pk>/withdrawal/", withdrawals.withdrawal, name="withdrawal"),
    path("raters/<int:pk>/withdraw", withdrawals.withdraw, name="rater_withdraw"),
    path("raters/<int:pk>/readmit", withdrawals.readmit, name="rater_readmit"),
]
