"""What our sources ask to be translated, read without gettext's tools, and what a catalogue answers."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.template import Template, engines
from django.template.base import TokenType, VariableNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from tests.source import APPS, ROOT, parsed, sources

# Django's functions by where their sentence stands; those with a context have it first.
SENTENCE_AT = {"gettext": 0, "gettext_lazy": 0, "gettext_noop": 0, "ngettext": 0, "ngettext_lazy": 0}
SENTENCE_AFTER_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
IN_A_TAG = re.compile(r"""_\((?P<quote>["'])(?P<text>.*?)(?P=quote)\)""")


@dataclass(frozen=True)
class Asked:
    """One sentence some source asks for; `context` tells equal words of different meaning apart."""

    text: str
    context: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of a catalogue's source. `flags` are what stands behind `#,`."""

    asked: Asked
    plural: str
    answers: tuple[str, ...]
    flags: frozenset[str]


def asked_in_python() -> Iterator[tuple[Asked, str]]:
    """Each sentence of our modules, and the file it stands in."""
    for path in sources(*APPS):
        names = _imported_names(parsed(path))
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                function = names[node.func.id]
                words = [word.value if isinstance(word, ast.Constant) else None for word in node.args]
                context, text = (words[0], words[1]) if function in SENTENCE_AFTER_CONTEXT else ("", words[0])
                if isinstance(text, str) and isinstance(context, str):
                    yield Asked(text, context), str(path.relative_to(ROOT))


def _imported_names(module: ast.Module) -> dict[str, str]:
    """How the module calls Django's translating functions: {its name: Django's name}."""
    known = SENTENCE_AT.keys() | SENTENCE_AFTER_CONTEXT
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in known
    }


def asked_in_templates() -> Iterator[tuple[Asked, str]]:
    """Each sentence of our templates, and the file it stands in."""
    for path in sorted((ROOT / "templates").rglob("*.*")):
        where = str(path.relative_to(ROOT))
        template: Template = engines["django"].from_string(path.read_text()).template
        for node in template.nodelist.get_nodes_by_type(TranslateNode):
            yield Asked(_literal(node.filter_expression), _literal(node.message_context)), where
        for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
            yield Asked(node.render_token_list(node.singular)[0], _literal(node.message_context)), where
        for inner in _tags(template):
            for found in IN_A_TAG.finditer(inner):
                yield Asked(found["text"].replace("%", "%%")), where


def _literal(expression: object) -> str:
    """The quoted words of a tag, as makemessages writes them: with doubled percent signs."""
    if not expression:
        return ""
    words = getattr(expression, "var", expression)
    return str(getattr(words, "literal", None) or words).replace("%", "%%")


def _tags(template: Template) -> Iterator[str]:
    for node in template.nodelist.get_nodes_by_type(object):
        token = getattr(node, "token", None)
        if token and (token.token_type == TokenType.BLOCK or isinstance(node, VariableNode)):
            yield token.contents


@functools.cache
def entries(language_folder: str) -> list[Entry]:
    """The catalogue's source under locale/, without its header."""
    text = (ROOT / "locale" / language_folder / "LC_MESSAGES" / "django.po").read_text()
    # What no source asks for any longer is kept commented out (`#~`) until somebody drops it.
    found = [_entry(block) for block in text.split("\n\n") if re.search(r"^msgid ", block, re.M)]
    return [entry for entry in found if entry.asked.text]


def _entry(block: str) -> Entry:
    flags: set[str] = set()
    said: dict[str, str] = {}
    key = ""
    for line in block.splitlines():
        if line.startswith("#,"):
            flags.update(flag.strip() for flag in line[2:].split(","))
        elif line.startswith('"'):
            said[key] += ast.literal_eval(line)
        elif line and not line.startswith("#"):
            key, _space, quoted = line.partition(" ")
            said[key] = ast.literal_eval(quoted)
    answers = tuple(words for key, words in said.items() if key.startswith("msgstr"))
    return Entry(Asked(said["msgid"], said.get("msgctxt", "")), said.get("msgid_plural", ""), answers, frozenset(flags))


def compiled(language_folder: str) -> Path:
    """The file Django reads."""
    return ROOT / "locale" / language_folder / "LC_MESSAGES" / "django.mo"
