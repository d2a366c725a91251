"""One big file uploaded by the API, beside a plain copy of it over loopback into a file.

    python -m benchmarks.upload [--megabytes 5120] [--store]

Prints MB a second of both, in the same run, their ratio, and how much memory the web server's processes took for it.
With `--store` the file goes in parts straight to moto's S3 server, and a worker reads it back to hash it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import exchange

PART_BYTES = 1024 * 1024
SENT_AT_ONCE_BYTES = 64 * 1024 * 1024
PARTS_AT_ONCE = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=5120)
    parser.add_argument("--store", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upload-") as folder, contextlib.ExitStack() as held:
        content = Path(folder, "content")
        sha256 = _fill(content, asked.megabytes)
        plain_seconds = _plain_copy(content, Path(folder, "copy"))
        variables = held.enter_context(_store()) if asked.store else {}
        held.enter_context(exchange.running(**variables))
        headers, release = _open_release()
        before_mb = exchange.memory_of("granian")
        with exchange.PeakMemory("granian") as memory:
            began = time.monotonic()
            send = _in_parts if asked.store else _by_offset
            send(content, sha256, headers, release)
            seconds = time.monotonic() - began
        began = time.monotonic()
        _wait_for(release, sha256)
        checked_seconds = time.monotonic() - began
    print(f"upload            {asked.megabytes} MB in {seconds:.1f} s, {asked.megabytes / seconds:.0f} MB a second")
    if asked.store:
        print(f"check             {checked_seconds:.1f} s more until a worker had hashed it from the store")
    print(f"plain copy        {asked.megabytes / plain_seconds:.0f} MB a second, hashed, written and synced")
    print(f"ratio             {plain_seconds / seconds:.2f} of the plain copy")
    print(f"web server        {before_mb:.0f} MB before, {memory.peak_mb:.0f} MB at its peak")


def _fill(content: Path, megabytes: int) -> str:
    digest, block = hashlib.sha256(), os.urandom(PART_BYTES)
    with content.open("wb") as file:
        for number in range(megabytes):
            part = number.to_bytes(8, "big") + block[8:]
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def _plain_copy(content: Path, copy: Path) -> float:
    """The same bytes through a bare socket, hashed, written and synced at the other end; seconds."""
    listener = socket.create_server(("127.0.0.1", 0))
    began = time.monotonic()

    def send() -> None:
        connection, _address = listener.accept()
        with connection, content.open("rb") as file:
            while part := file.read(PART_BYTES):
                connection.sendall(part)

    sender = threading.Thread(target=send)
    sender.start()
    digest = hashlib.sha256()
    with socket.create_connection(listener.getsockname()) as receiver, copy.open("wb", buffering=0) as file:
        while part := receiver.recv(PART_BYTES):
            digest.update(part)
            file.write(part)
        os.fsync(file.fileno())
    sender.join()
    listener.close()
    seconds = time.monotonic() - began
    copy.unlink()
    return seconds


@contextlib.contextmanager
def _store() -> Iterator[dict[str, str]]:
    """moto's S3 server in a process of its own, with a bucket; the settings that choose it."""
    import boto3

    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-of-a-secret"}
    serve = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    process = subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait(lambda: _listens(port), "the store")
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="benchmark")
        yield {"STORAGE_URL": f"s3://benchmark?endpoint={endpoint}&region=us-east-1"}
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _open_release() -> tuple[dict[str, str], Any]:
    from django.conf import settings

    from listings import publishing, uploads
    from marketplace import tokens
    from tests import factories

    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    _token, secret = tokens.create_token(
        user=by, organisation=seller, name="benchmark", scopes=["read", "sell"], lapses_at=None, by=by
    )
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
    release = uploads.open_release(listing, label="1", by=by)
    settings.BASE_URL = os.environ["BASE_URL"]
    return {"Authorization": f"Bearer {secret}"}, release


def _announce(content: Path, sha256: str, headers: dict[str, str], release: Any, *, in_parts: bool) -> tuple[Any, str]:
    import httpx

    base = os.environ["BASE_URL"]
    client = httpx.Client(headers=headers, timeout=600, trust_env=False)
    address = f"{base}/api/v1/listings/{release.listing.public_id}/releases/{release.pk}/uploads"
    facts = {"path": "big.bin", "size_bytes": content.stat().st_size, "sha256": sha256, "in_parts": in_parts}
    told = client.post(address, json=facts, headers={"Idempotency-Key": "announce"})
    told.raise_for_status()
    return client, base + told.headers["Location"]


def _by_offset(content: Path, sha256: str, headers: dict[str, str], release: Any) -> None:
    client, place = _announce(content, sha256, headers, release, in_parts=False)
    size, offset = content.stat().st_size, 0
    with content.open("rb") as file:
        while offset < size:
            count = min(SENT_AT_ONCE_BYTES, size - offset)
            said = {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
                "Content-Length": str(count),
            }
            client.patch(place, content=_run(file, count), headers=said).raise_for_status()
            offset += count


def _in_parts(content: Path, sha256: str, headers: dict[str, str], release: Any) -> None:
    import httpx

    client, place = _announce(content, sha256, headers, release, in_parts=True)
    part_bytes = client.get(place).json()["part_bytes"]

    def put(part: dict[str, Any]) -> None:
        with content.open("rb") as file:
            file.seek((part["number"] - 1) * part_bytes)
            said = {"Content-Length": str(part["size_bytes"])}
            httpx.put(
                part["url"], content=_run(file, part["size_bytes"]), headers=said, timeout=600, trust_env=False
            ).raise_for_status()

    with ThreadPoolExecutor(PARTS_AT_ONCE) as hands:
        while missing := client.get(f"{place}/parts").json()["missing"]:
            list(hands.map(put, missing))
    client.post(f"{place}/completion", headers={"Idempotency-Key": "complete"}).raise_for_status()


def _run(file: Any, count: int) -> Iterator[bytes]:
    while count:
        part = file.read(min(PART_BYTES, count))
        count -= len(part)
        yield part


def _wait_for(release: Any, sha256: str) -> None:
    _wait(lambda: release.files.filter(sha256=sha256).exists(), "the file to belong to its release")


def _wait(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 900
    while not holds():
        if time.monotonic() > until:
            raise SystemExit(f"waited too long for {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
