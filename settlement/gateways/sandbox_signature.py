"""How the sandbox signs what it tells us, and how we check that it was the sandbox.

The header reads `t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of `t`, a full stop and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from settlement.gateways import BadNotice

HEADER = "Sandbox-Signature"
TOLERANCE_SECONDS = 300
_WRITTEN = re.compile(r"t=(?P<at>[0-9]{1,12}),v1=(?P<mac>[0-9a-f]{64})")


def sign(body: bytes, *, at: int | None = None) -> str:
    """The header's value for this body, signed `at` (unix seconds; now by default)."""
    at = int(clock.now().timestamp()) if at is None else at
    return f"t={at},v1={_mac(body, at)}"


def require_signed(body: bytes, header: str) -> None:
    """Raises BadNotice unless the sandbox signed this body at most five minutes ago."""
    written = _WRITTEN.fullmatch(header)
    if written is None:
        raise BadNotice(_("The notice has no %(header)s header of the form t=…,v1=…."), header=HEADER)
    at = int(written["at"])
    if not hmac.compare_digest(_mac(body, at), written["mac"]):
        raise BadNotice(_("The signature does not belong to this notice."))
    if abs(clock.now().timestamp() - at) > TOLERANCE_SECONDS:
        raise BadNotice(
            _("The notice was signed more than %(minutes)s minutes ago or in the future."),
            next=_("Post it again, signed anew, and compare the clocks."),
            minutes=TOLERANCE_SECONDS // 60,
        )


def _mac(body: bytes, at: int) -> str:
    return hmac.new(settings.SANDBOX_SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
