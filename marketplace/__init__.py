"""The ground everyone stands on: who acts, what happened, what money is; and the front door."""

from marketplace.celery import app as celery_app

__all__ = ["celery_app"]
