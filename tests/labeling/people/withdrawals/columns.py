"""Every column of labeling that holds text, and what becomes of what a rater wrote there when they
withdraw. A new column fails the test until it has its place here.
"""

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
Prompt.licence Prompt.language Prompt.sensitive Prompt.constraints Prompt.cluster Response.sampling
Response.licence Response.marks Campaign.name Campaign.spent_amounts Campaign.selection Case.note
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


def text_columns() -> set[str]:
    """`Model.column`, of all columns that take any text."""
    return {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("labeling").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.JSONField)
        or (isinstance(field, models.CharField) and not field.choices)
    }
