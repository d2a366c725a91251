"""Who is answered how: the rules a row of the tables names. Roles are never listed here but read from roles.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from marketplace.roles import DESKS, MEMBER_ACTS, SEES_EVERY_DESK, STAFF_ACTS, Role, StaffRole
from tests.tenancy.world import SIDES, World

NOT_FOUND = 404
BOTH = ("seller", "buyer")
OUTSIDERS = ("nobody", "stranger", "former")


def members(side: str) -> list[str]:
    """One of this side for each role."""
    return [f"{side}:{role.value}" for role in Role]


def staff() -> list[str]:
    """One of the staff for each role, one who has all and one who has none."""
    return [*(f"staff:{role.value}" for role in StaffRole), "staff:all", "staff:none"]


@dataclass(frozen=True)
class Answer:
    """What somebody is answered: the status, and for a refusal its code."""

    status: int
    code: str = ""

    @property
    def is_refusal(self) -> bool:
        return self.status >= 400


SIGN_IN = {False: Answer(401, "not_authenticated"), True: Answer(302)}
ROLE_NEEDED = Answer(403, "role_needed")
NO_ORGANISATION = Answer(403, "no_organisation")


class Rule:
    """Tells for each who knocks what they are answered. `is_page` is whether people or programs read the answer."""

    def asked(self) -> Iterable[str]:
        """Those it tells apart, and of the others one of each kind."""
        return [*OUTSIDERS, *members("seller"), *members("buyer"), "newcomer:owner", *staff()]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        raise NotImplementedError


class Anyone(Rule):
    """Open to all, signed in or not; one of each kind is asked."""

    def asked(self) -> Iterable[str]:
        return ["nobody", "stranger", "buyer:viewer", "staff:none"]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        return Answer(gives)


class SignedIn(Rule):
    """About nobody but whoever is signed in; one of each kind is asked."""

    def asked(self) -> Iterable[str]:
        return [*OUTSIDERS, "seller:owner", "buyer:viewer", "staff:all", "staff:none"]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        return SIGN_IN[is_page] if who == "nobody" else Answer(gives)


@dataclass(frozen=True)
class Own(Rule):
    """What one's own organisation has: everybody may for their own, as their role there allows; strangers are owners
    of an organisation of their own, and staff act for none.
    """

    act: str
    side: str = "seller"  # whose roles are asked one by one

    def asked(self) -> Iterable[str]:
        return [*OUTSIDERS, *members(self.side), "staff:all", "staff:none"]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        if who == "nobody":
            return SIGN_IN[is_page]
        if who.startswith("staff:"):
            return NO_ORGANISATION
        role = _member_role(who) or Role.OWNER
        return Answer(gives) if role in MEMBER_ACTS[self.act] else ROLE_NEEDED


@dataclass(frozen=True)
class Member(Rule):
    """An object of these sides: their members as their role allows; for everybody else there is none.

    `is_named` says that the address names the organisation, so that staff, who have none, find nothing either.
    """

    act: str
    of: tuple[str, ...]
    is_named: bool = False

    def asked(self) -> Iterable[str]:
        others = [f"{side}:owner" for side in SIDES if side not in self.of]
        return [*OUTSIDERS, *others, *(one for side in self.of for one in members(side)), "staff:all", "staff:none"]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        if who == "nobody":
            return SIGN_IN[is_page]
        if who.startswith("staff:"):
            return Answer(NOT_FOUND) if self.is_named else NO_ORGANISATION
        role = _member_role(who)
        if role is None or who.partition(":")[0] not in self.of:
            return Answer(NOT_FOUND)
        return Answer(gives) if role in MEMBER_ACTS[self.act] else ROLE_NEEDED


@dataclass(frozen=True)
class Staff(Rule):
    """The exchange's own: staff who see the desk and may do one of the acts. Members are told of a role by the API;
    for them the desks' pages do not exist.
    """

    desk: str = ""
    acts: tuple[str, ...] = ()

    def asked(self) -> Iterable[str]:
        return [*OUTSIDERS, "seller:owner", "buyer:owner", *staff()]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        if who == "nobody":
            return SIGN_IN[is_page]
        if not who.startswith("staff:"):
            return Answer(NOT_FOUND) if is_page else ROLE_NEEDED
        return Answer(gives) if self._may(_staff_roles(who)) else ROLE_NEEDED

    def _may(self, held: set[StaffRole]) -> bool:
        sees = not self.desk or bool(held & (DESKS[self.desk] | SEES_EVERY_DESK))
        return sees and (not self.acts or any(held & STAFF_ACTS[act] for act in self.acts))


@dataclass(frozen=True)
class Readers(Rule):
    """A paper: both its readers' people, and of the staff those who see every paper. `otherwise` for all others."""

    otherwise: int
    nobody: Answer | None = None

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        if who == "nobody":
            return self.nobody or SIGN_IN[is_page]
        if who.startswith(("seller:", "buyer:")):
            return Answer(gives)
        sees_every = STAFF_ACTS["look_everywhere"] | STAFF_ACTS["revoke_paper"]
        return Answer(gives if _staff_roles(who) & sees_every else self.otherwise)


