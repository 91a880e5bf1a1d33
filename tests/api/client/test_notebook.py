"""The notebook of clients/python/examples runs from its first cell to its last, on an empty site
with real workers and a tiny model.
"""

from collections.abc import Iterator
from pathlib import Path

import local_site
import nbformat
import pytest
import services
from nbclient import NotebookClient

from tests.trainer.tiny import build_tiny_model

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "clients/python/examples/from_nothing_to_a_model.ipynb"
MINUTES = 5
TOKEN = """
from django.utils import timezone
from accounts.login import tokens
from accounts.models import User
from accounts.access import scopes_of
bo = User.objects.create_user(
    email="bo@example.org", name="Bo", password=None, is_admin=True, is_researcher=True
)
made = tokens.create_token(
    user=bo, name="notebook", scopes=scopes_of(bo.roles), n_days=1, now=timezone.now()
)
print(made[1])
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[local_site.LocalSite]:
    """Web server, workers, beat and broker, without a person or a prompt."""
    home = tmp_path / "site"
    found = local_site.LocalSite(
        home=home, port=services.free_port(), database=f"sqlite:///{home / 'site.sqlite3'}"
    )
    found.log("any").parent.mkdir(parents=True)
    try:
        local_site.start_broker(found)
        local_site.manage(found, "migrate", "--verbosity", "0")
        local_site.start_site(found)
        yield found
    finally:
        local_site.stop(found)


@pytest.mark.slow
def test_the_notebook_goes_from_an_empty_site_to_a_trained_model(
    site: local_site.LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = local_site.manage(site, "shell", "--no-imports", "-c", TOKEN).strip()
    monkeypatch.setenv("PREFERABLY_SITE", site.address)
    monkeypatch.setenv("PREFERABLY_TOKEN", token)
    monkeypatch.setenv("BASE_MODEL", str(build_tiny_model(site.home / "tiny")))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "clients/python/src"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]

    NotebookClient(notebook, timeout=60 * MINUTES, kernel_name="python3").execute()

    (scorecard,) = (
        output["data"]["text/plain"]
        for output in notebook.cells[-2].outputs
        if output.output_type == "execute_result"
    )
    assert "capitals" in scorecard
