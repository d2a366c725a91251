"""May the data of a trade go where its buyer is? A pure function of facts.

This is the interim rule, in force until the rulebook is built: what would leave the mainland and is more than the
plainest general data is refused, because the exchange cannot yet show that the law's conditions are met. It is
narrower than the law on purpose.

The law behind it: Data Security Law (2021) art. 21 and 31; Personal Information Protection Law (2021) art. 38;
Regulation on Network Data Security Management (State Council Decree 790, in force 2025-01-01); Provisions on
Promoting and Regulating Cross-Border Data Flows (CAC Order 16, 2024-03-22); grades of data by GB/T 43697-2024.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

RULEBOOK = "interim-2026-11"
MAINLAND = "CN"

DSL_21 = "Data Security Law of the PRC (2021) art. 21"
DSL_31 = "Data Security Law of the PRC (2021) art. 31"
PIPL_38 = "Personal Information Protection Law of the PRC (2021) art. 38"
FLOWS = "Provisions on Promoting and Regulating Cross-Border Data Flows, CAC Order 16 (2024-03-22)"
GRADES = "GB/T 43697-2024"


@dataclass(frozen=True)
class Facts:
    """What the decision is made from. Countries as in ISO 3166; Hong Kong and Macao are outside the mainland."""

    seller_country: str
    buyer_country: str
    classification: str
    has_personal_data: bool
    channel: str


@dataclass(frozen=True)
class Decision:
    """Whether the data may go, by which path, by which rules of which rulebook, and on what sources."""

    is_allowed: bool
    path: str  # domestic | not_exported | free_flow | refused
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    reasons: tuple[dict[str, str], ...] = ()
    rulebook: str = RULEBOOK
    facts: Facts | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """The decision as a trade keeps it."""
        return {
            "is_allowed": self.is_allowed,
            "path": self.path,
            "rules": list(self.rules),
            "rulebook": self.rulebook,
            "sources": list(self.sources),
            "reasons": list(self.reasons),
            "facts": vars(self.facts) if self.facts else {},
        }


def decide(facts: Facts) -> Decision:
    """Apply every rule; a refusal says all that stands against the trade."""
    reasons, rules, sources = [], [], []
    if facts.classification == "core":
        rules.append("interim.core-never")
        sources += [DSL_21, GRADES]
        reasons.append(
            {
                "code": "core_data",
                "detail": gettext("Core data is not traded."),
                "next": gettext("There is no way to trade it here."),
            }
        )
    if facts.channel == "files" and facts.classification in ("core", "important", "general_4"):
        rules.append("interim.not-as-file")
        sources += [DSL_21, GRADES]
        reasons.append(
            {
                "code": "not_as_file",
                "detail": gettext("Important data and general data of grade 4 are never delivered as files."),
                "next": gettext("Ask the seller for an offer by another channel."),
            }
        )
    leaves = facts.seller_country == MAINLAND and facts.buyer_country != MAINLAND
    is_plain = facts.classification == "general_1" and not facts.has_personal_data
    if leaves and not is_plain:
        rules.append("interim.leaves-mainland")
        sources += [DSL_31, PIPL_38, FLOWS]
        reasons.append(
            {
                "code": "crossborder_interim",
                "detail": gettext(
                    "This data would leave the Chinese mainland. Until the exchange's cross-border rulebook is "
                    "in force, only general data of grade 1 without personal information may."
                ),
                "next": gettext("Buy as an organisation with its seat on the mainland, or wait for the rulebook."),
            }
        )
    if reasons:
        return Decision(False, "refused", tuple(rules), _once(sources), tuple(reasons), facts=facts)
    if leaves:
        return Decision(True, "free_flow", ("interim.general-1-without-persons",), (FLOWS, GRADES), facts=facts)
    if facts.seller_country == MAINLAND:
        return Decision(True, "domestic", ("interim.stays-in-mainland",), (DSL_21,), facts=facts)
    return Decision(True, "not_exported", ("interim.not-from-mainland",), (FLOWS,), facts=facts)


def _once(sources: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sources))
