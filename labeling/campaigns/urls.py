"""URLs of campaigns."""

from django.urls import path

from labeling.campaigns import views as campaigns_views

urlpatterns = [
    path("campaigns/", campaigns_views.index, name="campaigns"),
    path("campaigns/new/", campaigns_views.new, name="campaign_new"),
    path("campaigns/new/count", campaigns_views.count, name="campaign_count"),
    path("campaigns/<int:pk>/", campaigns_views.detail, name="campaign"),
    path("campaigns/<int:pk>/items/", campaigns_views.items, name="campaign_items"),
    path("campaigns/<int:pk>/items/<int:item_pk>/", campaigns_views.item, name="campaign_item"),
    path("campaigns/<int:pk>/set-up/", campaigns_views.set_up, name="campaign_set_up"),
    path("campaigns/<int:pk>/open", campaigns_views.open_, name="campaign_open"),
    path("campaigns/<int:pk>/pause", campaigns_views.pause, name="campaign_pause"),
    path("campaigns/<int:pk>/close", campaigns_views.close, name="campaign_close"),
    path("campaigns/<int:pk>/discard", campaigns_views.discard, name="campaign_discard"),
    path("campaigns/<int:pk>/reopen", campaigns_views.reopen, name="campaign_reopen"),
    path("campaigns/<int:pk>/set-up/change/", campaigns_views.change, name="campaign_change"),
]
