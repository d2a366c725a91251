"""Demands: posted by members, answered by sellers who see them, matched and hidden by the staff, ended once."""

from __future__ import annotations

import datetime as dt
import html
from functools import partial

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import demand_answers, demands, tasks
from compliance.models import Demand, DemandMatch, DemandMessage, DemandResponse
from compliance.states import DemandState, ResponseState
from listings import publishing
from marketplace import clock, participants
from marketplace.errors import Invalid, NotCleared, Refused, RoleNeeded, WrongState
from marketplace.models import Event, Letter
from tests import factories
from tests.races import together
from tests.tenancy.world import answer_of, demand_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def poster():
    return factories.make_verified("Harbour Pilots Limited")


@pytest.fixture
def seller():
    return factories.make_verified("Tug Counters Limited")


def post(organisation, title="Tugs of every port", *, by=None, **changes):
    return demands.post(organisation, **demand_of(title) | changes, by=by or factories.owner_of(organisation))


def answer(demand, seller, text="We count tugs.", *, by=None, **changes):
    by = by or factories.owner_of(seller)
    return demand_answers.answer(demand, seller=seller, **answer_of(text) | changes, by=by)


def letters_to(person):
    return list(Letter.objects.filter(to=person.email).order_by("pk").values_list("subject", "body"))


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def kinds():
    return list(Event.objects.filter(kind__startswith="demand.").order_by("pk").values_list("kind", flat=True))


# --- who sees what -------------------------------------------------------------------------------------------------


def test_an_answer_with_a_product_leads_to_an_offer_to_the_poster_who_gave_its_name(poster, seller):
    listing = factories.make_listed_product(seller)
    shy, proud = post(poster), post(poster, "Tides of the bay", is_named=True)
    for demand in (shy, proud):
        answer(demand, seller, product=listing.public_id)
    client = client_of(factories.owner_of(seller))
    way = f'href="/studio/{listing.public_id}/offers/new/?'
    assert way not in client.get(shy.get_absolute_url()).content.decode()  # it would tell who posted it
    page = client.get(proud.get_absolute_url()).content.decode()
    assert page.count(way) == 1
    url = html.unescape(page.split(way)[1].split('"')[0])
    form = client.get(f"/studio/{listing.public_id}/offers/new/?{url}").context["form"]
    begun = (form.initial["audience"], form.initial["buyers"], form.initial["note"])
    assert begun == ("named", poster.registration_number, "About your demand “Tides of the bay”.")
    assert way not in client_of(factories.owner_of(poster)).get(proud.get_absolute_url()).content.decode()


def test_who_works_for_the_exchange_alone_is_not_led_to_post(poster):
    person = factories.make_staff("support")
    for reader, is_led in ((Client(), True), (client_of(poster.created_by), True), (client_of(person), False)):
        assert ('href="/demands/new/"' in reader.get("/demands/").content.decode()) is is_led


def test_everybody_reads_a_public_demand_and_its_poster_only_when_named(poster, seller):
    shy, proud = post(poster), post(poster, "Tides of the bay", is_named=True)
    guest = Client().get("/demands/").content.decode()
    assert "Tugs of every port" in guest and "Tides of the bay" in guest
    assert "Harbour Pilots Limited" not in Client().get(shy.get_absolute_url()).content.decode()
    assert "Harbour Pilots Limited" in Client().get(proud.get_absolute_url()).content.decode()
    told = client_of(factories.owner_of(seller)).get("/api/v1/demands").json()["results"]
    assert [(one["title"], one["posted_by"]) for one in told] == [
        ("Tides of the bay", poster.public_id),
        ("Tugs of every port", None),
    ]


def test_a_private_demand_is_seen_by_its_poster_and_by_the_sellers_matched_with_it(poster, seller):
    demand = post(poster, is_public=False)
    page = demand.get_absolute_url()
    seeing, owner = client_of(factories.owner_of(seller)), client_of(factories.owner_of(poster))
    assert [client.get(page).status_code for client in (Client(), seeing, owner)] == [404, 404, 200]
    with pytest.raises(IntegrityError, match="takes no such answer"), transaction.atomic():
        answer(demand, seller)  # no page leads here; the database refuses it all the same
    officer = factories.make_staff("support")
    demands.match(demand, seller=seller, note="You count tugs, don't you?", by=officer)
    assert [client.get(page).status_code for client in (Client(), seeing, owner)] == [404, 200, 200]
    assert "You count tugs, don&#x27;t you?" in seeing.get(page).content.decode()
    assert demand.title in seeing.get("/demands/?show=matched").content.decode()
    assert demand.title not in Client().get("/demands/").content.decode()
    [(subject, body)] = letters_to(factories.owner_of(seller))[-1:]
    assert subject == "The exchange matched you with the demand “Tugs of every port”"
    assert "You count tugs" in body and page in body
    answer(demand, seller)
    assert DemandResponse.objects.count() == 1


