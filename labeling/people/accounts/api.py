"""People and their logins in the REST API. It gives names and e-mail addresses, so it has the scope
`people`.

A token can be stolen, so it makes nobody an admin, changes no admin, and gets no link that sets a
password: with any of these it would outlive itself.
"""

from collections.abc import Collection

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Flag, Name
from accounts.api.page_forms import checked, filled
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, writes
from accounts.login import password_links
from accounts.models import User
from accounts.people import selectors
from accounts.people import services as people_services
from accounts.people.forms import ROLE_CHOICES, PersonForm
from accounts.shell import requests
from labeling.models import Rater
from labeling.people.accounts import services

ROLES = [role for role, _label in ROLE_CHOICES]


class PersonSerializer(serializers.Serializer[User]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLES))
    time_zone = serializers.CharField()
    is_active = serializers.BooleanField(help_text="Whether they can log in.")
    rater = serializers.SerializerMethodField(
        help_text="Their ID in pools and `GET /raters`. Null if they have never been a rater."
    )
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: User) -> dict[str, object]:
        return super().to_representation(instance) | {"roles": sorted(instance.roles)}

    def get_rater(self, person: User) -> int | None:
        rater: Rater | None = getattr(person, "rater", None)
        return rater.pk if rater else None


class PersonQuery(PageQuery):
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Part of the name or e-mail."
    )
    role = serializers.ChoiceField(required=False, choices=ROLES)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class PersonChangeSerializer(serializers.Serializer[object]):
    """The fields of the page's form, which checks them. Omitted fields keep their value."""

    name = Name(max_length=150, required=False)
    email = serializers.EmailField(max_length=254, required=False)
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=ROLES),
        required=False,
        max_length=len(ROLES),
        help_text="A token cannot give the role `admin`.",
    )
    time_zone = serializers.CharField(
        required=False, max_length=64, help_text="Such as Europe/Berlin."
    )
    is_active = Flag(required=False, help_text="False closes the account; their work stays.")


class NewPersonSerializer(PersonChangeSerializer):
    name = Name(max_length=150)
    email = serializers.EmailField(
        max_length=254, help_text="The link to set a password goes there."
    )
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=ROLES),
        min_length=1,
        max_length=len(ROLES),
        help_text="A token cannot give the role `admin`.",
    )


@described(list_people="People with a login, newest first.", read_person="One person.")
class People(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = User.objects.select_related("rater")
    serializer_class = PersonSerializer
    query_class = PersonQuery

    def filtered(self, queryset: QuerySet[User]) -> QuerySet[User]:
        return selectors.people(
            words=self.asked.get("text", ""),
            role=self.asked.get("role", ""),
            is_active=self.asked["is_active"],
        ).select_related("rater")

    @writes("create_person", PersonSerializer, body=NewPersonSerializer, status=201)
    def create(self, **values: object) -> User:
        """Create a login and mail the person a link to set a password. Somebody who rates gets a
        pseudonym.
        """
        form = checked(PersonForm(filled(PersonForm(), values)))
        _refuse_admin(roles=form.cleaned_data["roles"])
        person = services.create_person(**form.cleaned_data, **self.who_and_when)
        if settings.PASSWORDS:
            _mail_link(self, person)
        return person

    @writes("change_person", PersonSerializer, body=PersonChangeSerializer, is_one=True)
    def partial_update(
        self, person: User, *, roles: Collection[str] | None = None, **values: object
    ) -> None:
        """Change name, address, roles or time zone, or close the account. 409 for an admin."""
        _refuse_admin(roles={*person.roles, *(roles or ())}, is_superuser=person.is_superuser)
        if roles is not None:
            values["roles"] = roles
        form = PersonForm(filled(PersonForm(person=person, by=self.by), values), by=self.by)
        services.change_person(user=person, **checked(form).cleaned_data, **self.who_and_when)

    @does("invite_person", PersonSerializer)
    def invite(self, person: User) -> None:
        """Mail the person a new link to set a password. 409 if the account is closed."""
        if not person.is_active:
            raise Unable(_("This account is closed. Open it first."))
        if not settings.PASSWORDS:
            raise Unable(_("This site does not use passwords."))
        _mail_link(self, person)


def _mail_link(view: ApiViewSet, person: User) -> None:
    link = requests.site_address(view.request) + password_links.password_link(person)
    people_services.invite(user=person, link=link, **view.who_and_when)


def _refuse_admin(*, roles: Collection[str], is_superuser: bool = False) -> None:
    if "admin" in roles or is_superuser:
        raise Unable(_("A token can't create or change an admin. Do it on the page People."))
