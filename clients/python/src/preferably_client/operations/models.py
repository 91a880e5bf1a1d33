"""Models, their cards, scorecards and publications."""

from os import PathLike
from pathlib import Path
from typing import Any

from preferably_client.core import Call, Download, Listing, Request, get, pages, post
from preferably_client.operation import download, listing, operation
from preferably_client.rows.models import Card, Model, Publication, Scorecard


class ModelOperations:
    @listing
    def list_models(self, *, kind: str | None = None) -> Listing[Model]:
        return pages(Model, "models", kind=kind)

    @operation
    def read_model(self, model_id: int) -> Call[Model]:
        return get(Model, f"models/{model_id}")

    @operation
    def register_model(self, /, name: str, location: str, **about: Any) -> Call[Model]:
        """`about`: kind, is_elsewhere, licence, notes."""
        return post(Model, "models", {"name": name, "location": location} | about)

    @download
    def export_model(
        self, model_id: int, path: str | PathLike[str], *, weights: str = "merged"
    ) -> Download:
        """Streams its archive, a .tar, to `path`. Returns the number of bytes. `weights`: merged,
        or only the LoRA adapter.
        """
        request = Request("GET", f"models/{model_id}/archive", query={"weights": weights})
        return Download(request, Path(path))

    @operation
    def change_model(self, /, model_id: int, **wanted: str) -> Call[Model]:
        """`wanted`: stage, licence, notes, card. Omitted fields keep their value."""
        return post(Model, f"models/{model_id}/change", wanted)

    @operation
    def read_model_card(self, model_id: int) -> Call[Card]:
        return get(Card, f"models/{model_id}/card")

    @operation
    def read_model_scorecard(
        self, model_id: int, *, baseline: int | None = None
    ) -> Call[Scorecard]:
        """`baseline`: the model to compare with; its parent unless given."""
        return get(Scorecard, f"models/{model_id}/scorecard", baseline=baseline)

    @operation
    def publish_model(
        self, model_id: int, repository: str, *, is_private: bool = True
    ) -> Call[Publication]:
        """Starts publishing it to `repository` (owner/name); read_publication shows progress."""
        body = {"repository": repository, "is_private": is_private}
        return post(Publication, f"models/{model_id}/publications", body)

    @listing
    def list_model_publications(self, model_id: int) -> Listing[Publication]:
        return pages(Publication, f"models/{model_id}/publications")

    @operation
    def read_publication(self, publication_id: int) -> Call[Publication]:
        return get(Publication, f"publications/{publication_id}")

    @operation
    def pin_model(self, model_id: int) -> Call[Model]:
        """Always keep its weights."""
        return post(Model, f"models/{model_id}/pin")

    @operation
    def unpin_model(self, model_id: int) -> Call[Model]:
        return post(Model, f"models/{model_id}/unpin")