def test_the_poster_reads_every_answer_and_a_seller_its_own(poster, seller):
    demand, other = post(poster), factories.make_verified()
    answer(demand, seller, "Ours are counted hourly.")
    answer(demand, other, "Ours by the minute.")
    page = demand.get_absolute_url()
    both = client_of(factories.owner_of(poster)).get(page).content.decode()
    assert "Ours are counted hourly." in both and "Ours by the minute." in both
    own = client_of(factories.owner_of(seller)).get(page).content.decode()
    assert "Ours are counted hourly." in own and "Ours by the minute." not in own
    assert "Ours" not in Client().get(page).content.decode()
    [(subject, body)] = [one for one in letters_to(factories.owner_of(poster)) if "Ours by" in one[1]]
    assert subject == "Your demand “Tugs of every port” has an answer"


def test_both_sides_write_to_each_other_until_the_answer_ends(poster, seller):
    demand = post(poster)
    given = answer(demand, seller)
    buyer, merchant = factories.owner_of(poster), factories.owner_of(seller)
    demand_answers.write(given, text="Since when?", acting_for=poster, by=buyer)
    assert "Since when?" in letters_to(merchant)[-1][1]
    demand_answers.write(given, text="Since 2019.", acting_for=seller, by=merchant)
    assert "Since 2019." in letters_to(buyer)[-1][1]
    demand_answers.decline(given, reason="Too late for us.", by=buyer)
    assert "Too late for us." in letters_to(merchant)[-1][1]
    with pytest.raises(WrongState):
        demand_answers.write(given, text="Please.", acting_for=seller, by=merchant)
    with pytest.raises(WrongState):
        demand_answers.withdraw(given, by=merchant)
    assert DemandMessage.objects.count() == 2
    assert DemandResponse.objects.get().state == ResponseState.DECLINED
    assert kinds() == [
        "demand.posted", "demand.answered", "demand.discussed", "demand.discussed", "demand.answer_declined",
    ]  # fmt: skip


# --- ends ----------------------------------------------------------------------------------------------------------


def test_a_demand_is_met_by_a_product_on_sale_of_another(poster, own_storage):
    listing = factories.make_listed_product()
    demand, by = post(poster), factories.owner_of(poster)
    given = answer(demand, listing.seller, product=listing.public_id)
    assert given.listing == listing
    with pytest.raises(demands.NoSuchProduct):
        demands.meet(demand, product="nothing", by=by)
    assert Demand.objects.get().state == DemandState.OPEN
    address = f"https://exchange.example/products/{listing.public_id}/"
    demands.meet(demand, product=address, by=by)
    demand.refresh_from_db()
    assert (demand.state, demand.met_by) == (DemandState.MET, listing)
    assert letters_to(factories.owner_of(listing.seller))[-1][0] == "The demand “Tugs of every port” has ended"
    with pytest.raises(demands.DemandEnded):
        demands.close(demand, by=by)
    with pytest.raises(demands.DemandEnded):
        answer(demand, listing.seller)
    page = client_of(by).get(demand.get_absolute_url()).content.decode()
    assert "Met by" in page and "Met the need" in page and "Post it again" in page
    assert page.count(f'<a href="{listing.get_absolute_url()}">{listing}</a>') == 2


def test_a_product_taken_off_sale_is_named_in_its_answer_and_leads_its_seller_alone_to_its_page(poster, own_storage):
    listing = factories.make_listed_product()
    demand, readers = post(poster), [factories.owner_of(one) for one in (poster, listing.seller)]
    answer(demand, listing.seller, product=listing.public_id)
    link = f'href="{listing.get_absolute_url()}"'

    def pages():
        return [client_of(one).get(demand.get_absolute_url()).content.decode() for one in readers]

    assert [page.count(link) for page in pages()] == [1, 1]
    publishing.suspend(listing, reason="A complaint is looked into.", by=factories.make_staff("review"))
    off_sale = pages()
    assert [page.count(link) for page in off_sale] == [0, 1]
    assert str(listing) in off_sale[0] and "Suspended" in off_sale[0]
    statuses = [client_of(one).get(listing.get_absolute_url()).status_code for one in readers]
    assert statuses == [404, 200]


