"""Every column that holds text, and what becomes of what a rater wrote there when they withdraw. A
new column fails the test until it has its place here.
"""

from itertools import chain

from django.apps import apps
from django.db import models

WRITTEN = {
    "Prompt.messages": ("wmessage7q", "wattack7q"),
    "Response.text": ("wedit7q", "wturnedit7q"),
    "Demonstration.text": ("wanswer7q",),
    "Demonstration.further": ("wfurther7q",),
    "Demonstration.sources": ("wsources7q",),
    "Comparison.reason": ("wreason7q",),
    "Conversation.remark": ("wremark7q",),
    "Attack.tried": ("wtried7q",),
    "Draft.content": ("wdraft7q",),
}
"""What a rater writes for the data, with the words that the story's rater writes there: it leaves
every file, list, campaign and page of other raters.
"""

TO_ADMINS = {
    "Pass.note": ("wnote7q",),
    "ItemQuestion.text": ("wquestion7q",),
    "PayDispute.text": ("wdispute7q",),
    "JudgmentReview.appeal": ("wappeal7q",),
}
"""A message to the admins about work and pay, which they may have to answer after a withdrawal too:
it stays on their pages and in their lists, and was never in data or on others' pages.
"""

CHOSEN = """
RankedResponse.ratings Conversation.ratings Attack.tags StepAttempt.answers ProfileAnswer.question
ProfileAnswer.answer Judgment.presentation Judgment.warnings Rater.accepts
"""
"""A rater picks values that staff wrote, or the page measures: no words of their own."""

BY_OTHERS = """
Rater.alias Rater.origin Pool.name Pool.description Pool.languages Pool.expertise RaterSkill.code
RaterSkill.evidence Invitation.email Invitation.name Invitation.secret_sha256 Guideline.name
GuidelineVersion.text GuidelineVersion.form GuidelineVersion.examples Source.name Source.licence
Import.error Import.file_name Import.path Import.pairs_path Import.format Import.licence
Import.counts Import.columns Import.annotations Import.problems HubDownload.error
HubDownload.repository HubDownload.config HubDownload.split HubDownload.revision
HubDownload.options HubDownload.licence HubDownload.file_name Prompt.messages_sha256 Prompt.origin
Prompt.licence Prompt.tools Prompt.language Prompt.sensitive Prompt.constraints Prompt.cluster
Response.sampling
Response.licence Response.marks Response.reasoning_content Response.tool_calls
Demonstration.reasoning_content Demonstration.tool_calls Campaign.name Campaign.spent_amounts
Campaign.selection Case.note
ConversationPlan.brief TurnRequest.sampling TurnRequest.error AttackBrief.goal AttackBrief.rule
CrowdLink.name CrowdLink.token CrowdLink.id_parameter CrowdLink.completion_code
CrowdLink.return_url CrowdVisit.external_id CrowdVisit.code ProlificStudy.prolific_id
ProlificStudy.project_id ProlificStudy.description ProlificStudy.eligibility
ProlificStudy.filter_set_id ProlificStudy.screen_out_code ProlificStudy.no_work_code
ProlificStudy.currency ProlificStudy.problem ProlificSubmission.prolific_id
ProlificSubmission.participant_id ProlificSubmission.code ProlificBonusBatch.prolific_id
ProlificBonusBatch.problem ItemQuestion.answer Export.error Export.shape Export.style
Export.file_format Export.options Export.left_out Export.card Export.file_name Gold.note
StepVersion.title StepVersion.text StepVersion.questions StepAttempt.decision Rate.currency
Payment.totals Payment.lines Payment.note PayDispute.answer PayDispute.currency
QualityReport.results RaterQuality.results Scorer.name Adjudication.note JudgmentReview.feedback
JudgmentReview.answer SetAside.reason
"""
"""Staff, files, platforms or the site itself write these."""


