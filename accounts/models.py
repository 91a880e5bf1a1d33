"""People who sign in, and what they did that others may need to look up."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arithmetic import plain_text


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/Berlin."),
            params={"name": name},
        )


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=plain_text.mail_address(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, *, email: str, password: str | None = None, **fields: object
    ) -> "User":
        return self.create_user(
            email=email,
            password=password,
            is_superuser=True,
            is_admin=True,
            **fields,
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person with a login. The three roles are independent, and one person may hold several."""

    class MailedNotices(models.TextChoices):
        NONE = "none", _("None")
        TROUBLE = "trouble", _("Problems and approvals")
        ALL = "all", _("All notifications")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    is_rater = models.BooleanField(_("Rater"), default=False)
    is_admin = models.BooleanField(_("Admin"), default=False)
    is_researcher = models.BooleanField(_("Researcher"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    # Django's admin is gone; the column stays until a release can drop it.
    is_staff = models.BooleanField(_("may open Django's admin"), default=False)
    time_zone = models.CharField(
        _("Time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    language = models.CharField(_("language"), max_length=16, default="en")
    mailed_notices = models.CharField(
        _("e-mail notifications"),
        max_length=16,
        choices=MailedNotices,
        default=MailedNotices.TROUBLE,
    )
    # The database's default is for people from before there were tours, and from an older version
    # that still runs during an upgrade: they know the site.
    ended_rater_tour = models.BooleanField(default=False, db_default=True)
    ended_admin_tour = models.BooleanField(default=False, db_default=True)
    ended_researcher_tour = models.BooleanField(default=False, db_default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.email]
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()

    @property
    def roles(self) -> frozenset[str]:
        named = {
            "rater": self.is_rater,
            "admin": self.is_admin,
            "researcher": self.is_researcher,
        }
        return frozenset(role for role, held in named.items() if held)

    def has_ended_tour(self, role: str) -> bool:
        """Whether the tour of that role is no longer offered: it was ended, or refused."""
        return bool(getattr(self, f"ended_{role}_tour"))


class LoginSession(models.Model):
    """A log-in of a person in a browser, for as long as its session lasts."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True, help_text="at the log-in, if it is known")
    user_agent = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="rounded to ten minutes")

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at}"


class AuditEvent(models.Model):
    """One action by one person on one object, written in the same transaction as the action."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    address = models.GenericIPAddressField(
        null=True, help_text="from where somebody logged in or tried to, if it is known"
    )
    words = models.TextField(
        default="",
        help_text="searched text: the object's name then, before and after; case folded",
    )

    class Meta:
        indexes = [models.Index(fields=["target_type", "target_id"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}"


class Notice(models.Model):
    """A message for one person with the page it is about. `key` names the event, so that each event
    is sent once.
    """

    class Kind(models.TextChoices):
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")
        LOST = "lost", _("lost")
        APPROVAL = "approval", _("needs approval")
        NOTHING = "nothing", _("no data to train on")
        FEEDBACK = "feedback", _("feedback")
        WARNING = "warning", _("warning")
        PAUSED = "paused", _("paused")

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    key = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=Kind)
    sentence = models.TextField()
    path = models.CharField(max_length=200)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(
        null=True, help_text="null: to be mailed, if the person wants it"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notice_told_once")]
        indexes = [models.Index(fields=["person", "read_at"], name="notice_unread")]

    def __str__(self) -> str:
        return self.sentence


class ApiToken(models.Model):
    """A key for the REST API. Only its hash is stored: the secret is shown once, when it is
    created.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(
        max_length=16, help_text="the first characters of the secret, shown to recognise it"
    )
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="values of config.api_permissions.Scope")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, help_text="rounded to the minute")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "created_at"], name="api_token_user")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotentCall(models.Model):
    """The stored response to a POST with an Idempotency-Key, written in the same transaction as its
    effect.

    The key belongs to the person, not to the token: a retry may arrive after the token was
    replaced.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotent_call_once")]

    def __str__(self) -> str:
        return self.key


class Webhook(models.Model):
    """A URL that receives events. Its secret is not stored: it is derived from `salt` and the
    site's own key.
    """

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(default=list, help_text="values of accounts.webhooks.services.Event")
    salt = models.CharField(max_length=64)
    old_salt = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="salt of the previous secret, which also signs until old_salt_until",
    )
    old_salt_until = models.DateTimeField(null=True)
    judgments_told_to = models.BigIntegerField(
        null=True, help_text="the last judgment of the feed that was sent to it"
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    enabled_at = models.DateTimeField(help_text="it gets events after this time")
    disabled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one webhook. `key` names the event, so that each event is sent once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("pending")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("failed")

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    uuid = models.UUIDField(unique=True)
    key = models.CharField(max_length=100)
    event = models.CharField(max_length=32)
    body = models.TextField(
        help_text="the request body as sent: every attempt sends the same bytes"
    )
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    n_tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="while it waits: time of the next attempt")
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    answer = models.CharField(
        max_length=300, blank=True, default="", help_text="the result of the last attempt"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "key"], name="delivery_once")]
        indexes = [
            # Sending claims due deliveries webhook by webhook.
            models.Index(fields=["webhook", "state", "due_at"], name="delivery_due"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_log"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}"


class Backup(models.Model):
    """A backup that was made or that failed, at any place."""

    place = models.CharField(max_length=500, help_text="the folder or URL with the backups")
    name = models.CharField(max_length=32, blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    n_files = models.PositiveBigIntegerField(default=0)
    n_rows = models.PositiveBigIntegerField(default=0)
    n_bytes = models.PositiveBigIntegerField(default=0, help_text="what a restore would write")
    n_new_bytes = models.PositiveBigIntegerField(
        default=0, help_text="what the place did not have from earlier backups"
    )
    missing = models.JSONField(
        default=list, help_text="sentences about files that the database names and nobody has"
    )
    problem = models.TextField(
        blank=True, default="", help_text="why it failed; empty: it is whole and was read back"
    )

    class Meta:
        indexes = [models.Index(fields=["place", "started_at"], name="backup_by_place")]

    def __str__(self) -> str:
        return self.name or self.place
