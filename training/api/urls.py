"""URLs of training below /api/v1/."""

from accounts.api.views import Router
from training.api import curations, registry, schedules, suites, views

router = Router()
router.register("snapshots", views.Snapshots, "api_snapshot")
router.register("curations", curations.Curations, "api_curation")
router.register("restored-documents", curations.RestoredDocuments, "api_restored_document")
router.register("suites", suites.Suites, "api_suite")
router.register("runs", views.Runs, "api_run")
router.register("schedules", schedules.Schedules, "api_schedule")
router.register("chains", schedules.Chains, "api_chain")
router.register("models", registry.Models, "api_model")
router.register("publications", registry.Publications, "api_publication")
urlpatterns = router.urls
