"""Addresses of the labeling half: pages, and endpoints below /api/v1/. Who may open which is
config.permissions and config.api_permissions.
"""

from django.urls import include, path

from accounts.api.views import Router
from labeling.campaigns.api import views as campaigns
from labeling.conversations.records import api as conversations
from labeling.conversations.red_teaming import api as red_teaming
from labeling.data import export_api as exports
from labeling.data import feed_api as feed
from labeling.data.hub import api as hub
from labeling.data.imports import api as imports
from labeling.data.prompts.api import prompts, responses
from labeling.guidelines import api as guidelines
from labeling.pay import api as pay
from labeling.people.accounts import api as accounts
from labeling.people.crowd import api as crowd
from labeling.people.invitations import api as invitations
from labeling.people.onboarding.api import attempts, steps
from labeling.people.pools import api as pools
from labeling.people.prolific import api as prolific
from labeling.people.roster import api as roster
from labeling.quality.api import views as quality
from labeling.queue.cases import api as cases
from labeling.queue.gold import api as golds
from labeling.review import api as review
from labeling.review.questions import api as questions

urlpatterns = [
    path("", include("labeling.desk.urls")),
    path("", include("labeling.conversations.urls")),
    path("", include("labeling.campaigns.urls")),
    path("", include("labeling.data.urls")),
    path("", include("labeling.quality.urls")),
    # Before queue, whose queues/<name>/ would also match people's queues/onboarding/.
    path("", include("labeling.people.urls")),
    path("", include("labeling.queue.urls")),
    path("", include("labeling.review.urls")),
    path("", include("labeling.pay.urls")),
    path("", include("labeling.guidelines.urls")),
]

# Each room's `api` has its endpoints.
router = Router()
further = Router()  # a router takes only one view set under a name
reviewing = Router()
router.register("prompts", prompts.Prompts, "api_prompt")
router.register("responses", responses.Responses, "api_response")
router.register("imports", imports.Imports, "api_import")
router.register("hub-imports", hub.HubImports, "api_hub_import")
router.register("exports", exports.Exports, "api_export")
router.register("judgments", feed.Judgments, "api_judgment")
router.register("judgment-events", feed.JudgmentEvents, "api_judgment_event")
router.register("guidelines", guidelines.Guidelines, "api_guideline")
router.register("campaigns", campaigns.Campaigns, "api_campaign")
router.register("golds", golds.Golds, "api_gold")
router.register("conversations", conversations.Conversations, "api_conversation")
router.register("red-teaming", red_teaming.RedTeamings, "api_red_teaming")
router.register("attacks", red_teaming.Attacks, "api_attack")
router.register("people", accounts.People, "api_person")
router.register("raters", roster.Raters, "api_rater")
router.register("pools", pools.Pools, "api_pool")
router.register("invitations", invitations.Invitations, "api_invitation")
router.register("steps", steps.Steps, "api_step")
router.register("attempts", attempts.Attempts, "api_attempt")
router.register("crowd-links", crowd.CrowdLinks, "api_crowd_link")
router.register("prolific-studies", prolific.ProlificStudies, "api_prolific_study")
router.register("prolific-submissions", prolific.ProlificSubmissions, "api_prolific_submission")
router.register("prolific-bonuses", prolific.ProlificBonuses, "api_prolific_bonus")
router.register("questions", questions.Questions, "api_question")
router.register("appeals", review.Appeals, "api_appeal")
router.register("cases", cases.Cases, "api_case")
router.register("pay", pay.Pay, "api_pay")
router.register("pay-disputes", pay.Disputes, "api_pay_dispute")
router.register("quality", quality.QualityRows, "api_quality")
further.register("campaigns", quality.CampaignQuality, "api_campaign")
further.register("judgments", review.ReviewedJudgments, "api_judgment")
reviewing.register("campaigns", review.CampaignReview, "api_campaign")
api_urlpatterns = [*router.urls, *further.urls, *reviewing.urls]
