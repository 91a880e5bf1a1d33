"""URLs of storage."""

from django.urls import path

from training.storage import views as storage_views

urlpatterns = [
    path("runs/<int:pk>/pin", storage_views.pin_run, name="run_pin"),
    path("runs/<int:pk>/give-up", storage_views.give_up, name="run_give_up"),
    path("models/<int:pk>/pin", storage_views.pin_model, name="model_pin"),
    path("storage/", storage_views.index, name="storage"),
    path("storage/free/", storage_views.free, name="storage_free"),
]
