"""Organisations and their people: facts that are checked, roles from one table, and letters that let people in."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from marketplace import journal, letters, participants
from marketplace.errors import Invalid, Refused, RoleNeeded
from marketplace.models import AccessToken, Event, Invitation, Membership, Organisation
from tests.factories import make_member, make_organisation, make_user, membership_of, owner_of, registration_number

pytestmark = pytest.mark.django_db

FACTS = {
    "kinds": ["supplier"],
    "name": "云图数据有限公司",
    "latin_name": "Yuntu Data Co., Ltd.",
    "country": "CN",
    "region": "CN-SH-LINGANG",
    "number_kind": "uscc",
    "registration_number": "91310115MA1FL3K07B",
}


def facts(**changes: object) -> dict[str, object]:
    kind, number = registration_number("CN")
    return {**FACTS, "number_kind": kind, "registration_number": number, **changes}


def test_who_registers_an_organisation_is_its_owner():
    person = make_user()
    organisation = participants.register_organisation(**facts(), by=person)
    assert person.role_in(organisation) == "owner"
    assert organisation.is_in_mainland
    assert [event.kind for event in journal.of(organisation)] == ["organisation.registered"]


@pytest.mark.parametrize(
    ("language", "shown", "other"),
    [
        ("en", "Yuntu Data Co., Ltd.", "云图数据有限公司"),
        ("zh-hans", "云图数据有限公司", "Yuntu Data Co., Ltd."),
        ("zh-hant", "云图数据有限公司", "Yuntu Data Co., Ltd."),
    ],
)
def test_an_organisation_is_shown_by_the_name_its_reader_can_read(language, shown, other):
    organisation = Organisation(**FACTS)
    with override(language):
        assert (organisation.shown_name, organisation.other_name) == (shown, other)
        assert Organisation(name="Lion City", latin_name="Lion City").other_name == ""


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kinds": []}, "kinds"),
        ({"kinds": ["pirate"]}, "kinds"),
        ({"name": "x"}, "name"),
        ({"name": "\x00\u202e "}, "name"),
        ({"latin_name": "云图数据"}, "latin_name"),
        ({"country": "ZZ"}, "country"),
        ({"region": "HK"}, "region"),
        ({"country": "HK", "region": "CN-SH", "number_kind": "other", "registration_number": "12 34"}, "region"),
        ({"country": "HK", "region": "HK"}, "number_kind"),
        ({"number_kind": "passport"}, "number_kind"),
        ({"registration_number": "91310115MA1FL3K07A"}, "registration_number"),
        ({"registration_number": ""}, "registration_number"),
    ],
)
def test_a_wrong_fact_is_named_and_nothing_is_registered(wrong, field):
    with pytest.raises(Invalid) as refusal:
        participants.register_organisation(**facts(**wrong), by=make_user())
    assert field in {reason["field"] for reason in refusal.value.reasons}
    assert not Organisation.objects.exists()
    assert not Event.objects.exists()


def test_entering_a_number_takes_it_from_nobody():
    """Whose it is, vetting finds out: else whoever types a number first keeps its owner out."""
    said = facts()
    participants.register_organisation(**said, by=make_user())
    participants.register_organisation(**{**said, "name": "Other"}, by=make_user())
    assert Organisation.objects.count() == 2


@pytest.mark.parametrize("how", ["left", "demoted", "disabled"])
def test_an_invitation_ends_with_the_role_of_who_wrote_it(how):
    organisation = make_organisation()
    inviter, guest = make_member(organisation, "owner"), make_user("guest@example.com")
    _invitation, secret = participants.invite(organisation, email=guest.email, role="owner", by=inviter)
    if how == "left":
        participants.end_membership(membership_of(inviter, organisation), by=owner_of(organisation))
    elif how == "demoted":
        participants.change_role(membership_of(inviter, organisation), "viewer", by=owner_of(organisation))
    else:
        inviter.is_active = False
        inviter.save()
    for ask in (
        lambda: participants.invitation_of(secret),
        lambda: participants.accept_invitation(secret, by=guest),
    ):
        with pytest.raises(Refused) as refusal:
            ask()
        assert refusal.value.code == "inviter_left"
    assert guest.role_in(organisation) is None


def test_an_invited_person_joins_in_the_role_of_the_letter():
    organisation = make_organisation()
    person = make_user("Mei.Chan@example.com")
    invitation, secret = participants.invite(
        organisation, email="mei.chan@EXAMPLE.com", role="trader", by=owner_of(organisation)
    )
    assert secret not in str(vars(invitation))
    membership = participants.accept_invitation(secret, by=person)
    assert (membership.organisation, membership.role) == (organisation, "trader")
    assert [event.kind for event in journal.of(organisation)][1:] == ["member.invited", "member.joined"]


def test_a_letter_opens_for_nobody_else_and_only_once():
    organisation = make_organisation()
    invited, other = make_user(), make_user()
    _invitation, secret = participants.invite(
        organisation, email=invited.email, role="viewer", by=owner_of(organisation)
    )
    with pytest.raises(participants.OtherAddress):
        participants.accept_invitation(secret, by=other)
    with pytest.raises(participants.NotYours):
        participants.accept_invitation(secret + "x", by=invited)
    participants.accept_invitation(secret, by=invited)
    with pytest.raises(Refused) as refusal:
        participants.accept_invitation(secret, by=invited)
    assert refusal.value.code == "invitation_closed"
    assert organisation.memberships.count() == 2


@pytest.mark.parametrize("why", ["withdrawn", "lapsed", "replaced"])
def test_a_withdrawn_lapsed_or_replaced_letter_opens_nothing(why):
    organisation = make_organisation()
    owner, person = owner_of(organisation), make_user()
    invitation, secret = participants.invite(organisation, email=person.email, role="viewer", by=owner)
    if why == "withdrawn":
        participants.withdraw_invitation(invitation, by=owner)
    elif why == "lapsed":
        Invitation.objects.update(lapses_at=timezone.now() - dt.timedelta(seconds=1))
    else:
        participants.invite(organisation, email=person.email, role="viewer", by=owner)
    with pytest.raises(Refused) as refusal:
        participants.accept_invitation(secret, by=person)
    assert refusal.value.code == "invitation_closed"
    assert person.role_in(organisation) is None


@pytest.mark.parametrize("role", ["trader", "data_steward", "finance", "compliance", "viewer"])
def test_only_owners_manage_people(role):
    organisation = make_organisation()
    member = make_member(organisation, role)
    first = membership_of(owner_of(organisation), organisation)
    with pytest.raises(RoleNeeded):
        participants.invite(organisation, email="x@example.com", role="viewer", by=member)
    with pytest.raises(RoleNeeded):
        participants.change_role(first, "viewer", by=member)
    with pytest.raises(RoleNeeded):
        participants.end_membership(first, by=member)
    assert Invitation.objects.filter(email="x@example.com").count() == 0
    assert owner_of(organisation) == first.user


def test_the_last_owner_neither_leaves_nor_steps_down():
    organisation = make_organisation()
    owner = owner_of(organisation)
    membership = membership_of(owner, organisation)
    for act in (
        lambda: participants.end_membership(membership, by=owner),
        lambda: participants.change_role(membership, "trader", by=owner),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "last_owner"
    assert owner.role_in(organisation) == "owner"


def test_who_leaves_keeps_neither_role_nor_tokens_of_the_organisation():
    organisation = make_organisation()
    member = make_member(organisation, "owner")
    token = AccessToken.objects.create(
        user=member, organisation=organisation, name="t", scopes=["read"], digest="sha256:x", prefix="dbt_x"
    )
    participants.end_membership(membership_of(member, organisation), by=member)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert member.role_in(organisation) is None


def test_database_keeps_memberships_and_invitations():
    organisation = make_organisation()
    person = make_user()
    participants.invite(organisation, email=person.email, role="viewer", by=owner_of(organisation))
    for statement in (
        "DELETE FROM marketplace_membership",
        "TRUNCATE marketplace_membership CASCADE",
        "UPDATE marketplace_membership SET user_id = user_id + 1",
        "UPDATE marketplace_invitation SET role = 'owner'",
        "UPDATE marketplace_invitation SET accepted_by_id = invited_by_id",
        "DELETE FROM marketplace_organisation",
        "UPDATE marketplace_organisation SET public_id = 'x'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Membership.objects.get().user == owner_of(organisation)


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(client: Client):
    """A client that is signed in as this person."""

    def sign_in(person) -> Client:
        client.force_login(person)
        return client

    return sign_in


def test_a_letter_of_invitation_leads_to_the_members_page(page, mailoutbox, settings):
    settings.BASE_URL = "http://testserver"
    organisation = make_organisation("Lakeside & Sons <b>")
    owner, invited = owner_of(organisation), make_user()
    answer = page(owner).post("/members/", {"email": invited.email, "role": "trader"})
    assert answer.status_code == 302
    [letter] = mailoutbox
    assert letter.to == [invited.email]
    assert "Lakeside & Sons <b>" in letter.body
    link = next(word for word in letter.body.split() if word.startswith("http://testserver/join/"))
    assert "Lakeside &amp; Sons &lt;b&gt;" in page(invited).get(link).content.decode()
    assert page(invited).post(link, follow=True).status_code == 200
    assert invited.role_in(organisation) == "trader"


def test_someone_else_who_opens_the_letter_is_refused_in_words(page):
    organisation = make_organisation()
    _invitation, secret = participants.invite(
        organisation, email="invited@example.com", role="viewer", by=owner_of(organisation)
    )
    stranger = make_user()
    answer = page(stranger).post(f"/join/{secret}/")
    assert answer.status_code == 403
    assert "other_address" in answer.content.decode()
    assert stranger.role_in(organisation) is None


def test_acting_for_one_of_several_organisations_is_remembered(page):
    person = make_user()
    first, second = make_organisation(owner=person), make_organisation(owner=person)
    foreign = make_organisation()
    client = page(person)
    assert client.get("/members/").context["organisation"] == first
    assert client.post("/act-for/", {"organisation": second.public_id, "next": "/members/"}).url == "/members/"
    assert client.get("/members/").context["organisation"] == second
    assert client.post("/act-for/", {"organisation": foreign.public_id}).status_code == 404
    assert client.get("/members/").context["organisation"] == second
    assert client.post("/act-for/", {"organisation": first.public_id, "next": "https://evil.example/"}).url == "/"


def test_a_member_of_another_organisation_is_a_stranger(page):
    ours, theirs = make_organisation(), make_organisation()
    victim = membership_of(owner_of(theirs), theirs)
    client = page(owner_of(ours))
    assert client.post(f"/members/{victim.pk}/role/", {"role": "viewer"}).status_code == 404
    assert client.post(f"/members/{victim.pk}/departure/").status_code == 404
    victim.refresh_from_db()
    assert (victim.role, victim.ended_at) == ("owner", None)


def test_who_belongs_nowhere_is_told_what_to_do(page):
    answer = page(make_user()).get("/members/")
    assert answer.status_code == 403
    assert "no_organisation" in answer.content.decode()


def test_nobody_signed_in_is_asked_to_sign_in(client):
    for address in ("/members/", "/tokens/", "/organisation/", "/apply/", "/join/abc/"):
        answer = client.get(address)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/accounts/login/")


def test_letters_are_shown_in_development_only(client, settings, tmp_path):
    settings.DEBUG = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    organisation = make_organisation("湖畔研究 <script>")
    invitation, secret = participants.invite(
        organisation, email="mei@example.com", role="viewer", by=owner_of(organisation)
    )
    letters.send_invitation(invitation, secret)
    shown = client.get("/letters/").content.decode()
    assert f'/join/{secret}/"' in shown
    assert "湖畔研究 &lt;script&gt;" in shown
    settings.DEBUG = False
    assert client.get("/letters/").status_code == 404


@pytest.mark.parametrize("has_factor", [False, True])
def test_staff_work_only_with_a_second_factor_where_it_is_demanded(page, settings, has_factor):
    from allauth.mfa.models import Authenticator

    from tests.factories import make_staff

    settings.STAFF_NEED_SECOND_FACTOR = True
    staff = make_staff("vetting")
    if has_factor:
        Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    client = page(staff)
    for address in ("/admin/", "/tokens/"):
        answer = client.get(address)
        if has_factor:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.url) == (302, "/accounts/2fa/")
    answer = client.get("/api/v1/me")
    assert answer.status_code == (200 if has_factor else 403)
    if not has_factor:
        assert answer.json()["code"] == "second_factor_needed"
