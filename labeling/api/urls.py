"""URLs of the labeling app below /api/v1/."""

from accounts.api.views import Router
from labeling.api import exports, guidelines, hub_imports, imports, judgments, prompts, responses
from labeling.api.campaigns import golds
from labeling.api.campaigns import views as campaigns_views
from labeling.api.people import accounts, crowd, invitations, onboarding, pools, prolific, raters
from labeling.api.results import pay, quality, queues, review

router = Router()
further = Router()  # a router takes only one view set under a name
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
router.register("judgments", judgments.Judgments, "api_judgment")
router.register("judgment-events", judgments.JudgmentEvents, "api_judgment_event")
router.register("exports", exports.Exports, "api_export")
router.register("hub-imports", hub_imports.HubImports, "api_hub_import")
router.register("responses", responses.Responses, "api_response")
router.register("quality", quality.QualityRows, "api_quality")
further.register("campaigns", quality.CampaignQuality, "api_campaign")
further.register("judgments", review.ReviewedJudgments, "api_judgment")
router.register("questions", queues.Questions, "api_question")
router.register("appeals", queues.Appeals, "api_appeal")
router.register("cases", queues.Cases, "api_case")
router.register("pay", pay.Pay, "api_pay")
router.register("pay-disputes", pay.Disputes, "api_pay_dispute")
router.register("prolific-studies", prolific.ProlificStudies, "api_prolific_study")
router.register("prolific-submissions", prolific.ProlificSubmissions, "api_prolific_submission")
router.register("prolific-bonuses", prolific.ProlificBonuses, "api_prolific_bonus")
reviewing = Router()
reviewing.register("campaigns", review.CampaignReview, "api_campaign")
urlpatterns = [*router.urls, *further.urls, *reviewing.urls]
