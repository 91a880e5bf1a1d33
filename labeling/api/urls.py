"""URLs of the labeling app below /api/v1/."""

from django.urls import path

from labeling.api import views

urlpatterns = [
    path("prompts", views.Prompts.as_view(), name="api_prompts"),
    path("prompts/<int:pk>", views.PromptDetail.as_view(), name="api_prompt"),
    path("pools", views.Pools.as_view(), name="api_pools"),
    path("pools/<int:pk>", views.PoolDetail.as_view(), name="api_pool"),
    path("guidelines", views.Guidelines.as_view(), name="api_guidelines"),
    path("campaigns", views.Campaigns.as_view(), name="api_campaigns"),
    path("campaigns/<int:pk>", views.CampaignDetail.as_view(), name="api_campaign"),
    path("campaigns/<int:pk>/open", views.CampaignOpen.as_view(), name="api_campaign_open"),
    path("campaigns/<int:pk>/pause", views.CampaignPause.as_view(), name="api_campaign_pause"),
    path("campaigns/<int:pk>/close", views.CampaignClose.as_view(), name="api_campaign_close"),
    path("judgments", views.Judgments.as_view(), name="api_judgments"),
]
