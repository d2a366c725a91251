"""Owners are told how their organisation stands: applications, facts, papers, joint merchants. From the journal."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import reverse

from compliance.models import Decision, FactChange
from compliance.proof_models import Proof
from compliance.verification import DECIDED
from marketplace import notifications, telling
from marketplace.models import Event, Organisation

WITH_REASON = {
    "organisation.more_requested", "organisation.refused", "organisation.suspended", "organisation.expelled",
}  # fmt: skip


def register() -> None:
    """Follow the standing of organisations; called once, when Django has loaded the app."""
    telling.register(dict.fromkeys(DECIDED.values(), _decided))
    telling.register({"facts.changed": _facts, "facts.change_refused": _facts})
    telling.register({"proof.expiring": _expiring, "joint_member.named": _named})


def _decided(event: Event) -> None:
    facts: dict[str, Any] = {}
    number = (event.facts or {}).get("decision")
    if event.kind in WITH_REASON and number:
        facts["quote"] = Decision.objects.values_list("reason", flat=True).get(pk=number)
    _tell(event, event.subject_id, "organisation", **facts)


def _facts(event: Event) -> None:
    facts: dict[str, Any] = {}
    number = (event.facts or {}).get("change")
    if event.kind == "facts.change_refused" and number:
        facts["quote"] = FactChange.objects.values_list("reason", flat=True).get(pk=number)
    _tell(event, event.subject_id, "facts", **facts)


def _expiring(event: Event) -> None:
    facts = event.facts or {}
    proof = Proof.objects.filter(pk=facts["proof"], withdrawn_at=None).first()
    if proof is not None:
        day = dt.date.fromisoformat(facts["expires_on"])
        _tell(event, event.subject_id, "organisation_papers", paper=f"{proof.issuer} {proof.number}".strip(), day=day)


def _named(event: Event) -> None:
    joint = Organisation.objects.get(pk=event.subject_id)
    _tell(event, int((event.facts or {})["member"]), "joint_members", joint=joint)


def _tell(event: Event, organisation_id: int, page: str, **facts: Any) -> None:
    organisation = Organisation.objects.get(pk=organisation_id)
    notifications.tell(
        event.kind,
        organisation=organisation_id,
        path=reverse(page),
        facts=facts | {"organisation": organisation},
        by=event.by,
    )
