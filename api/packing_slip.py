"""The packing slip: what is in the parcel and where it goes, on one or more A4 pages.

Text is the customer's and is escaped; nothing is fetched. DejaVu Sans is used when the machine has
it (Latin, Greek, Cyrillic and more), else PDF's own Helvetica.
"""

from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle  # type: ignore[import-untyped]

from domain.order import Address, OrderLine
from domain.progress import ShipmentProgress
from ports.stores import StoredOrder

FONTS = Path("/usr/share/fonts/truetype/dejavu")
LONGEST = 200
MOST_LINES = 500


def packing_slip(stored: StoredOrder, shipment: ShipmentProgress, shop: str) -> bytes:
    """Return the PDF of one parcel's packing slip; holds no prices."""
    out = BytesIO()
    order = stored.order
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        margins=20 * mm,
        title=f"Packing slip {order.order_id}"[:LONGEST],
        author=shop,
        invariant=1,
    )
    document.build(
        [
            _text(shop, 16, bold=True),
            _text("Packing slip", 11),
            Spacer(1, 8 * mm),
            _text(f"Order {order.number or order.external_id}", 11, bold=True),
            _text(f"Placed on {order.placed_at:%d %B %Y}", 10),
            _text(f"Parcel {shipment.shipment_id}", 10),
            Spacer(1, 6 * mm),
            *[_text(line, 10) for line in _address(stored.ship_to)],
            Spacer(1, 8 * mm),
            _lines({line.line_id: line for line in order.lines}, shipment),
        ]
    )
    return out.getvalue()


def _lines(lines: dict[str, OrderLine], shipment: ShipmentProgress) -> Table:
    rows: list[list[Flowable]] = [[_text(word, 9, bold=True) for word in ("SKU", "Item", "Units")]]
    for units in shipment.lines[:MOST_LINES]:
        line = lines.get(units.line_id)
        sku, title = (line.sku, line.title) if line else (units.line_id, "")
        rows.append([_text(sku, 9), _text(title, 9), _text(str(units.quantity), 9)])
    table = Table(rows, colWidths=(45 * mm, 105 * mm, 20 * mm), repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _address(address: Address | None) -> list[str]:
    if address is None:
        return []
    city = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (address.name, address.company, address.line1, address.line2, city, address.country)
    return [line for line in lines if line]


def _text(text: str, size: int, bold: bool = False) -> Paragraph:
    regular, heavy = _fonts()
    style = ParagraphStyle(
        "slip", fontName=heavy if bold else regular, fontSize=size, leading=size * 1.35
    )
    return Paragraph(escape(_printable(text)[:LONGEST]), style)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


@cache
def _fonts() -> tuple[str, str]:
    regular, heavy = FONTS / "DejaVuSans.ttf", FONTS / "DejaVuSans-Bold.ttf"
    if not (regular.exists() and heavy.exists()):
        return "Helvetica", "Helvetica-Bold"
    pdfmetrics.registerFont(TTFont("DejaVuSans", regular))
    pdfmetrics.registerFont(TTFont("DejaVuSans-Bold", heavy))
    return "DejaVuSans", "DejaVuSans-Bold"
