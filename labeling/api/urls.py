"""URLs of the labeling app below /api/v1/."""

from accounts.api.views import Router
from labeling.api import guidelines, imports, prompts, views
from labeling.api.campaigns import golds
from labeling.api.campaigns import views as campaigns_views
from labeling.api.people import accounts, crowd, invitations, onboarding, pools, raters

router = Router()
router.register("prompts", prompts.Prompts, "api_prompt")
router.register("guidelines", guidelines.Guidelines, "api_guideline")
router.register("campaigns", campaigns_views.Campaigns, "api_campaign")
router.register("golds", golds.Golds, "api_gold")
router.register("people", accounts.People, "api_person")
router.register("raters", raters.Raters, "api_rater")
router.register("pools", pools.Pools, "api_pool")
router.register("invitations", invitations.Invitations, "api_invitation")
router.register("steps", onboarding.Steps, "api_step")
router.register("attempts", onboarding.Attempts, "api_attempt")
router.register("crowd-links", crowd.CrowdLinks, "api_crowd_link")
router.register("imports", imports.Imports, "api_import")
router.register("judgments", views.Judgments, "api_judgment")
router.register("judgment-events", views.JudgmentEvents, "api_judgment_event")
urlpatterns = router.urls
