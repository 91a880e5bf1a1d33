"""URLs of the labeling app below /api/v1/."""

from accounts.api.views import Router
from labeling.api import imports, views
from labeling.api.people import prolific

router = Router()
router.register("prompts", views.Prompts, "api_prompt")
router.register("pools", views.Pools, "api_pool")
router.register("guidelines", views.Guidelines, "api_guideline")
router.register("imports", imports.Imports, "api_import")
router.register("campaigns", views.Campaigns, "api_campaign")
router.register("judgments", views.Judgments, "api_judgment")
router.register("judgment-events", views.JudgmentEvents, "api_judgment_event")
router.register("prolific-studies", prolific.ProlificStudies, "api_prolific_study")
router.register("prolific-submissions", prolific.ProlificSubmissions, "api_prolific_submission")
router.register("prolific-bonuses", prolific.ProlificBonuses, "api_prolific_bonus")
urlpatterns = router.urls
