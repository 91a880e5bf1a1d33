"""URLs of training below /api/v1/."""

from accounts.api.views import Router
from training.api import (
    benchmarks,
    lineage,
    nodes,
    registry,
    schedules,
    scorecards,
    storage,
    suites,
    views,
    withdrawals,
)
from training.api.snapshots import curations, snapshots

router = Router()
further = Router()  # a router takes only one view set under a name
router.register("snapshots", snapshots.Snapshots, "api_snapshot")
router.register("curations", curations.Curations, "api_curation")
router.register("restored-documents", curations.RestoredDocuments, "api_restored_document")
router.register("suites", suites.Suites, "api_suite")
router.register("runs", views.Runs, "api_run")
router.register("schedules", schedules.Schedules, "api_schedule")
router.register("chains", schedules.Chains, "api_chain")
router.register("models", registry.Models, "api_model")
router.register("publications", registry.Publications, "api_publication")
further.register("snapshots", lineage.SnapshotChecks, "api_snapshot")
further.register("suites", benchmarks.SuiteItems, "api_suite")
further.register("runs", benchmarks.BenchmarkRuns, "api_run")
further.register("models", lineage.ModelLineage, "api_model")
router.register("lineage/campaigns", lineage.CampaignLineage, "api_campaign_lineage")
router.register("lineage/prompts", lineage.PromptLineage, "api_prompt_lineage")
router.register("scorecards", scorecards.Scorecards, "api_scorecard")
router.register("nodes", nodes.Nodes, "api_node")
router.register("withdrawals", withdrawals.Withdrawals, "api_withdrawal")
router.register("storage", storage.Storage, "api_storage")
urlpatterns = [*router.urls, *further.urls]
