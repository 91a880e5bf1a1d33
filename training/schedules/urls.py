"""URLs of schedules."""

from django.urls import path

from training.schedules import views as schedules_views

urlpatterns = [
    path("schedules/", schedules_views.index, name="schedules"),
    path("schedules/when", schedules_views.when, name="schedule_when"),
    path("schedules/power", schedules_views.power, name="schedule_power"),
    path("schedules/new/<slug:template>/", schedules_views.new, name="schedule_new"),
    path("schedules/<int:pk>/", schedules_views.detail, name="schedule"),
    path("schedules/<int:pk>/edit/", schedules_views.edit, name="schedule_edit"),
    path("schedules/<int:pk>/pause", schedules_views.pause, name="schedule_pause"),
    path("schedules/<int:pk>/resume", schedules_views.resume, name="schedule_resume"),
    path("schedules/<int:pk>/fire", schedules_views.fire, name="schedule_fire"),
    path("chains/<int:pk>/", schedules_views.chain, name="chain"),
    path("chains/<int:pk>/approve", schedules_views.approve, name="chain_approve"),
    path("chains/<int:pk>/decide", schedules_views.decide, name="chain_decide"),
    path("chains/<int:pk>/resume", schedules_views.resume_chain, name="chain_resume"),
    path("chains/<int:pk>/stop", schedules_views.stop_chain, name="chain_stop"),
]
