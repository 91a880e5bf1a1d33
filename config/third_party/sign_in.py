"""Logging in: with passwords, providers and a second factor; and the settings of django-allauth,
which does it.
"""

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.third_party import single_sign_on

PASSWORDS = env.flag(
    "PREFERABLY_PASSWORDS",
    "0: nobody logs in with a password, or sets one. It needs a provider, PREFERABLY_OIDC_….",
    default="1",
)
SECOND_FACTOR_ROLES = frozenset(
    env.words(
        "PREFERABLY_SECOND_FACTOR_ROLES",
        "Roles that need two-factor authentication: rater, admin, researcher. Whoever has one of"
        " them sets it up before anything else.",
        default="",
    )
)
if _unknown := sorted(SECOND_FACTOR_ROLES - set(single_sign_on.ROLES)):
    raise ImproperlyConfigured(
        f"PREFERABLY_SECOND_FACTOR_ROLES: {_unknown[0]} is not a role. Roles are"
        f" {', '.join(single_sign_on.ROLES)}."
    )
IDLE_MINUTES = env.integer(
    "PREFERABLY_IDLE_MINUTES",
    "Minutes without a request after which a person is logged out. Pages that only refresh"
    " themselves do not count; typing, reading and scrolling on the desk do.",
    default="720",
    least=5,  # the desk says every minute that its rater is there
)
SETTINGS: dict[str, object] = {
    "AUTH_PASSWORD_VALIDATORS": [
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ],
    "ACCOUNT_ADAPTER": "accounts.login.adapter.Adapter",
    "ACCOUNT_LOGIN_METHODS": {"email"},
    "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*", "password2*"],
    "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
    "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
    # The adapter says what a client is (ip), and that a person at one client is one key.
    # An office behind one address may log in together; it fails together less often.
    "ACCOUNT_RATE_LIMITS": {"login": "600/m/ip", "login_failed": "100/5m/ip,5/5m/key"},
    "ACCOUNT_LOGIN_ON_PASSWORD_RESET": True,
    "ACCOUNT_SESSION_REMEMBER": True,
    "ACCOUNT_FORMS": {
        "login": "accounts.login.forms.LoginForm",
        "reset_password": "accounts.login.forms.ResetPasswordForm",
        "reset_password_from_key": "accounts.login.forms.ResetPasswordKeyForm",
        "change_password": "accounts.login.forms.ChangePasswordForm",
        "set_password": "accounts.login.forms.SetPasswordForm",
        "reauthenticate": "accounts.login.forms.ReauthenticateForm",
    },
    "ACCOUNT_EMAIL_NOTIFICATIONS": True,
    "SOCIALACCOUNT_ADAPTER": "labeling.people.single_sign_on.adapter.Adapter",
    # A link: our content policy lets no form lead to another site. Nobody can use it to connect an
    # account, see the adapter.
    "SOCIALACCOUNT_LOGIN_ON_GET": True,
    "SOCIALACCOUNT_STORE_TOKENS": False,
    "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"OAUTH_PKCE_ENABLED": True}},
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_RATE_LIMITS": {"webauthn_login": "600/m/ip"},
    "MFA_ADAPTER": "accounts.login.adapter.TwoFactorAdapter",
    "MFA_FORMS": {
        "add_webauthn": "accounts.login.forms.AddPasskeyForm",
        "edit_webauthn": "accounts.login.forms.RenamePasskeyForm",
        "authenticate_webauthn": "accounts.login.forms.AuthenticateByPasskeyForm",
        "activate_totp": "accounts.login.forms.ActivateTotpForm",
        "authenticate": "accounts.login.forms.AuthenticateForm",
        "reauthenticate": "accounts.login.forms.ReauthenticateByCodeForm",
    },
    "MFA_TOTP_ISSUER": "Preferably",
    "MFA_TOTP_TOLERANCE": 1,  # a phone's clock may be half a minute wrong
    # Admins set addresses, so none is verified.
    "MFA_ALLOW_UNVERIFIED_EMAIL": True,
}


def providers(*, needs_https: bool) -> dict[str, single_sign_on.Provider]:
    """By name. Raises ImproperlyConfigured."""
    known = single_sign_on.from_environment(needs_https=needs_https)
    if not (PASSWORDS or known):
        raise ImproperlyConfigured(
            "PREFERABLY_PASSWORDS=0 leaves no way to log in. Set up a provider: PREFERABLY_OIDC_…."
        )
    return known
