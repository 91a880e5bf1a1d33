"""Renders `{{ form }}` and `{{ form.field.as_field_group }}` with our own components."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    form_template_name = "components/_form.html"
    field_template_name = "components/_field.html"
