"""URLs of prompts, imports and exports."""

from django.urls import path

from labeling.data import export_views
from labeling.data.hub import views as hub_views
from labeling.data.imports import views as imports_views
from labeling.data.imports.answers import views as answers_views
from labeling.data.prompts import views as prompts_views

urlpatterns = [
    path("campaigns/<int:pk>/export/", export_views.export, name="export"),
    path("campaigns/import/", answers_views.new, name="answers_import"),
    path("campaigns/<int:pk>/export/list", export_views.listed, name="export_list"),
    path("exports/<int:pk>/", export_views.detail, name="export_detail"),
    path("exports/<int:pk>/file", export_views.file, name="export_file"),
    path("prompts/", prompts_views.index, name="prompts"),
    path("prompts/new/", prompts_views.new, name="prompt_new"),
    path("prompts/imports/", imports_views.index, name="imports"),
    path("prompts/imports/new/", imports_views.new, name="import_new"),
    path("prompts/imports/hub/new/", hub_views.new, name="hub_import_new"),
    path("prompts/imports/hub/<int:pk>/", hub_views.detail, name="hub_import"),
    path("prompts/imports/<int:pk>/", imports_views.detail, name="import_detail"),
    path("prompts/imports/<int:pk>/agreement/", imports_views.agreement, name="import_agreement"),
    path("prompts/imports/<int:pk>/publish", imports_views.publish, name="import_publish"),
    path("prompts/imports/<int:pk>/discard/", imports_views.discard, name="import_discard"),
    path("prompts/<int:pk>/", prompts_views.detail, name="prompt"),
    path("prompts/<int:pk>/edit/", prompts_views.edit, name="prompt_edit"),
    path("prompts/<int:pk>/retire/", prompts_views.retire, name="prompt_retire"),
    path("prompts/<int:pk>/upsetting", prompts_views.upsetting, name="prompt_upsetting"),
]
