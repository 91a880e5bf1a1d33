"""Django's registration of the presentation room, so that its template tags are found."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "pages"
