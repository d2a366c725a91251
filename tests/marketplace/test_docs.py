"""What docs/staff.md and docs/trade.md say in tables is what roles.py and states.py say; every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from marketplace import roles
from marketplace.guards import Moves
from settlement import states

DOCS = Path(__file__).parents[2] / "docs"
MACHINES: dict[str, Moves] = {
    "trade": states.TRADE_MOVES,
    "payment": states.PAYMENT_MOVES,
    "refund or payout": states.OUTGOING_MOVES,
    "access": states.GRANT_MOVES,
    "clearing cycle": states.CYCLE_MOVES,
    "revenue split": states.SPLIT_MOVES,
    "dispute": states.DISPUTE_MOVES,
    "chargeback": states.CHARGEBACK_MOVES,
}


def section(page: str, heading: str) -> str:
    """What stands under a heading of a page, down to the next heading of any level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"docs/{page} has no heading “{heading}”"
    return found.group(1)


def table(rows: Mapping[str, Iterable[str]], columns: list[tuple[str, str]], first: str) -> str:
    """A table of who may what: a row an act, a column a role, `yes` where the role is among the row's."""
    lines = [
        f"| {first} | " + " | ".join(label for _value, label in columns) + " |",
        "|" + " --- |" * (len(columns) + 1),
    ]
    for act, allowed in rows.items():
        cells = " | ".join("yes" if value in allowed else "–" for value, _label in columns)
        lines.append(f"| `{act}` | {cells} |")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("heading", "rows", "columns", "first"),
    [
        ("What members may do", roles.MEMBER_ACTS, roles.Role.choices, "act"),
        ("What staff may do", roles.STAFF_ACTS, roles.StaffRole.choices, "act"),
        (
            "Who sees which desk",
            {desk: allowed | roles.SEES_EVERY_DESK for desk, allowed in roles.DESKS.items()},
            roles.StaffRole.choices,
            "desk",
        ),
    ],
)
def test_the_staffs_page_shows_the_table_of_roles(heading, rows, columns, first):
    expected = table(rows, [(value, str(label)) for value, label in columns], first)
    assert expected in section("staff.md", heading), f"docs/staff.md, “{heading}”, should have:\n\n{expected}\n"


@pytest.mark.parametrize("machine", MACHINES)
def test_the_trades_page_shows_every_move(machine):
    shown = {}
    for state, moves in re.findall(
        r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section("trade.md", f"Moves of a {machine}"), re.M
    ):
        shown[state] = dict(re.findall(r"(\w+) → `(\w+)`", moves))
    declared = {
        str(state): {act: str(becomes) for act, becomes in moves.items()} for state, moves in MACHINES[machine].items()
    }
    assert shown == declared


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")) + ["../README.md"])
def test_every_link_and_picture_of_a_page_is_there(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in target]
    missing = [target for target in targets if not (DOCS / page).parent.joinpath(target).exists()]
    assert missing == []
