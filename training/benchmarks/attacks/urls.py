"""Addresses of attacks."""

from django.urls import path

from training.benchmarks.attacks import views

urlpatterns = [
    path("runs/<int:pk>/attacks/", views.attacks, name="run_attacks"),
    path("runs/<int:pk>/attacks/raters/", views.send, name="run_attacks_raters"),
]
