"""URLs of training on a campaign."""

from django.urls import path

from training.train_on_campaign import views

urlpatterns = [
    path("train/", views.index, name="train"),
    path("train/<int:pk>/", views.train, name="train_on_campaign"),
]
