"""Endpoints that answer with a file."""

from rest_framework.renderers import BaseRenderer, JSONRenderer


class FileRenderer(BaseRenderer):
    """Lets a client accept a kind of file. The file is sent without a renderer; only errors are
    rendered, always as JSON. A subclass has `media_type` and `format`.
    """

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: object = None
    ) -> bytes:
        return JSONRenderer().render(data)
