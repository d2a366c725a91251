"""Who is told of demands: of an answer, a message, an end, a match and a hiding, each time the other side."""

from __future__ import annotations

from compliance.models import Demand, DemandMatch, DemandMessage, DemandResponse
from compliance.states import DemandState, ResponseState
from marketplace import notifications
from marketplace.models import User


def tell_poster(response: DemandResponse) -> None:
    """The poster reads a new answer."""
    _tell("demand.answered", response.demand, quote=response.text, by=response.by, response=response)


def tell_other_side(message: DemandMessage) -> None:
    """The other side of an answer reads what one of them wrote."""
    response = message.response
    if message.is_of_poster:
        code, to = "demand.poster_wrote", response.seller_id
    else:
        code, to = "demand.seller_wrote", response.demand.organisation_id
    _tell(code, response.demand, to=to, quote=message.text, by=message.by, response=response)


def tell_of_ended_answer(response: DemandResponse, *, by: User) -> None:
    """The seller reads that its answer was declined, the poster that one was taken back."""
    if response.state == ResponseState.DECLINED:
        code, to, quote = "demand.answer_declined", response.seller_id, response.reason
    else:
        code, to, quote = "demand.answer_withdrawn", response.demand.organisation_id, response.text
    _tell(code, response.demand, to=to, quote=quote, by=by, response=response)


def tell_of_end(demand: Demand) -> None:
    """Sellers whose answers stand read that it has ended; of one that lapsed its poster reads too."""
    standing = demand.responses.filter(state=ResponseState.OPEN).order_by("seller").distinct("seller")
    for seller in standing.values_list("seller", flat=True):
        _tell("demand.ended", demand, to=seller)
    if demand.state == DemandState.LAPSED:
        _tell("demand.lapsed", demand)


def tell_of_match(match: DemandMatch) -> None:
    """Everybody of the seller who may answer reads that the exchange thinks of them."""
    _tell("demand.matched", match.demand, to=match.seller_id, quote=match.note)


def tell_of_hiding(demand: Demand) -> None:
    """The poster reads that it is hidden, and why."""
    _tell("demand.hidden", demand, quote=demand.hidden_reason)


def _tell(
    code: str,
    demand: Demand,
    *,
    to: int | None = None,
    quote: str = "",
    by: User | None = None,
    response: DemandResponse | None = None,
) -> None:
    """Tell an organisation, the poster where none is named."""
    notifications.tell(
        code,
        organisation=to or demand.organisation_id,
        path=demand.get_absolute_url() + (f"#answer-{response.pk}" if response else ""),
        facts={"title": demand.title} | ({"quote": quote} if quote else {}),
        by=by,
    )
