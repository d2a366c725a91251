"""The page for operators names every setting there is, and none there is not."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operators.md").read_text("utf-8")


def test_every_variable_of_the_settings_stands_in_the_table_and_no_other():
    settings = (ROOT / "marketplace" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', settings))
    assert len(read) > 30
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)) == read


def test_every_link_of_the_page_leads_somewhere():
    for link in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists()
    for path in re.findall(r"`(tests/[\w./]+)`", PAGE):
        assert (ROOT / path).exists()
