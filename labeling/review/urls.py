"""URLs of review."""

from django.urls import path

from labeling.review import views as review_views
from labeling.review.questions import views as question_views

urlpatterns = [
    path("campaigns/<int:pk>/review/", review_views.queue, name="campaign_review"),
    path(
        "campaigns/<int:pk>/review/<int:item_pk>/", review_views.item, name="campaign_review_item"
    ),
    path(
        "campaigns/<int:pk>/review/<int:item_pk>/gold/<int:judgment_pk>",
        review_views.expert,
        name="campaign_review_expert",
    ),
    path(
        "campaigns/<int:pk>/review/<int:item_pk>/aside/<int:judgment_pk>",
        review_views.set_aside,
        name="campaign_set_aside",
    ),
    path(
        "campaigns/<int:pk>/review/<int:item_pk>/back/<int:judgment_pk>",
        review_views.take_back,
        name="campaign_take_back",
    ),
    path("appeals/", review_views.appeals, name="appeals"),
    path("appeals/<int:pk>/answer", review_views.answer_appeal, name="appeal_answer"),
    path("questions/", question_views.index, name="questions"),
    path("questions/<int:pk>/answer", question_views.answer, name="answer_question"),
]
