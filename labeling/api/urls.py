"""URLs of the labeling app below /api/v1/."""

from accounts.api.views import Router
from labeling.api import exports, hub_imports, imports, judgments, views

router = Router()
router.register("prompts", views.Prompts, "api_prompt")
router.register("pools", views.Pools, "api_pool")
router.register("guidelines", views.Guidelines, "api_guideline")
router.register("imports", imports.Imports, "api_import")
router.register("campaigns", views.Campaigns, "api_campaign")
router.register("judgments", judgments.Judgments, "api_judgment")
router.register("judgment-events", judgments.JudgmentEvents, "api_judgment_event")
router.register("exports", exports.Exports, "api_export")
router.register("hub-imports", hub_imports.HubImports, "api_hub_import")
urlpatterns = router.urls
