"""The URL of the operations page. config.urls has those of probes and metrics."""

from django.urls import path

from training.operations import views as operations_views

urlpatterns = [path("operations/", operations_views.index, name="operations")]
