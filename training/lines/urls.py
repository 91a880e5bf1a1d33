"""URLs of lines of models."""

from django.urls import path

from training.lines import views

urlpatterns = [
    path("lines/", views.index, name="lines"),
    path("schedules/<int:pk>/line/", views.line, name="schedule_line"),
    path("schedules/<int:pk>/line.svg", views.picture_file, name="schedule_line_svg"),
]
