"""A row of every kind of job, as a person requests it. A new kind of job needs one here."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from accounts.models import User
from jobs.models import Job
from labeling.data.exports import jobs as export_jobs
from labeling.data.hub import jobs as hub_jobs
from labeling.data.imports import services as imports_services
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Export, HubDownload, Import
from labeling.people.pools import services as pools_services
from tests.cast import NOON, open_comparison_campaign
from tests.training.judges.conftest import a_judge, a_model, started
from tests.training.snapshots.curating import documents, upload_of
from training.models import Curation, Publication, Verdict
from training.registry import publish
from training.registry import services as registry_services
from training.snapshots.curation import services as curation_services


def _export(by: User) -> Export:
    return export_jobs.request_export(campaign=None, shape="preferences", by=by, now=NOON)


def _import(by: User) -> Import:
    path = Path(settings.UPLOADS_DIR) / "rows.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"prompt": "One?"}\n')
    return imports_services.start_import(
        path=path,
        file_name=path.name,
        file_format=None,
        source_name="rows",
        licence="CC0-1.0",
        by=by,
        now=NOON,
    )


def _download(by: User) -> HubDownload:
    return hub_jobs.request_download(repository="team/preferences", by=by, now=NOON)


def _curation(by: User) -> Curation:
    """Of a text that is gone, so that no process has to be started for it."""
    curation = curation_services.start_curation(
        name="web text",
        kind="text",
        recipe="light",
        filters={"licence": "CC0-1.0", "min_characters": 10},
        upload=upload_of(*documents()),
        makes_snapshot=False,
        by=by,
        now=NOON,
    )
    shutil.rmtree(curation_services.folder_of(curation=curation))
    return curation


def _publication(by: User) -> Publication:
    model = registry_services.register_model(
        name=f"ours {Publication.objects.count()}",
        kind="policy",
        location="team/base",
        licence="Apache-2.0",
        by=by,
        now=NOON,
    )
    return publish.publish_model(
        model=model, repository="team/ours", is_private=True, by=by, now=NOON
    )


def _verdict(by: User) -> Verdict:
    """Of a pair that is too long for the model, so that no server has to be there for it."""
    n = Campaign.objects.count()
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    name = f"pairs {n}"
    campaign = open_comparison_campaign(
        pool=pools_services.create_pool(name=name, by=None, now=NOON),
        guideline=guidelines_services.create_guideline(name=name, text="Help.", by=None, now=NOON),
        name=name,
        n_items=1,
        n_responses=2,
    )
    model = a_model("http://127.0.0.1:9/v1", by, name=name)
    judge = started(a_judge(campaign, model, by, context_tokens=1), by, now=NOON)
    verdicts = Verdict.objects.filter(version__judge=judge).order_by("pk")
    verdicts.exclude(order=0).delete()
    return verdicts.get()


FACTORIES: dict[type[Job], Callable[[User], Job]] = {
    Export: _export,
    Import: _import,
    HubDownload: _download,
    Curation: _curation,
    Publication: _publication,
    Verdict: _verdict,
}