COPIES = {
    "SuiteItem.prompt": "suites do not change; the next version of Attacks by people leaves it out",
    "SuiteItem.content": "the same",
    "BenchmarkAnswer.asked": "what a run has asked a model: items of suites, and variations",
    "Verdict.raw_output": "a judge may quote what it read; shown nowhere, and stays as its record",
    "RunSample.prompt": "shown nowhere then, but stays stored: see test_samples_of_runs",
    "IdempotentCall.body": "a program's own answer, which only the person who called gets again",
}
"""Words of raters get here from elsewhere, as a record of what was done: why they stay."""

STAFF_ONLY = {
    "AuditEvent.before": "what admins changed, with the values before and after: for admins",
    "AuditEvent.after": "the same",
    "AuditEvent.words": "the same, to be searched",
}
"""A rater's words may be quoted in what admins did about them: why only admins read it."""

OWN_ACCOUNT = """
User.password User.email User.name User.time_zone User.language LoginSession.session_key
LoginSession.user_agent ApiToken.name ApiToken.prefix ApiToken.secret_sha256 ApiToken.scopes
IdempotentCall.key IdempotentCall.request_sha256
"""
"""Who somebody is and how they log in: no data. Raters and exports see an alias."""

MESSAGES = """
Notice.key Notice.sentence Notice.path Webhook.name Webhook.url Webhook.events Webhook.salt
Webhook.old_salt Delivery.key Delivery.event Delivery.body Delivery.answer
"""
"""The site tells of judgments and people by their numbers and aliases, never by a rater's words."""

BY_RESEARCHERS = """
Snapshot.name Snapshot.filters Curation.name Curation.filters Curation.recipe Curation.file_name
RestoredDocument.recipe RestoredDocument.document RestoredDocument.rule RestoredDocument.excerpt
RuleSample.recipe RuleSample.rule SampledDocument.document TrainedModel.name TrainedModel.location
TrainedModel.licence TrainedModel.notes TrainedModel.card Endpoint.url Endpoint.served_name
Endpoint.key_variable Publication.repository Publication.address Run.name Run.kind Run.config
Run.wanted_node Run.launch Run.tags Run.remarks Schedule.name Schedule.plan Schedule.cron
Schedule.time_zone Chain.plan Suite.slug Suite.version Suite.name Suite.scorer Suite.about
Suite.licence Suite.origin Suite.options SuiteItem.key SuiteItem.category SuiteItem.cluster
Judge.currency JudgeVersion.prompt JudgeVersion.sampling
"""
"""Researchers write these, or choose them; documents and suites come from files."""

BY_MACHINES = """
Snapshot.fingerprint Snapshot.card Snapshot.folder Curation.error Curation.folder Curation.account
Node.name Node.gpus Node.versions TrainedModel.metrics Publication.error Run.estimate
Run.auto_dtype Run.error Run.node Run.cards Run.metrics Run.versions Run.notes Run.log_tail
Seat.node Seat.address Seat.error RunPoint.values RunSample.response RunSample.scores Chain.error
Link.step Link.verdict Link.looks Firing.reason Firing.sentence SpotCheck.problem Suite.items_hash
BenchmarkAnswer.strategy BenchmarkAnswer.text BenchmarkAnswer.follow_ups BenchmarkAnswer.values
BenchmarkAnswer.sampling BenchmarkAnswer.missing AnswerScore.scorer AnswerScore.label
SuiteScore.scorer SuiteScore.details Backup.place Backup.name Backup.missing Backup.problem
AuditEvent.action AuditEvent.target_type Judge.problem JudgeVersion.sha256 Verdict.error
Verdict.log_probabilities TrustRule.slices TrustLook.slice
"""
"""Nodes, models and the site itself write these."""

APPS = ("accounts", "labeling", "training")


def text_columns() -> list[str]:
    """`Model.column`, of all columns that take any text."""
    return [
        f"{model.__name__}.{field.name}"
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.JSONField)
        or (isinstance(field, models.CharField) and not field.choices)
    ]


def listed_columns() -> list[str]:
    """Those that have a place here."""
    with_reasons = (WRITTEN, TO_ADMINS, COPIES, STAFF_ONLY)
    groups = (CHOSEN, BY_OTHERS, OWN_ACCOUNT, MESSAGES, BY_RESEARCHERS, BY_MACHINES)
    return [*chain(*with_reasons), *chain(*map(str.split, groups))]
