"""Labels as PDF and PNG, 4 x 6 inches, with a Code 128 bar code of the tracking number."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from reportlab.graphics.barcode.code128 import Code128  # type: ignore[import-untyped]
from reportlab.lib.units import inch  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from testbed.database import Json

WIDTH, HEIGHT = 4 * inch, 6 * inch
DOTS = 150


def label_lines(shipment: Json) -> list[str]:
    """Return what is printed above the bar code; a return label goes back to the sender."""
    sender, receiver = shipment["from_address"], shipment["to_address"]
    if shipment["is_return"]:
        sender, receiver = receiver, sender
    rate = shipment["selected_rate"]
    title = f"{rate['carrier']} {rate['service']}{' RETURN' if shipment['is_return'] else ''}"
    return [title, "", "FROM", *_address(sender), "", "TO", *_address(receiver)]


def _address(address: Json) -> list[str]:
    town = " ".join(str(address.get(name) or "") for name in ("zip", "city", "state", "country"))
    rows = [address.get(name) for name in ("name", "company", "street1", "street2")]
    return [str(row)[:44] for row in rows if row] + [town.strip()[:44]]


def pdf_label(shipment: Json) -> bytes:
    """Return the label as a PDF of one page."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), invariant=True)
    canvas.setTitle(f"Label {shipment['tracking_code']}")
    canvas.setFont("Helvetica", 11)
    for number, line in enumerate(label_lines(shipment)):
        canvas.drawString(0.3 * inch, HEIGHT - 0.5 * inch - number * 15, _printable(line))
    bars = Code128(shipment["tracking_code"], barHeight=1.1 * inch, barWidth=1.1, quiet=True)
    bars.drawOn(canvas, (WIDTH - bars.width) / 2, 0.8 * inch)
    canvas.drawCentredString(WIDTH / 2, 0.5 * inch, shipment["tracking_code"])
    if shipment.get("reference"):
        canvas.drawString(0.3 * inch, 0.2 * inch, _printable(str(shipment["reference"])[:60]))
    canvas.save()
    return file.getvalue()


def png_label(shipment: Json) -> bytes:
    """Return the label as a picture of 600 x 900 dots."""
    picture = Image.new("L", (4 * DOTS, 6 * DOTS), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(22)
    for number, line in enumerate(label_lines(shipment)):
        draw.text((40, 50 + number * 30), _printable(line), fill=0, font=font)
    widths = _bar_widths(shipment["tracking_code"])
    left, dark = (4 * DOTS - 2 * sum(widths)) // 2, True
    for width in widths:
        if dark:
            draw.rectangle((left, 620, left + 2 * width - 1, 800), fill=0)
        left, dark = left + 2 * width, not dark
    draw.text((150, 815), shipment["tracking_code"], fill=0, font=font)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _bar_widths(text: str) -> list[int]:
    bars = Code128(text, quiet=False)
    bars.validate()
    bars.encode()
    bars.decompose()
    # reportlab writes a bar of n modules as the n-th letter, upper case when it is dark.
    return [ord(letter.lower()) - ord("a") + 1 for letter in bars.decomposed]


def _printable(text: str) -> str:
    """Return the text in Latin-1, which the built-in fonts can show."""
    return text.encode("latin-1", "replace").decode("latin-1")
