"""A trade's evidence pack verifies offline by its own documented steps, and notices what was changed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from marketplace import journal
from marketplace.models import Event, Paper
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db


def taken(deal: trading.Deal, by, route: str = "trade_evidence") -> bytes:
    client = Client(headers={"accept-language": "en"})
    client.force_login(by)
    answer = client.get(reverse(route, args=[deal.trade.public_id]))
    assert answer["Content-Type"] == "application/zip"
    return b"".join(answer)


def verified(folder: Path) -> tuple[int, str]:
    """As README.md says: the pack's own program, without anything of ours."""
    ran = subprocess.run([sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


def unpacked(pack: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(pack)) as whole:
        assert whole.testzip() is None
        whole.extractall(folder)
    return folder


def test_a_pack_verifies_offline_and_every_change_of_it_is_noticed(tmp_path):
    deal = trading.make_trade(TradeState.SETTLED)
    trading.make_trade(TradeState.PROPOSED)
    journal.seal()
    pack = taken(deal, deal.seller)
    folder = unpacked(pack, tmp_path / "sellers")
    papers = Paper.objects.filter(subject_kind="trade", subject_id=deal.trade.pk)
    kinds = {"trade_contract", "delivery_record", "acceptance", "trade_certificate"}
    assert {paper.kind for paper in papers} == kinds
    names = {path.name for path in (folder / "papers").iterdir()}
    assert names == {f"{paper.number}{end}" for paper in papers for end in (".json", "-en.pdf")}
    shown = json.loads((folder / "journal.json").read_text())
    said = [json.loads(one["entry"])["kind"] for one in shown["entries"]]
    assert [kind for kind in said if kind.startswith("trade.")] == trading.kinds_recorded(deal.trade)
    assert said.count("paper.issued") == 4 and "payment.paid" in said and len(shown["heads"]) == 1
    assert verified(folder) == (0, f"OK: {len(said)} entries stand in the journal of {shown['tree']['size']} entries\n"
                                   f"with the root {shown['tree']['root']}\n")  # fmt: skip
    assert "python3 verify.py" in (folder / "README.md").read_text()

    trading.make_trade(TradeState.PROPOSED)  # the journal grows, and the pack stays as it was
    journal.seal()
    assert taken(deal, deal.seller) == pack == taken(deal, factories.make_staff("audit"))
    assert taken(deal, deal.seller, "api_trade_evidence") == pack

    buyers = unpacked(taken(deal, deal.buyer), tmp_path / "buyers")
    hidden = [one for one in json.loads((buyers / "journal.json").read_text())["entries"] if one["entry"] is None]
    cleared = Event.objects.get(kind="trade.cleared", subject_id=deal.trade.pk)
    assert [one["position"] for one in hidden] == [cleared.seal.position] and hidden[0]["salt"] is None
    assert verified(buyers)[0] == 0

    contract = papers.get(kind="trade_contract").number
    changed = folder / "papers" / f"{contract}.json"
    whole = changed.read_bytes()
    changed.write_bytes(whole.replace(b"125000", b"125001"))
    assert verified(folder) == (1, f"WRONG: paper {contract} is not the one that was issued\n")
    changed.write_bytes(whole)
    first = shown["entries"][0]
    first["entry"] = first["entry"].replace("trade.proposed", "trade.declined")
    (folder / "journal.json").write_text(json.dumps(shown))
    said = verified(folder)
    assert said == (1, f"WRONG: entry {first['position']} does not stand in the journal as it is shown\n")
