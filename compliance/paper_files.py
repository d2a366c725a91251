"""What kind of file a stranger sent as a paper, told by its content; and what is refused whatever it is called."""

from __future__ import annotations

import io
import re
import zipfile

from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid, Text, TooLarge

MOST_BYTES = 10 * 1024 * 1024
MOST_XML_BYTES = 1024 * 1024
MOST_MEMBERS = 200
PDF, PNG, JPEG, OFD, XML = "application/pdf", "image/png", "image/jpeg", "application/ofd", "application/xml"
DRAWN = (PDF, PNG, JPEG)  # of the others only their data is kept
SUFFIXES = {PDF: "pdf", PNG: "png", JPEG: "jpg", OFD: "ofd", XML: "xml"}

_END_OF_ZIP = b"PK\x05\x06"
_ACTIVE_IN_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|EmbeddedFiles|RichMedia|XFA|OpenAction\s*<<)\b")
_MARKUP = re.compile(rb"<\s*(!doctype\s+html|html|head|body|script|iframe|svg|object|embed)[\s>/]", re.IGNORECASE)
_NEXT = _("Send a PDF, a PNG or JPEG picture, or an electronic licence as OFD or XML.")


def _refused(code: str, detail: Text) -> Invalid:
    return Invalid(detail, code=code, next=_NEXT)


def media_type_of(content: bytes) -> str:
    """One of PDF, PNG, JPEG, OFD and XML.

    Raises TooLarge, Invalid `empty_file`, `office_document`, `active_content`, `polyglot`, `unknown_file_type`.
    """
    if not content:
        raise _refused("empty_file", _("This file is empty."))
    if len(content) > MOST_BYTES:
        raise TooLarge(_("A paper has at most %(most_bytes)s bytes."), most_bytes=f"{MOST_BYTES:,}")
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture(content, PNG, content.rstrip(b"\0").endswith(b"IEND\xaeB`\x82"))
    if content.startswith(b"\xff\xd8\xff"):
        return _picture(content, JPEG, content.rstrip(b"\0").endswith(b"\xff\xd9"))
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _refused("office_document", _("Office documents may hold macros and are not accepted."))
    return _text(content)


def _pdf(content: bytes) -> str:
    if _END_OF_ZIP in content or b"%%EOF" not in content[-2048:] or _MARKUP.search(content[:2048]):
        raise _refused("polyglot", _("This PDF is something else as well."))
    if _ACTIVE_IN_PDF.search(content):
        raise _refused("active_content", _("This PDF holds scripts, forms or other files."))
    return PDF


def _picture(content: bytes, kind: str, ends_well: bool) -> str:
    if not ends_well or _END_OF_ZIP in content[-66_000:] or b"%PDF-" in content[:2048] or _MARKUP.search(content):
        raise _refused("polyglot", _("This picture is something else as well, or is damaged."))
    return kind


def _archive(content: bytes) -> str:
    """An OFD document (GB/T 33190) is a ZIP with OFD.xml at its root; of it only the list of members is read here."""
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _refused("unknown_file_type", _("This archive cannot be read.")) from error
    names = {member.filename for member in members}
    if "[Content_Types].xml" in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _refused("office_document", _("Office documents may hold macros and are not accepted."))
    if "OFD.xml" not in names or len(members) > MOST_MEMBERS:
        raise _refused("unknown_file_type", _("An archive is accepted only where it is an OFD document."))
    if any(name.lower().endswith((".js", ".html", ".htm", ".svg", ".exe", ".dll", ".vbs")) for name in names):
        raise _refused("active_content", _("This OFD document holds scripts or pages."))
    if sum(member.file_size for member in members) > 20 * MOST_BYTES:
        raise _refused("zip_bomb", _("Unpacked, this archive would be far larger than a paper is."))
    return OFD


def _text(content: bytes) -> str:
    """An electronic licence as XML: data, without document types, entities, style sheets or pages of a browser."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _MARKUP.search(content):
        raise _refused("active_content", _("Pages and drawings that a browser would run are not accepted."))
    if not head.startswith(b"<?xml") or len(content) > MOST_XML_BYTES:
        raise _refused("unknown_file_type", _("This is none of the kinds of file a paper may be."))
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"<?xml-stylesheet" in content:
        raise _refused("active_content", _("This XML names a document type, entities or a style sheet."))
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("unknown_file_type", _("An XML licence is written in UTF-8.")) from error
    return XML
