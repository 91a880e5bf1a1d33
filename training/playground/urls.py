"""URLs of playground."""

from django.urls import path

from training.playground import views as playground_views

urlpatterns = [
    path("models/try/", playground_views.chat, name="model_try"),
    path("models/try/ask", playground_views.ask, name="model_ask"),
    path("models/try/answers/<slug:answer>", playground_views.answer, name="model_answer"),
    path("models/try/answers/<slug:answer>/stop", playground_views.stop, name="model_answer_stop"),
    path("models/try/keep/", playground_views.keep, name="model_keep"),
    path("models/try/kept/<int:pk>/", playground_views.kept_turn, name="model_kept"),
]
