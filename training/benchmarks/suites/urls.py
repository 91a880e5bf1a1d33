"""URLs of suites."""

from django.urls import path

from training.benchmarks.suites import views as suites_views
from training.benchmarks.suites.found_attacks import views as found_attacks_views

urlpatterns = [
    path("suites/", suites_views.index, name="suites"),
    path("suites/new/", suites_views.new, name="suite_new"),
    path("suites/found-attacks/", found_attacks_views.found_attacks, name="suite_found_attacks"),
    path("suites/shipped/", suites_views.load_shipped, name="suites_shipped"),
    path("suites/<int:pk>/", suites_views.detail, name="suite"),
    path("suites/<int:pk>/retire/", suites_views.retire, name="suite_retire"),
    path("suites/<int:pk>/bring-back/", suites_views.bring_back, name="suite_bring_back"),
]
