"""What the demo's organisations show and what another exchange lists: made up, and every page of it says so."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from django.core.management import call_command

from compliance import proofs
from compliance.models import Proof
from listings.models import CatalogueEntry
from marketplace import clock
from marketplace.demo.cast import House
from marketplace.models import Organisation

ELSEWHERE = "Lakeside Data Exchange (made up) 湖畔数据交易所（虚构）"
KINDS = ("数据集", "API", "数据报告", "模型")
SUBJECTS = (
    ("Parking spaces by district", "分区停车位统计", "城市管理"),
    ("River levels by station", "河道水位监测", "水利环境"),
    ("Warehouse rents by city", "城市仓储租金", "物流仓储"),
    ("Small-business credit index", "小微企业信用指数", "金融"),
    ("Factory electricity by branch", "工业行业用电", "制造业"),
    ("Museum visits by month", "博物馆月度参观人次", "文化旅游"),
)


def papers(house: House, organisation: Organisation, *, expires_on: dt.date) -> None:
    """Its owner shows a licence that ends on that day and, of the mainland, the electronic one too; once."""
    shown = set(Proof.objects.filter(organisation=organisation).values_list("kind", flat=True))
    add = partial(
        proofs.add, organisation, number=house.registration_number, issuer="Made-up register 虚构登记机关",
        issued_on=clock.today() - dt.timedelta(days=700), by=organisation.created_by,
    )  # fmt: skip
    if Proof.Kind.LICENCE not in shown:
        add(kind=Proof.Kind.LICENCE, expires_on=expires_on, content=_licence(house, expires_on))
    if house.country == "CN" and Proof.Kind.E_LICENCE not in shown:
        add(kind=Proof.Kind.E_LICENCE, content=_electronic(house))


def _licence(house: House, expires_on: dt.date) -> bytes:
    """A page of PDF in the letters every reader has."""
    lines = [
        "LICENCE - MADE UP FOR A DEMO EXCHANGE",
        house.latin_name,
        f"Number {house.registration_number}",
        f"Valid until {expires_on}",
        "Nobody issued this page; the organisation does not exist.",
    ]
    written = " T* ".join(f"({line}) Tj" for line in lines)  # no name of the cast has a bracket
    text = f"BT /F1 18 Tf 28 TL 60 740 Td {written} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    page, places = io.BytesIO(b""), []
    page.write(b"%PDF-1.4\n")
    for number, one in enumerate(objects, 1):
        places.append(page.tell())
        page.write(b"%d 0 obj\n%b\nendobj\n" % (number, one))
    table = page.tell()
    page.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    page.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    page.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return page.getvalue()


def _electronic(house: House) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<electronicLicence><notice>Made up for a demo exchange 演示用虚构证照</notice>"
        f"<name>{escape(house.name)}</name><number>{house.registration_number}</number></electronicLicence>\n"
    ).encode()


def entries() -> None:
    """The catalogue of an exchange that is made up, read by the command that reads any; once."""
    if CatalogueEntry.objects.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lakeside.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("identifier", "title", "description", "merchant", "category", "type", "price_mode"))
            for number, (title, name, category) in enumerate(SUBJECTS, 1):
                for place, kind in enumerate(KINDS):
                    writer.writerow((
                        f"LDX-{number}{place}", f"{name} · {title}",
                        "An entry made up for this demo; nobody sells it. 演示用虚构条目，无人出售。",
                        "Made-up merchant 虚构数商", category, kind, "面议",
                    ))  # fmt: skip
        call_command("import_catalogue", path, exchange=ELSEWHERE, stdout=io.StringIO(), stderr=io.StringIO())
