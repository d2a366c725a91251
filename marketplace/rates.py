"""How often one may ask the API."""

from __future__ import annotations

import logging

import redis
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

logger = logging.getLogger(__name__)


class _OpenWithoutCache:
    """When the counter of requests cannot be reached, requests pass: a lost Redis must not close the exchange."""

    def allow_request(self, request: Request, view: object) -> bool:
        try:
            return super().allow_request(request, view)  # type: ignore[misc]
        except redis.RedisError:
            logger.warning("requests are not counted: the cache does not answer")
            return True


class RateOfUser(_OpenWithoutCache, UserRateThrottle):
    """How often one person may ask."""


class RateOfStranger(_OpenWithoutCache, AnonRateThrottle):
    """How often one address may ask without signing in."""
