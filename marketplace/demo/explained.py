"""Who is who in the demo exchange, and what to try."""

from __future__ import annotations

from marketplace.demo.cast import APPLICANTS, BUYERS, PASSWORD, SELLERS, STAFF, House

TRY = [
    ("buyer", "buyer@pujiang.example", "Orders: pay the workdays, download and accept the flights"),
    ("", "buyer@pujiang.example", "Orders: pay the second of three instalments; accept the upgraded airports"),
    ("", "buyer@peak-analytics.example", "a library of a year with what was downloaded; a city table to pay"),
    ("", "buyer@peak-analytics.example", "Quotes: order the metro by one, at the price of its discount"),
    ("seller", "seller@lingang-aviation.example", "answer a proposal and an objection; bring a new release"),
    ("", "seller@lingang-aviation.example", "Studio: a discount on the flights by the download"),
    ("", "seller@lingang-aviation.example", "what the flights pass on; Money: statements and the reserve"),
    ("", "seller@victoria-data.example", "Money: mend the account that bounced; answer a proposal"),
    ("", "seller@jinghua-calendar.example", "Studio: rework the manual that came back"),
    ("", "seller@nansha-shipping.example", "a licence that expires soon; an objection to “Simulated tides”"),
    ("", "seller@bay-shipping-weather.example", "a joint merchant: its members and what they sell together"),
    ("staff", "review@ then review2@", "approve “Airports served from New York”, overdue"),
    ("", "vetting@ then vetting2@", "vet Chongqing Liangjiang, its papers too; a changed contact; tiers"),
    ("", "vetting2@", "approve Orchid Mobility as the second person"),
    ("", "review@ or disputes@", "decide the objection to “Simulated tides” while it is public"),
    ("", "clearing@ then clearing2@", "release the cycle above the limit; grant netting to a member who asks"),
    ("", "payments@, disputes@", "money that did not fit, a refund that came back, an account; objections"),
    ("", "support@, review@", "Demands: match what members look for with a seller, or hide it"),
    ("", "clearing@", "confirm that a certificate is revoked"),
    ("nobody", "", "the catalogue with entries of another exchange (made up), and"),
    ("", "", "/verify/ with a certificate's number"),
]


def explain() -> str:
    """Short and aligned, the three desks first."""
    lines = [
        "The demo exchange: organisations and people are made up. Everyone's password is",
        f"    {PASSWORD}",
        "",
        "What to try (staff sign in at /admin/ as …@exchange.example)",
        *(f"  {desk:7} {email:32} {what}" for desk, email, what in TRY),
    ]
    for title, houses in (("Sellers", SELLERS), ("Buyers", BUYERS), ("Applicants", APPLICANTS)):
        lines += ["", title, *(line for house in houses for line in _lines(house))]
    lines += ["", "Staff of the exchange"]
    lines += [f"  {person.email:36} {person.role}" for person in STAFF]
    return "\n".join(lines)


def _lines(house: House) -> list[str]:
    people = [f"    {person.email:36} {person.role}" for person in house.people]
    place = house.region if house.country == "CN" else house.country
    return [f"  {house.latin_name} ({place})", f"    {house.says}", *people]
