"""URLs of nodes."""

from django.urls import path

from training.nodes import views as nodes_views

urlpatterns = [
    path("runs/<int:pk>/first", nodes_views.first, name="run_first"),
    path("runs/<int:pk>/move", nodes_views.move, name="run_move"),
    path("nodes/", nodes_views.index, name="nodes"),
    path("nodes/<int:pk>/drain", nodes_views.drain, name="node_drain"),
    path("nodes/<int:pk>/resume", nodes_views.resume, name="node_resume"),
    path("nodes/<int:pk>/forget", nodes_views.forget, name="node_forget"),
]
