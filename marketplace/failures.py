"""What staff read of a failure: its kind and a plain sentence. The log has the rest, under the row's name."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from marketplace.errors import Refused

_KIND = re.compile(r"([A-Z]\w+)(?:: |$)")
# Of a driver or a channel, in words of ours for whoever reads the desk.
_OURS = {"TryLater", "CannotDeliver", "IsolationUnavailable"}
_AWAY = {"OperationalError", "InterfaceError"}
_REFUSED = {"IntegrityError", "ProgrammingError", "DataError", "InternalError", "DatabaseError", "NotSupportedError"}
_SILENT = {
    "ConnectError", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout", "ReadError", "RemoteProtocolError",
    "TimeoutError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "APIConnectionError",
}  # fmt: skip
_DISK = {"OSError", "FileNotFoundError", "PermissionError", "BlockingIOError"}


def kind_of(error: str) -> str:
    """The class that a stored error begins with; '' for one in plain words, or none."""
    found = _KIND.match(error)
    return found[1] if found else ""


def words_for(error: str) -> str:
    """A stored error as a sentence. Refusals are sentences already; what others said may quote rows or be nonsense."""
    kind = kind_of(error)
    if not error:
        return _("Nothing was said: whoever takes it dies.")
    if not kind or kind in _OURS or kind in _refusals():
        return error.removeprefix(f"{kind}: ")[:300]
    if kind in _AWAY:
        return _("The database did not answer, or ended the work. It is tried again by itself.")
    if kind in _REFUSED:
        return _("The database refused what was to be written; nothing was changed. This is a fault of the exchange.")
    if kind in _SILENT:
        return _("The other side did not answer in time. It is tried again by itself.")
    if kind in _DISK:
        return _("A file could not be read or written. Look at the disk and the store of files.")
    return _("A fault of the exchange. The log has the details under this row’s name.")


def _refusals(of: type[Refused] = Refused) -> set[str]:
    """The names of all refusals, which speak in sentences."""
    return {of.__name__, *(name for kind in of.__subclasses__() for name in _refusals(kind))}
