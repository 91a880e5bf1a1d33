"""URLs of golds and cases."""

from django.urls import path

from labeling.queue.cases import views as cases_views
from labeling.queue.gold import views as gold_views

urlpatterns = [
    path("campaigns/<int:pk>/gold/", gold_views.index, name="campaign_gold"),
    path("campaigns/<int:pk>/gold/settings", gold_views.settings, name="campaign_gold_settings"),
    path("campaigns/<int:pk>/gold/import", gold_views.import_file, name="campaign_gold_import"),
    path("campaigns/<int:pk>/gold/use", gold_views.use_others, name="campaign_gold_use"),
    path(
        "campaigns/<int:pk>/gold/<int:gold_pk>/retire",
        gold_views.retire,
        name="campaign_gold_retire",
    ),
    path(
        "campaigns/<int:pk>/gold/<int:gold_pk>/bring-back",
        gold_views.bring_back,
        name="campaign_gold_bring_back",
    ),
    path(
        "campaigns/<int:pk>/raters/<int:rater_pk>/pause",
        gold_views.pause_rater,
        name="campaign_rater_pause",
    ),
    path(
        "campaigns/<int:pk>/raters/<int:rater_pk>/resume",
        gold_views.resume_rater,
        name="campaign_rater_resume",
    ),
    path("queues/", cases_views.index, name="queues"),
    path("queues/<str:name>/", cases_views.queue, name="queue"),
    path("cases/<int:pk>/own", cases_views.own, name="case_own"),
    path("cases/<int:pk>/settle", cases_views.settle, name="case_settle"),
    path("questions/<int:pk>/own", cases_views.own_question, name="question_own"),
]
