"""The one clock, and that it may be moved in development and tests only."""

import datetime as dt

import pytest
from django.utils import timezone

from marketplace import clock
from marketplace.bells import ring
from marketplace.models import Event
from tests.factories import make_organisation

A_YEAR_AGO = dt.datetime(2025, 11, 21, 9, 0, tzinfo=dt.UTC)


def test_time_goes_on_from_the_moment_it_is_moved_to_and_comes_back(settings):
    settings.CLOCK_MAY_MOVE = True
    with clock.moved_to(A_YEAR_AGO):
        first = clock.now()
        assert A_YEAR_AGO <= first < A_YEAR_AGO + dt.timedelta(seconds=30) and clock.is_moved()
        with clock.moved_to(A_YEAR_AGO + dt.timedelta(days=1)):
            assert clock.now() >= A_YEAR_AGO + dt.timedelta(days=1)
        assert first <= clock.now() < A_YEAR_AGO + dt.timedelta(hours=1)
    assert not clock.is_moved() and abs(clock.now() - timezone.now()) < dt.timedelta(seconds=30)


def test_it_is_moved_on_without_coming_back_between(settings):
    settings.CLOCK_MAY_MOVE = True
    with clock.moved_to(A_YEAR_AGO) as move:
        move(A_YEAR_AGO + dt.timedelta(days=2))
        assert A_YEAR_AGO + dt.timedelta(days=2) <= clock.now() < A_YEAR_AGO + dt.timedelta(days=3)
    assert not clock.is_moved()


def test_it_comes_back_after_a_fault(settings):
    settings.CLOCK_MAY_MOVE = True
    with pytest.raises(RuntimeError), clock.moved_to(A_YEAR_AGO):
        raise RuntimeError
    assert not clock.is_moved()


def test_production_refuses_a_moved_clock(settings):
    settings.CLOCK_MAY_MOVE = False
    with pytest.raises(clock.ClockFixed), clock.moved_to(A_YEAR_AGO):
        pass
    assert not clock.is_moved()


@pytest.mark.django_db
def test_rows_and_events_carry_the_moved_time(settings):
    settings.CLOCK_MAY_MOVE = True
    with clock.moved_to(A_YEAR_AGO):
        organisation = make_organisation()
    assert organisation.created_at.date() == A_YEAR_AGO.date()
    events = Event.objects.all()
    assert events and {event.at.date() for event in events} == {A_YEAR_AGO.date()}


def test_under_a_moved_clock_no_bell_is_rung(settings):
    class Bell:
        name = "a bell"
        rung = 0

        def apply_async(self, *, retry):
            self.rung += 1

    settings.CLOCK_MAY_MOVE = True
    bell = Bell()
    with clock.moved_to(A_YEAR_AGO):
        ring(bell)
    assert bell.rung == 0
    ring(bell)
    assert bell.rung == 1
