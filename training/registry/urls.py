"""URLs of registry."""

from django.urls import path

from training.registry import export_views
from training.registry import views as registry_views
from training.registry.lineage import views as lineage_views
from training.registry.lineage import withdrawal_views

urlpatterns = [
    path("lineage/campaigns/<int:pk>/", lineage_views.campaign, name="lineage_campaign"),
    path("lineage/prompts/<int:pk>/", lineage_views.prompt, name="lineage_prompt"),
    path("exports/<int:pk>/publish/", export_views.publish, name="export_publish"),
    path("exports/<int:pk>/publications", export_views.publications, name="export_publications"),
    path("models/", registry_views.index, name="models"),
    path("models/new/", registry_views.new, name="model_new"),
    path("models/<int:pk>/", registry_views.detail, name="model"),
    path("models/<int:pk>/edit/", registry_views.edit, name="model_edit"),
    path("models/<int:pk>/responses/", registry_views.responses, name="model_responses"),
    path("models/<int:pk>/archive", registry_views.archive, name="model_archive"),
    path("models/<int:pk>/publish", registry_views.publish, name="model_publish"),
    path("models/<int:pk>/publications", registry_views.publications, name="model_publications"),
    path("models/endpoints/new/", registry_views.new_endpoint, name="model_endpoint_new"),
    path("raters/<int:pk>/withdrawal/", withdrawal_views.withdrawal, name="withdrawal"),
    path("raters/<int:pk>/withdraw", withdrawal_views.withdraw, name="rater_withdraw"),
    path("raters/<int:pk>/readmit", withdrawal_views.readmit, name="rater_readmit"),
]
