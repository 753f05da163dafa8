"""What the documentation points at exists: tests, pages, pictures, decisions."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(#[\w-]+)?\)")


def test_every_capability_names_a_test_that_exists() -> None:
    text = (ROOT / "docs/capabilities.md").read_text()
    rows = [line for line in text.splitlines() if re.match(r"\| C\d+ ", line)]
    proofs = [PROOF.search(row) for row in rows]
    missing = [
        row[:60]
        for row, proof in zip(rows, proofs, strict=True)
        if not proof or f"def {proof[2]}(" not in (ROOT / proof[1]).read_text()
    ]
    assert rows
    assert not missing


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} → {link}"
        for page in PAGES
        for link, _ in LINK.findall(page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not broken
