"""URLs of the labeling app below /api/v1/."""

from accounts.api.views import Router
from labeling.api import imports, views

router = Router()
router.register("prompts", views.Prompts, "api_prompt")
router.register("pools", views.Pools, "api_pool")
router.register("guidelines", views.Guidelines, "api_guideline")
router.register("imports", imports.Imports, "api_import")
router.register("campaigns", views.Campaigns, "api_campaign")
router.register("judgments", views.Judgments, "api_judgment")
router.register("judgment-events", views.JudgmentEvents, "api_judgment_event")
urlpatterns = router.urls
