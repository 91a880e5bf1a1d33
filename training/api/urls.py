"""Addresses of the training half below /api/v1/."""

from django.urls import path

from training.api import registry, schedules, steering, views

urlpatterns = [
    path("snapshots", views.Snapshots.as_view(), name="api_snapshots"),
    path("snapshots/<int:pk>", views.SnapshotDetail.as_view(), name="api_snapshot"),
    path("runs", views.Runs.as_view(), name="api_runs"),
    path("runs/<int:pk>", views.RunDetail.as_view(), name="api_run"),
    path("runs/<int:pk>/points", views.RunPoints.as_view(), name="api_run_points"),
    path("runs/<int:pk>/samples", views.RunSamples.as_view(), name="api_run_samples"),
    path("runs/<int:pk>/log", views.RunLog.as_view(), name="api_run_log"),
    path("runs/<int:pk>/stop", views.RunStop.as_view(), name="api_run_stop"),
    path("runs/<int:pk>/kill", steering.RunKill.as_view(), name="api_run_kill"),
    path("runs/<int:pk>/retry", views.RunRetry.as_view(), name="api_run_retry"),
    path("runs/estimate", steering.RunEstimate.as_view(), name="api_run_estimate"),
    path("runs/<int:pk>/extend", steering.RunExtend.as_view(), name="api_run_extend"),
    path("runs/<int:pk>/move", steering.RunMove.as_view(), name="api_run_move"),
    path("runs/<int:pk>/priority", steering.RunPriority.as_view(), name="api_run_priority"),
    path("runs/<int:pk>/pin", steering.RunPin.as_view(), name="api_run_pin"),
    path("runs/<int:pk>/unpin", steering.RunUnpin.as_view(), name="api_run_unpin"),
    path("runs/<int:pk>/give-up", steering.RunGiveUp.as_view(), name="api_run_give_up"),
    path("models/<int:pk>/pin", steering.ModelPin.as_view(), name="api_model_pin"),
    path("models/<int:pk>/unpin", steering.ModelUnpin.as_view(), name="api_model_unpin"),
    path("schedules", schedules.Schedules.as_view(), name="api_schedules"),
    path("schedules/<int:pk>", schedules.ScheduleDetail.as_view(), name="api_schedule"),
    path(
        "schedules/<int:pk>/change", schedules.ScheduleChange.as_view(), name="api_schedule_change"
    ),
    path("schedules/<int:pk>/pause", schedules.SchedulePause.as_view(), name="api_schedule_pause"),
    path(
        "schedules/<int:pk>/resume", schedules.ScheduleResume.as_view(), name="api_schedule_resume"
    ),
    path("schedules/<int:pk>/fire", schedules.ScheduleFire.as_view(), name="api_schedule_fire"),
    path("chains", schedules.Chains.as_view(), name="api_chains"),
    path("chains/<int:pk>", schedules.ChainDetail.as_view(), name="api_chain"),
    path("chains/<int:pk>/approve", schedules.ChainApprove.as_view(), name="api_chain_approve"),
    path("chains/<int:pk>/resume", schedules.ChainResume.as_view(), name="api_chain_resume"),
    path("chains/<int:pk>/stop", schedules.ChainStop.as_view(), name="api_chain_stop"),
    path("models", views.Models.as_view(), name="api_models"),
    path("models/<int:pk>", views.ModelDetail.as_view(), name="api_model"),
    path("models/<int:pk>/archive", views.ModelArchive.as_view(), name="api_model_archive"),
    path("models/<int:pk>/change", registry.ModelChange.as_view(), name="api_model_change"),
    path("models/<int:pk>/card", registry.ModelCard.as_view(), name="api_model_card"),
    path(
        "models/<int:pk>/publications",
        registry.ModelPublications.as_view(),
        name="api_model_publications",
    ),
    path("publications/<int:pk>", registry.PublicationDetail.as_view(), name="api_publication"),
]
