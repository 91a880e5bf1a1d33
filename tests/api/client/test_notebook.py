"""The notebook of clients/python/examples runs from its first cell to its last, on an empty site
with real workers and a tiny model.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import local_site
import nbformat
import pytest
import services
from django.conf import LazySettings
from django.db import connection
from nbclient import NotebookClient

from tests.trainer.tiny import build_tiny_model
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture

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
def site(
    tmp_path: Path,
    transactional_db: None,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[local_site.LocalSite]:
    """Web server, workers, beat and broker, without a person or a prompt. The database is the
    test's, which is migrated already.
    """
    monkeypatch.setenv("PREFERABLY_TRAINER", " ".join(settings.TRAINER_COMMAND))
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    found = local_site.LocalSite(
        home=tmp_path / "site",
        port=services.free_port(),
        database=f"{server}/{connection.settings_dict['NAME']}",
    )
    found.log("any").parent.mkdir(parents=True)
    try:
        local_site.start_broker(found)
        local_site.start_site(found)
        yield found
    finally:
        local_site.stop(found)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_trainer")
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
