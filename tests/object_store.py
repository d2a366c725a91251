"""An S3 store of another's making: moto's server, spoken to over real HTTP by boto3's real client."""

from __future__ import annotations

import functools
import os
import secrets

import boto3
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-of-a-secret"}


@functools.cache
def server() -> str:
    """The address of one server for all tests of this process; it ends with it."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    os.environ.update(KEYS)
    return f"http://{host}:{port}"


def new_bucket() -> str:
    """A fresh bucket that browsers may send parts to, as docs/operators.md says; its STORAGE_URL."""
    endpoint, bucket = server(), f"exchange-{secrets.token_hex(6)}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    rules = [{"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 3600}]
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    return f"s3://{bucket}/ours?endpoint={endpoint}&region=us-east-1"
