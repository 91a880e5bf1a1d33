"""Addresses of the labeling half. Who may open which is config.permissions."""

from django.urls import path

from labeling.views import desk, guidance, imports
from labeling.views.manage import campaigns, exports, guidelines, people, pools, prompts, quality, questions

urlpatterns = [
    # the rater's desk
    path("desk/", desk.desk, name="desk"),
    path("desk/<int:campaign_id>/next", desk.next_item, name="desk_next"),
    path("desk/item/<uuid:lease>/", desk.item, name="desk_item"),
    path("desk/item/<uuid:lease>/draft", desk.draft, name="desk_draft"),
    path("desk/item/<uuid:lease>/heartbeat", desk.heartbeat, name="desk_heartbeat"),
    path("desk/item/<uuid:lease>/submit", desk.submit, name="desk_submit"),
    path("desk/item/<uuid:lease>/skip", desk.skip, name="desk_skip"),
    path("desk/item/<uuid:lease>/ask", desk.ask, name="desk_ask"),
    path("desk/item/<uuid:lease>/undo", desk.undo, name="desk_undo"),
    path("desk/item/<uuid:lease>/correct", desk.correct, name="desk_correct"),
    path("desk/item/<uuid:lease>/release", desk.release, name="desk_release"),
    path("desk/item/<uuid:lease>/guideline", desk.guideline, name="desk_guideline"),
    path("desk/item/<uuid:lease>/diff", desk.diff, name="desk_diff"),
    path("desk/item/<uuid:lease>/preview", desk.preview, name="desk_preview"),
    path("my-work/", desk.my_work, name="my_work"),
    path("my-guidelines/", guidance.index, name="my_guidelines"),
    path("guidelines/<int:pk>/", guidance.page, name="my_guideline"),
    path("guidelines/<int:pk>/read", guidance.read, name="my_guideline_read"),
    # campaigns
    path("campaigns/", campaigns.index, name="campaigns"),
    path("campaigns/new/", campaigns.new, name="campaign_new"),
    path("campaigns/new/count", campaigns.count, name="campaign_count"),
    path("campaigns/<int:pk>/", campaigns.detail, name="campaign"),
    path("campaigns/<int:pk>/items/", campaigns.items, name="campaign_items"),
    path("campaigns/<int:pk>/items/<int:item_pk>/", campaigns.item, name="campaign_item"),
    path("campaigns/<int:pk>/set-up/", campaigns.set_up, name="campaign_set_up"),
    path("campaigns/<int:pk>/open", campaigns.open_, name="campaign_open"),
    path("campaigns/<int:pk>/pause", campaigns.pause, name="campaign_pause"),
    path("campaigns/<int:pk>/close", campaigns.close, name="campaign_close"),
    path("campaigns/<int:pk>/export/", exports.export, name="export"),
    # quality
    path("campaigns/<int:pk>/agreement/", quality.agreement, name="campaign_agreement"),
    path("campaigns/<int:pk>/bias/", quality.bias, name="campaign_bias"),
    path("campaigns/<int:pk>/quality", quality.compute, name="campaign_quality"),
    path("campaigns/<int:pk>/raters/<int:rater_pk>/", quality.campaign_rater, name="campaign_rater"),
    path("quality/", quality.index, name="quality"),
    path("raters/<int:pk>/", quality.rater, name="rater"),
    # questions
    path("questions/", questions.index, name="questions"),
    path("questions/<int:pk>/answer", questions.answer, name="answer_question"),
    # people
    path("people/", people.index, name="people"),
    path("people/new/", people.new, name="person_new"),
    path("people/<int:pk>/", people.detail, name="person"),
    path("people/<int:pk>/invite", people.invite, name="person_invite"),
    path("roster/", roster.index, name="roster"),
    path("roster/act", roster.act, name="roster_act"),
    path("raters/<int:pk>/skills/", roster.skills, name="rater_skills"),
    path("join/<str:secret>/", join.join, name="join"),
    # pools
    path("pools/", pools.index, name="pools"),
    path("pools/new/", pools.new, name="pool_new"),
    path("pools/<int:pk>/", pools.detail, name="pool"),
    path("pools/<int:pk>/edit/", pools.edit, name="pool_edit"),
    path("pools/<int:pk>/add", pools.add, name="pool_add"),
    path("pools/<int:pk>/remove", pools.remove, name="pool_remove"),
    path("pools/<int:pk>/pause", pools.pause, name="pool_pause"),
    path("pools/<int:pk>/resume", pools.resume, name="pool_resume"),
    path("pools/<int:pk>/invitations/", invitations.index, name="invitations"),
    path("invitations/<int:pk>/resend", invitations.resend, name="invitation_resend"),
    path("invitations/<int:pk>/revoke", invitations.revoke, name="invitation_revoke"),
    # guidelines
    path("guidelines/", guidelines.index, name="guidelines_manage"),
    path("guidelines/new/", guidelines.new, name="guideline_new"),
    path("guidelines/<int:pk>/versions/", guidelines.history, name="guideline_history"),
    path("guidelines/<int:pk>/edit/", guidelines.edit, name="guideline_edit"),
    # prompts
    path("prompts/", prompts.index, name="prompts"),
    path("prompts/new/", prompts.new, name="prompt_new"),
    path("prompts/imports/", imports.index, name="imports"),
    path("prompts/imports/new/", imports.new, name="import_new"),
    path("prompts/imports/<int:pk>/", imports.detail, name="import_detail"),
    path("prompts/imports/<int:pk>/publish", imports.publish, name="import_publish"),
    path("prompts/imports/<int:pk>/discard/", imports.discard, name="import_discard"),
    path("prompts/<int:pk>/", prompts.detail, name="prompt"),
]
