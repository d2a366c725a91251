"""What a `STORAGE_URL` says: `s3://bucket/prefix?endpoint=https://store.example:9000&region=cn-east-1`.

Without `endpoint` the bucket is Amazon's in `region`. Pure: the settings read it too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # Amazon S3 User Guide, "Bucket naming rules"
_PREFIX = re.compile(r"([A-Za-z0-9_-]+/)*")


class WrongAddress(ValueError):
    """This is no address of a store; the sentence says why."""


@dataclass(frozen=True)
class StoreAddress:
    """A bucket, the part of it that is ours, and where it answers."""

    bucket: str
    prefix: str  # '' or ends in a slash
    endpoint: str  # '' for Amazon's own
    region: str

    @property
    def origin(self) -> str:
        """Where browsers send parts to, as a content policy names it."""
        if self.endpoint:
            return self.endpoint
        zone = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://{self.bucket}.s3.{self.region}.{zone}"


def read(url: str) -> StoreAddress:
    """Raises WrongAddress."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    bucket, prefix = parts.netloc, parts.path.strip("/")
    prefix = f"{prefix}/" if prefix else ""
    endpoint, region = asked.pop("endpoint", "").rstrip("/"), asked.pop("region", "us-east-1")
    if parts.scheme != "s3" or not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix):
        raise WrongAddress("It has the form s3://bucket or s3://bucket/prefix.")
    if endpoint and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", endpoint):
        raise WrongAddress("`endpoint` is http:// or https:// and a host, no path.")
    if asked or not re.fullmatch(r"[a-z0-9-]+", region):
        raise WrongAddress("After the question mark stand `endpoint` and `region` alone.")
    return StoreAddress(bucket, prefix, endpoint, region)
