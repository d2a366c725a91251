"""The Celery application and the beat table: one line per bell.

Celery only rings the bell. What is due stands in the database, so a lost message loses nothing:
the next ring finds the work again.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

app = Celery("marketplace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

OFTEN_SECONDS = 2.0
SOMETIMES_SECONDS = 10.0
HOURLY_SECONDS = 3600.0

BELLS = {
    "marketplace.tasks.seal_journal": OFTEN_SECONDS,
    "marketplace.tasks.follow_journal": OFTEN_SECONDS,
    "marketplace.tasks.send_letters": OFTEN_SECONDS,
    "marketplace.tasks.send_webhooks": OFTEN_SECONDS,
    "marketplace.tasks.beat_was_here": OFTEN_SECONDS,
    "marketplace.tasks.put_announcements_on_pages": SOMETIMES_SECONDS,
    "marketplace.tasks.forget_old_keys": HOURLY_SECONDS,
    "marketplace.tasks.forget_read_notifications": HOURLY_SECONDS,
    "marketplace.tasks.forget_old_webhooks": HOURLY_SECONDS,
    "listings.tasks.check_files": OFTEN_SECONDS,
    "listings.tasks.profile_releases": OFTEN_SECONDS,
    "listings.tasks.register_products": OFTEN_SECONDS,
    "listings.tasks.publish_products": SOMETIMES_SECONDS,
    "listings.tasks.close_lapsed_offers": SOMETIMES_SECONDS,
    "listings.tasks.reprice_shelf": SOMETIMES_SECONDS,
    "listings.tasks.write_counts_down": SOMETIMES_SECONDS,
    "listings.tasks.remove_abandoned_uploads": HOURLY_SECONDS,
    "listings.tasks.look_for_saved_searches": SOMETIMES_SECONDS,
    "compliance.tasks.draw_papers": OFTEN_SECONDS,
    "compliance.tasks.tell_expiring_papers": SOMETIMES_SECONDS,
    "compliance.tasks.lapse_demands": SOMETIMES_SECONDS,
    "settlement.tasks.register_trades": OFTEN_SECONDS,
    "settlement.tasks.start_payments": OFTEN_SECONDS,
    "settlement.tasks.stop_payments": SOMETIMES_SECONDS,
    "settlement.tasks.post_sandbox_notices": OFTEN_SECONDS,
    "settlement.tasks.read_notices": OFTEN_SECONDS,
    "settlement.tasks.open_grants": OFTEN_SECONDS,
    "settlement.tasks.close_grants": SOMETIMES_SECONDS,
    "settlement.tasks.tell_ending_grants": SOMETIMES_SECONDS,
    "settlement.tasks.renew_licences": SOMETIMES_SECONDS,
    "settlement.tasks.bill_calls": SOMETIMES_SECONDS,
    "settlement.tasks.remind_parties": SOMETIMES_SECONDS,
    "settlement.tasks.expire_trades": SOMETIMES_SECONDS,
    "settlement.tasks.deem_accepted": SOMETIMES_SECONDS,
    "settlement.tasks.clear_cycles": SOMETIMES_SECONDS,
    "settlement.tasks.pay_members": OFTEN_SECONDS,
    "settlement.tasks.pay_refunds": OFTEN_SECONDS,
    "settlement.tasks.issue_certificates": OFTEN_SECONDS,
    "settlement.tasks.issue_statements": SOMETIMES_SECONDS,
    "settlement.tasks.issue_invoices": SOMETIMES_SECONDS,
    "settlement.tasks.reconcile_books": SOMETIMES_SECONDS,
}

app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds * 5}} for name, seconds in BELLS.items()
}
