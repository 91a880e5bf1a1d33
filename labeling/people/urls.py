"""URLs of people, pools, onboarding and crowds."""

from django.urls import path

from labeling.people.accounts import views as accounts_views
from labeling.people.content_settings import views as content_settings_views
from labeling.people.crowd import manage_views as crowd_manage_views
from labeling.people.crowd import views as crowd_views
from labeling.people.invitations import manage_views as invitations_manage_views
from labeling.people.invitations import views as invitations_views
from labeling.people.onboarding import manage_views as onboarding_manage_views
from labeling.people.onboarding import views as onboarding_views
from labeling.people.own_data import views as own_data_views
from labeling.people.pools import views as pools_views
from labeling.people.prolific import review_views as prolific_review_views
from labeling.people.prolific import views as prolific_views
from labeling.people.roster import views as roster_views
from labeling.people.single_sign_on import views as single_sign_on_views

urlpatterns = [
    path("queues/onboarding/", onboarding_manage_views.waiting, name="queue_onboarding"),
    path("people/", accounts_views.index, name="people"),
    path("people/new/", accounts_views.new, name="person_new"),
    path("people/<int:pk>/", accounts_views.detail, name="person"),
    path("people/<int:pk>/invite", accounts_views.invite, name="person_invite"),
    path(
        "people/<int:pk>/two-factor-off",
        accounts_views.turn_off_two_factor,
        name="person_two_factor_off",
    ),
    path("people/<int:pk>/log-out", accounts_views.log_out, name="person_log_out"),
    path("people/<int:pk>/unlink", single_sign_on_views.unlink, name="person_unlink"),
    # allauth builds links by these two names.
    path(
        "account/oidc/<slug:provider_id>/login/",
        single_sign_on_views.begin,
        name="openid_connect_login",
    ),
    path(
        "account/oidc/<slug:provider_id>/login/callback/",
        single_sign_on_views.come_back,
        name="openid_connect_callback",
    ),
    path("roster/", roster_views.index, name="roster"),
    path("roster/act", roster_views.act, name="roster_act"),
    path("raters/<int:pk>/skills/", roster_views.skills, name="rater_skills"),
    path("join/<str:secret>/", invitations_views.join, name="join"),
    path("crowd/done/", crowd_views.done, name="crowd_done"),
    path("crowd/finish", crowd_views.finish, name="crowd_finish"),
    path("crowd/leave", crowd_views.leave, name="crowd_leave"),
    path("crowd/<str:token>/", crowd_views.enter, name="crowd"),
    path("crowd-links/<int:pk>/close", crowd_manage_views.close, name="pool_crowd_close"),
    path("pools/<int:pk>/crowd/", crowd_manage_views.index, name="pool_crowd"),
    path("crowd-links/<int:pk>/prolific/", prolific_views.index, name="crowd_prolific"),
    path("crowd-links/<int:pk>/prolific/check", prolific_views.check, name="crowd_prolific_check"),
    path(
        "crowd-links/<int:pk>/prolific/places/",
        prolific_views.places,
        name="crowd_prolific_places",
    ),
    path(
        "crowd-links/<int:pk>/prolific/approve/",
        prolific_review_views.approve_passed,
        name="crowd_prolific_approve",
    ),
    path(
        "crowd-links/<int:pk>/prolific/bonus/",
        prolific_review_views.bonus,
        name="crowd_prolific_bonus",
    ),
    path("crowd-links/<int:pk>/prolific/<str:act>/", prolific_views.act, name="crowd_prolific_act"),
    path(
        "prolific-submissions/<int:pk>/",
        prolific_review_views.submission,
        name="prolific_submission",
    ),
    path(
        "prolific-bonuses/<int:pk>/pay",
        prolific_review_views.pay_bonus,
        name="prolific_bonus_pay",
    ),
    path(
        "prolific-bonuses/<int:pk>/resend",
        prolific_review_views.resend_bonus,
        name="prolific_bonus_resend",
    ),
    path(
        "prolific-bonuses/<int:pk>/discard",
        prolific_review_views.discard_bonus,
        name="prolific_bonus_discard",
    ),
    path("onboarding/<int:pk>/", onboarding_views.index, name="onboarding"),
    path("onboarding/<int:pk>/<int:step_pk>/", onboarding_views.step, name="onboarding_step"),
    path("my-care/", content_settings_views.my_care, name="my_care"),
    path("my-data/", own_data_views.my_data, name="my_data"),
    path("my-data/file", own_data_views.download, name="my_data_file"),
    path("my-data/withdraw/", own_data_views.withdraw, name="my_withdrawal"),
    path("my-skills/", onboarding_views.my_skills, name="my_skills"),
    path("pools/<int:pk>/onboarding/", onboarding_manage_views.index, name="pool_onboarding"),
    path("pools/<int:pk>/onboarding/new/<str:kind>/", onboarding_manage_views.new, name="step_new"),
    path("steps/<int:pk>/", onboarding_manage_views.edit, name="step_edit"),
    path("steps/<int:pk>/versions/", onboarding_manage_views.history, name="step_history"),
    path("steps/<int:pk>/move", onboarding_manage_views.move, name="step_move"),
    path("steps/<int:pk>/retire/", onboarding_manage_views.retire, name="step_retire"),
    path("attempts/<int:pk>/", onboarding_manage_views.attempt, name="attempt"),
    path("pools/", pools_views.index, name="pools"),
    path("pools/new/", pools_views.new, name="pool_new"),
    path("pools/<int:pk>/", pools_views.detail, name="pool"),
    path("pools/<int:pk>/edit/", pools_views.edit, name="pool_edit"),
    path("pools/<int:pk>/add", pools_views.add, name="pool_add"),
    path("pools/<int:pk>/remove", pools_views.remove, name="pool_remove"),
    path("pools/<int:pk>/pause", pools_views.pause, name="pool_pause"),
    path("pools/<int:pk>/resume", pools_views.resume, name="pool_resume"),
    path("pools/<int:pk>/invitations/", invitations_manage_views.index, name="invitations"),
    path("invitations/<int:pk>/resend", invitations_manage_views.resend, name="invitation_resend"),
    path("invitations/<int:pk>/revoke", invitations_manage_views.revoke, name="invitation_revoke"),
]