@dataclass(frozen=True)
class Given(Rule):
    """Told one by one: the first pattern that fits; None stands for what the row gives."""

    answers: Mapping[str, int | Answer | None]

    def answer(self, who: str, gives: int, *, is_page: bool) -> Answer:
        found = next(answer for pattern, answer in self.answers.items() if fnmatch(who, pattern))
        if isinstance(found, Answer):
            return found
        return Answer(gives if found is None else found)


def _member_role(who: str) -> Role | None:
    side, _colon, role = who.partition(":")
    return Role(role) if side in ("seller", "buyer", "newcomer") else None


def _staff_roles(who: str) -> set[StaffRole]:
    side, _colon, role = who.partition(":")
    if side != "staff" or role == "none":
        return set()
    return set(StaffRole) if role == "all" else {StaffRole(role)}


Named = Callable[[World], dict[str, Any]]


def nothing(_world: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """One thing that can be asked at one route, and who is answered how.

    `at` fills the route's parameters, `says` is the body (JSON for the API, a form for pages), `asks` the query.
    `gives` is the status for who may; `records` whether that leaves an event in the journal; `but` are exceptions;
    `tells` are words that are secret elsewhere, and that this address opens to whoever has it.
    """

    method: str
    route: str
    rule: Rule
    gives: int = 200
    at: Named = nothing
    says: Named | None = None
    asks: Named = nothing
    headers: Named = nothing
    content_type: str = "application/json"
    records: bool = True
    but: Mapping[str, int | Answer] = field(default_factory=dict)
    tells: Callable[[World], list[str]] = lambda _world: []

    @property
    def is_page(self) -> bool:
        return not self.route.startswith(("/api/", "/data/", "/healthz", "/readyz", "/metrics"))

    @property
    def is_safe(self) -> bool:
        return self.method == "GET"

    def asked(self) -> list[str]:
        """Who is asked. Of those who may only look, the first and the last: looking is the same for all between."""
        everyone = list(dict.fromkeys([*self.rule.asked(), *(who for who in self.but if "*" not in who)]))
        may_look = [who for who in everyone if self.is_safe and self.expected(who) == Answer(self.gives)]
        return [who for who in everyone if who not in may_look[1:-1]]

    @property
    def is_open_to_somebody(self) -> bool:
        """Whether anybody gets what the row gives; one that tells only of refusals gives nothing."""
        return any(self.expected(who) == Answer(self.gives) for who in self.rule.asked())

    def expected(self, who: str) -> Answer:
        """What this one is answered."""
        if any(fnmatch(who, pattern) for pattern in self.but):
            return Given(self.but).answer(who, self.gives, is_page=self.is_page)
        return self.rule.answer(who, self.gives, is_page=self.is_page)
