"""Registers pages with Django so that its template tags are found."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "pages"
