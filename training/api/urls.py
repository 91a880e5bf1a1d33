"""URLs of training below /api/v1/: each room's `api` has its endpoints."""

from accounts.api.views import Router
from training.benchmarks.scorecards import api as scorecards
from training.benchmarks.suites import api as suites
from training.nodes import api as nodes
from training.registry import api as registry
from training.registry.lineage import api as lineage
from training.runs.api import benchmark_runs
from training.runs.api import views as runs
from training.schedules import api as schedules
from training.snapshots import api as snapshots
from training.snapshots.curation import api as curation
from training.storage import api as storage

router = Router()
further = Router()  # a router takes only one view set under a name
router.register("snapshots", snapshots.Snapshots, "api_snapshot")
router.register("curations", curation.Curations, "api_curation")
router.register("restored-documents", curation.RestoredDocuments, "api_restored_document")
router.register("suites", suites.Suites, "api_suite")
router.register("runs", runs.Runs, "api_run")
router.register("schedules", schedules.Schedules, "api_schedule")
router.register("chains", schedules.Chains, "api_chain")
router.register("models", registry.Models, "api_model")
router.register("publications", registry.Publications, "api_publication")
further.register("snapshots", curation.SnapshotLedger, "api_snapshot")
further.register("runs", benchmark_runs.BenchmarkRuns, "api_run")
further.register("models", lineage.ModelLineage, "api_model")
router.register("lineage/campaigns", lineage.CampaignLineage, "api_campaign_lineage")
router.register("lineage/prompts", lineage.PromptLineage, "api_prompt_lineage")
router.register("scorecards", scorecards.Scorecards, "api_scorecard")
router.register("nodes", nodes.Nodes, "api_node")
router.register("withdrawals", lineage.Withdrawals, "api_withdrawal")
router.register("storage", storage.Storage, "api_storage")
urlpatterns = [*router.urls, *further.urls]