def test_a_demand_lapses_when_its_day_has_passed_once_and_its_poster_reads_so(poster, seller):
    long = post(poster)
    soon = post(poster, "Tides of the bay", needed_by=clock.today() + dt.timedelta(days=3))
    assert soon.open_until < long.open_until == long.posted_at + dt.timedelta(days=demands.OPEN_DAYS)
    answer(soon, seller)
    with clock.moved_to(clock.now() + dt.timedelta(days=5)):
        with pytest.raises(demands.DemandEnded):  # before any worker has noted it
            answer(soon, factories.make_verified())
        assert "Tides" not in Client().get("/demands/").content.decode()
        tasks.lapse_demands()
        tasks.lapse_demands()
    assert dict(Demand.objects.values_list("title", "state")) == {
        "Tugs of every port": "open",
        "Tides of the bay": "lapsed",
    }
    assert kinds().count("demand.lapsed") == 1
    told = [subject for subject, _body in letters_to(factories.owner_of(poster))]
    assert told.count("Your demand “Tides of the bay” has lapsed") == 1
    assert letters_to(factories.owner_of(seller))[-1][0] == "The demand “Tides of the bay” has ended"


def test_the_staff_hide_a_demand_for_a_reason_its_poster_reads(poster, seller):
    demand, officer = post(poster), factories.make_staff("review")
    with pytest.raises(RoleNeeded):
        demands.hide(demand, reason="An advert.", by=factories.make_staff("support"))
    with pytest.raises(Invalid):
        demands.hide(demand, reason=" ", by=officer)
    assert Demand.objects.get().hidden_at is None
    demands.hide(demand, reason="It is an advert.", by=officer)
    assert Client().get(demand.get_absolute_url()).status_code == 404
    assert "It is an advert." in client_of(factories.owner_of(poster)).get(demand.get_absolute_url()).content.decode()
    assert "It is an advert." in letters_to(factories.owner_of(poster))[-1][1]
    with pytest.raises(WrongState):
        demands.hide(demand, reason="Again.", by=officer)
    with pytest.raises(demands.DemandEnded):
        answer(demand, seller)
    with pytest.raises(demands.DemandEnded):
        demands.match(demand, seller=seller, by=factories.make_staff("support"))


# --- who may -------------------------------------------------------------------------------------------------------


def test_only_members_in_good_standing_post_and_answer(poster, seller):
    newcomer = factories.make_organisation()
    with pytest.raises(NotCleared):
        post(newcomer)
    assert Demand.objects.count() == 0
    demand = post(poster)
    with pytest.raises(NotCleared):
        answer(demand, newcomer)
    with pytest.raises(Refused) as own:
        answer(demand, poster)
    assert own.value.code == "own_demand"
    with pytest.raises(RoleNeeded):
        answer(demand, seller, by=factories.make_member(seller, "viewer"))
    with pytest.raises(NotCleared):
        demands.match(demand, seller=newcomer, by=factories.make_staff("support"))
    with pytest.raises(RoleNeeded):
        demands.match(demand, seller=seller, by=factories.make_staff("review"))
    assert DemandResponse.objects.count() == DemandMatch.objects.count() == 0
    assert not Letter.objects.filter(subject__contains="demand").exists()


def test_one_of_the_staff_decides_nothing_about_a_demand_of_their_own(poster, seller):
    officer = factories.make_staff("support", "review")
    demand = post(poster)
    invitation, secret = participants.invite(poster, email=officer.email, role="viewer", by=factories.owner_of(poster))
    del invitation
    own = post(factories.make_verified())
    participants.accept_invitation(secret, by=officer)
    hide = partial(demands.hide, demand, reason="No.", by=officer)
    for act in (hide, partial(demands.match, demand, seller=seller, by=officer)):
        with pytest.raises(RoleNeeded) as refusal:
            act()
        assert refusal.value.code == "own_demand"
    demand = own
    assert demands.match(demand, seller=seller, by=officer).seller == seller
    with pytest.raises(Refused) as again:
        demands.match(demand, seller=seller, by=officer)
    assert again.value.code == "matched_already"


def test_there_is_a_limit_to_demands_and_to_answers(poster, seller):
    for number in range(demands.MOST_OPEN):
        last = post(poster, f"Tugs {number}")
    with pytest.raises(demands.TooManyDemands):
        post(poster)
    assert Demand.objects.count() == demands.MOST_OPEN
    for _ in range(demand_answers.MOST_ANSWERS):
        answer(last, seller)
    with pytest.raises(demand_answers.TooManyResponses):
        answer(last, seller)
    assert DemandResponse.objects.count() == demand_answers.MOST_ANSWERS


