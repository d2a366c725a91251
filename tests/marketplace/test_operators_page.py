"""The page for operators names every setting there is, and none there is not."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operators.md").read_text("utf-8")


def test_every_variable_of_the_settings_stands_in_the_table_and_no_other():
    settings = (ROOT / "marketplace" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', settings))
    assert len(read) > 30
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)) == read


def defaults() -> dict[str, str]:
    """What the settings take where a variable is not set, as the table would say it; only what is plainly written."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "marketplace" / "settings.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] == "env" and node.args:
            given = next((ast.unparse(one.value) for one in node.keywords if one.arg == "default"), "")
            name = ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else ""
            plain = {"DEBUG": "on in development", "True": "on", "False": "off", "''": "–"}
            if given in plain:
                found[name] = plain[given]
            elif re.fullmatch(r"[\d_.*+ ]+", given):
                found[name] = f"{eval(given):g}" if "." in given else str(eval(given))  # noqa: S307 - digits alone
    return found


def test_the_tables_defaults_are_those_of_the_settings():
    said = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    plain = defaults()
    assert len(plain) > 20
    assert {name: said[name].replace("`", "") for name in plain} == plain


def test_every_link_of_the_page_leads_somewhere():
    for link in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists()
    for path in re.findall(r"`(tests/[\w./]+)`", PAGE):
        assert (ROOT / path).exists()