def test_what_is_wrong_with_a_demand_is_told_at_once_by_field(poster):
    wrong = {"title": "", "region": "Atlantis", "budget_from_minor": 10, "budget_until_minor": 5, "currency": "HKD"}
    with pytest.raises(Invalid) as refusal:
        post(poster, **wrong, needed_by=clock.today() - dt.timedelta(days=1))
    fields = {reason["field"] for reason in refusal.value.reasons}
    assert fields == {"region", "budget_until", "needed_by"} | {"title"}
    assert Demand.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_not_both_are_the_last_one_allowed(poster, seller):
    demand = post(poster)
    for _ in range(demand_answers.MOST_ANSWERS - 1):
        answer(demand, seller)
    assert sorted(together([lambda: answer(demand, seller)] * 2)) == ["done", "too_many_responses"]
    by = factories.owner_of(poster)
    assert sorted(together([lambda: demands.close(demand, by=by), lambda: demands.close(demand, by=by)])) == [
        "demand_ended",
        "done",
    ]
    assert kinds().count("demand.closed") == 1


# --- pages and the database ----------------------------------------------------------------------------------------


def test_the_form_is_filled_with_what_was_searched_for_and_posts_once(poster):
    client = client_of(factories.owner_of(poster))
    nothing = client.get("/catalogue/?q=zeppelin").content.decode()
    assert 'href="/demands/new/?title=zeppelin"' in nothing
    form = client.get("/demands/new/?title=zeppelin").content.decode()
    assert 'value="zeppelin"' in form
    said = {
        "key": "k" * 20, "title": "Zeppelins", "description": "All of them.", "sector": "transport", "is_public": "yes",
        "budget_from": "1,000", "currency": "HKD", "needed_by": "",
    }  # fmt: skip
    first, second = client.post("/demands/new/", said), client.post("/demands/new/", said)
    assert first.status_code == second.status_code == 302 and first.url == second.url
    demand = Demand.objects.get()
    assert (demand.title, demand.budget_from_minor, demand.currency) == ("Zeppelins", 100_000, "HKD")
    assert client.post("/demands/new/", said | {"key": "m" * 20, "title": ""}).status_code == 422
    again = client.get(f"/demands/new/?like={demand.public_id}").content.decode()
    assert "All of them." in again and 'value="1,000.00"' in again


def test_lists_cost_the_same_however_many_there_are(poster, seller):
    def statements(path, client):
        with CaptureQueriesContext(connection) as counted:
            assert client.get(path).status_code == 200
        return len(counted)

    first = post(poster)
    answer(first, seller)
    posting, officer = client_of(factories.owner_of(poster)), client_of(factories.make_staff("support"))
    paths = [("/demands/", posting), (first.get_absolute_url(), posting), ("/admin/desks/demands/", officer)]
    paths += [(f"/admin/desks/demands/{first.public_id}/", officer)]
    before = [statements(*one) for one in paths]
    for number in range(4):
        other = factories.make_verified()
        given = answer(first, other)
        demand_answers.write(given, text="Since when?", acting_for=other, by=factories.owner_of(other))
        post(poster, f"Tugs {number}")
    assert [statements(*one) for one in paths] == before
    assert max(before) <= 25


FORBIDDEN = [
    "UPDATE compliance_demand SET title = 'Something else'",
    "UPDATE compliance_demand SET is_public = false",
    "UPDATE compliance_demand SET state = 'met', ended_at = now()",
    "UPDATE compliance_demand SET state = 'lapsed'",
    "UPDATE compliance_demand SET hidden_at = now()",
    "DELETE FROM compliance_demand",
    "UPDATE compliance_demandresponse SET text = 'Nothing'",
    "UPDATE compliance_demandresponse SET state = 'declined'",
    "DELETE FROM compliance_demandmessage",
    "UPDATE compliance_demandmatch SET note = ''",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_database_refuses_what_the_commands_would_not_do(sql, poster, seller):
    demand = post(poster)
    given = answer(demand, seller)
    demand_answers.write(given, text="Since when?", acting_for=poster, by=factories.owner_of(poster))
    demands.match(demand, seller=factories.make_verified(), by=factories.make_staff("support"))
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Demand.objects.get().state == DemandState.OPEN
