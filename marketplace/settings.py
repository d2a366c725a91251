"""One settings file, driven by the environment; development needs no variable.

Production is the same file with other variables: see docs/operators.md for the table. With DEBUG off the system
checks refuse to start without SECRET_KEY, ALLOWED_HOSTS and BASE_URL, or with the sandbox gateway configured.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from marketplace import store_address

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env("STATE_DIR", default=str(BASE_DIR / ".local")))
DEBUG = env.bool("DEBUG", default=True)
DEVELOPMENT_KEY = "development-only-and-refused-when-DEBUG-is-off"
SECRET_KEY = env("SECRET_KEY", default=DEVELOPMENT_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
BASE_URL = env("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
EXCHANGE_NAME = env("EXCHANGE_NAME", default="Databourse")
TIME_ZONE = env("TIME_ZONE", default="Asia/Shanghai")
# The exchange's own seat and VAT taxpayer status (general, small_scale, or empty), for the tax in its fee.
EXCHANGE_COUNTRY = env("EXCHANGE_COUNTRY", default="CN")
EXCHANGE_TAX_STATUS = env("EXCHANGE_TAX_STATUS", default="general")
CLOCK_MAY_MOVE = DEBUG  # marketplace/clock.py: never in production

INSTALLED_APPS = [
    "settlement",
    "compliance",
    "listings",
    "marketplace.apps.MarketplaceConfig",
    "marketplace.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "pgtrigger",
    "csp",
]

MIDDLEWARE = [
    "marketplace.trails.Trails",
    "marketplace.slowness.Timed",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.participants.ActingMiddleware",
    "marketplace.second_factor.StaffNeedSecondFactor",
    "marketplace.refusals.RefuseNulls",
    "marketplace.refusals.RefusedPage",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.context.page",
            ],
            "builtins": ["marketplace.templatetags.parts"],
        },
    }
]

# --- servers -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgresql://postgres@/databourse?host=/nonexistent")}
# A trade is read with eight rows it names, each by its key: in the order written. Else every plan tries all orders.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c join_collapse_limit=4")
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["ATOMIC_REQUESTS"] = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", default="unix:///nonexistent/redis.sock")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# Celery has its own words for a socket and for the number of a Redis database.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the database is the to-do list; beat rings again
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TIMEZONE = "UTC"

# --- who may enter -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "marketplace.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "marketplace.account_letters.AccountLetters"
ACCOUNT_FORMS = {"signup": "marketplace.sign_up.SignUp"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEBUG else "https"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
STAFF_NEED_SECOND_FACTOR = env.bool("STAFF_NEED_SECOND_FACTOR", default=not DEBUG)

EMAIL_BACKEND = env(
    "EMAIL_BACKEND",
    default="django.core.mail.backends.filebased.EmailBackend"
    if DEBUG
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = STATE_DIR / "letters"
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Databourse <no-reply@exchange.example>")
if not DEBUG and "EMAIL_URL" in env.ENVIRON:
    vars().update(env.email_url("EMAIL_URL"))

# --- languages -----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "marketplace.formats"
USE_I18N = True
USE_TZ = True

# --- files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STORAGE_DIR = Path(env("STORAGE_DIR", default=str(STATE_DIR / "storage")))
STORAGE_URL = env("STORAGE_URL", default="")  # s3://bucket/prefix?endpoint=…&region=…; '': the folder STORAGE_DIR
STORE_LINK_SECONDS = env.int("STORE_LINK_SECONDS", default=60)  # how long an S3 store lets a started download begin
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": STORAGE_DIR}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=20 * 1024**3)
SELLER_MAX_BYTES = env.int("SELLER_MAX_BYTES", default=500 * 1024**3)
MEMBER_MAX_FILES = env.int("MEMBER_MAX_FILES", default=50_000)
UPLOAD_LAPSE_SECONDS = env.int("UPLOAD_LAPSE_SECONDS", default=24 * 3600)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- protection ----------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF, *([store_address.read(STORAGE_URL).origin] if STORAGE_URL else [])],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if not DEBUG:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=True) else None
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Whose X-Forwarded-For is believed, by the API and by the limits of signing in: else all share the proxy's address.
NUM_PROXIES = env.int("NUM_PROXIES", default=0 if DEBUG else 1)
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES

# --- API -----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["marketplace.tokens.TokenAuthentication", "marketplace.tokens.PageSession"],
    "DEFAULT_PERMISSION_CLASSES": ["marketplace.scopes.SignedInWithScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.json_body.JsonBody"],
    "DEFAULT_PAGINATION_CLASS": "marketplace.api.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "marketplace.openapi.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["marketplace.rates.RateOfUser", "marketplace.rates.RateOfStranger"],
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_THROTTLE_RATES": {
        "user": env("RATE_OF_USER", default="1200/min"),
        "anon": env("RATE_OF_STRANGER", default="120/min"),
    },
    "EXCEPTION_HANDLER": "marketplace.api.answer_refusals",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Databourse API",
    "DESCRIPTION": "Everything the pages can do, a script can do.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        name: f"{app}.states.{name}"
        for app, names in {
            "listings": ["VersionState", "ListingState", "ProfileState", "UploadState"],
            "compliance": ["VerificationState", "ReviewState", "DemandState", "ResponseState"],
            "settlement": [
                "TradeState",
                "PaymentState",
                "OutgoingState",
                "GrantState",
                "CycleState",
                "DisputeState",
                "ChargebackState",
                "SplitState",
            ],
        }.items()
        for name in names
    }
    | {"Role": "marketplace.roles.Role", "StaffRole": "marketplace.roles.StaffRole"}
    | {"PaperKind": "marketplace.models.Paper.Kind", "ProofKind": "compliance.proof_models.Proof.Kind"}
    | {f"Announcement{name}": f"marketplace.models.Announcement.{name}" for name in ("Kind", "Audience")}
    | {"ShareKind": "settlement.models.RevenueShare.Kind"}
    | {"AudienceEnum": "listings.models.Offer.Audience"}
    | {"UpdateFrequencyEnum": "listings.models.Version.Frequency"}
    | {"AlertFrequency": "listings.saved_search_models.SavedSearch.Frequency"}
    | {"SoldHere": ["product"], "SoldElsewhere": ["catalogue_entry"]},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "marketplace.openapi.describe_refusals",
    ],
}

# --- the exchange --------------------------------------------------------------------------------------------------
# The exchange's bank accounts by currency, as JSON: {"HKD": {"name": …, "number": …, "bic": …}}.
BANK_ACCOUNTS = env.json("BANK_ACCOUNTS", default={})
# Which column of a bank's CSV holds what; see docs/operators.md.
BANK_CSV_COLUMNS = env("BANK_CSV_COLUMNS", default="date=Date, amount=Amount, reference=Reference, text=Text")
GATEWAYS = {"sandbox": "settlement.gateways.sandbox.Sandbox"} if env.bool("SANDBOX_GATEWAY", default=DEBUG) else {}
GATEWAYS |= {"bank": "settlement.gateways.bank.Bank"} if BANK_ACCOUNTS else {}
# Stripe: the secret key of the account, and what its endpoints sign their notices with (several, by commas).
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRET", default=[])
STRIPE_CURRENCIES = env.list("STRIPE_CURRENCIES", default=[])  # in which the account keeps balances; empty: all
STRIPE_ADDRESS = "https://api.stripe.com"
GATEWAYS |= {"stripe": "settlement.gateways.stripe.Stripe"} if STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS else {}
DEFAULT_GATEWAY = env("DEFAULT_GATEWAY", default="") or next(iter(GATEWAYS), None)  # new payments go through it
SANDBOX_SECRET = env("SANDBOX_SECRET", default="sandbox-secret-of-development")
CHANNELS = {"files": "settlement.channels.files.Files"}
FOLLOWERS = {
    "notifications": "marketplace.telling.follow",
    "webhooks": "marketplace.webhook_outbox.follow",
    "compliance": "compliance.followers.follow",
    "settlement": "settlement.followers.follow",
}
CURRENCIES = ["CNY", "HKD", "USD", "EUR", "SGD", "MOP", "JPY", "KWD"]
# How long the numbers beside the catalogue's filters may lag where no filter is chosen.
CATALOGUE_COUNTS_SECONDS = env.int("CATALOGUE_COUNTS_SECONDS", default=60)
# Days between registration and listing in which anyone signed in may object; 0 lists at once.
PUBLICITY_DAYS = env.int("PUBLICITY_DAYS", default=0)
AGREE_WITHIN_DAYS = env.int("AGREE_WITHIN_DAYS", default=14)
# How long a quote stands at most, and how many of them an organisation makes in a day.
QUOTE_DAYS = env.int("QUOTE_DAYS", default=14)
QUOTES_A_DAY = env.int("QUOTES_A_DAY", default=20)
FUND_WITHIN_DAYS = env.int("FUND_WITHIN_DAYS", default=7)
FUND_LIMITED_WITHIN_DAYS = env.int("FUND_LIMITED_WITHIN_DAYS", default=2)  # for offers whose licences are counted
INSTALMENTS_WITHIN_DAYS = env.int("INSTALMENTS_WITHIN_DAYS", default=90)  # the last one, after registration
DELIVER_WITHIN_HOURS = env.int("DELIVER_WITHIN_HOURS", default=24)  # what buyers are promised; nothing lapses
PAYOUT_WITHIN_HOURS = env.int("PAYOUT_WITHIN_HOURS", default=24)  # working hours until a payout arrives; 0: no promise
# The desks' working hours, and within how many of them a submission is decided, by its classification.
DESK_OPENS_HOUR = env.int("DESK_OPENS_HOUR", default=9)
DESK_CLOSES_HOUR = env.int("DESK_CLOSES_HOUR", default=17)
REVIEW_TARGET_HOURS = {"general_1": 16, "general_2": 16, "general_3": 24, "general_4": 40, "important": 40} | env.dict(
    "REVIEW_TARGET_HOURS", cast={"value": int}, default={}
)
# Within how many working hours what waits in each other queue of the desks is decided; 0: nobody can hurry it.
DESK_TARGET_HOURS = {
    "applications": 24,
    "second_person": 8,
    "fact_changes": 16,
    "expiring_papers": 0,
    "unmatched": 8,
    "refunds": 8,
    "accounts": 8,
    "chargebacks": 0,
    "disputes": 40,
    "objections": 40,
    "reports": 16,
    "demands": 24,
    "cycles": 4,
    "payouts": 8,
    "netting": 40,
    "reserves": 8,
    "fees": 8,
    "breaks": 4,
    "revocations": 8,
} | env.dict("DESK_TARGET_HOURS", cast={"value": int}, default={})
PAYOUT_ACCOUNT_WAIT_HOURS = env.int("PAYOUT_ACCOUNT_WAIT_HOURS", default=24)  # before a changed account is paid
CLEARING_CUT_OFF_HOUR = env.int("CLEARING_CUT_OFF_HOUR", default=16)
# How many working days after its acceptance a trade is cleared and paid: T+1 and, across a border, T+5. On an exchange
# one tries out it is the same day.
SETTLE_AFTER_DAYS = env.int("SETTLE_AFTER_DAYS", default=0 if DEBUG else 1)
SETTLE_ABROAD_AFTER_DAYS = env.int("SETTLE_ABROAD_AFTER_DAYS", default=0 if DEBUG else 5)
CLEARING_LIMIT_MINOR = env.int("CLEARING_LIMIT_MINOR", default=100_000_000)
CLEARING_EVERY_SECONDS = env.int("CLEARING_EVERY_SECONDS", default=0)  # 0: once a day at the cut-off hour
WEBHOOK_PORTS = [int(port) for port in env.list("WEBHOOK_PORTS", default=["443", "8443"])]
WEBHOOK_OVERLAP_HOURS = env.int("WEBHOOK_OVERLAP_HOURS", default=24)  # both secrets sign while one is changed
WEBHOOK_FAILING_DAYS = env.int("WEBHOOK_FAILING_DAYS", default=5)  # then an endpoint is stopped
WEBHOOK_DAYS = env.int("WEBHOOK_DAYS", default=90)  # what was sent, and each try, is kept for so long
WEBHOOK_LOOPBACK = env.bool("WEBHOOK_LOOPBACK", default=False)  # http to this machine, in development alone
GRANT_WARNING_DAYS = env.int("GRANT_WARNING_DAYS", default=14)  # before its end, an access is told of
TRIAL_WARNING_DAYS = env.int("TRIAL_WARNING_DAYS", default=3)  # before its end, a trial is told of
REMIND_BEFORE_DAYS = env.int("REMIND_BEFORE_DAYS", default=2)  # before its deadline, a party is reminded of a trade
UNPAID_LIMIT = env.int("UNPAID_LIMIT", default=3)  # trades a buyer may let expire unpaid; 0: as many as it likes
UNPAID_DAYS = env.int("UNPAID_DAYS", default=90)  # within so many days
RENEW_BEFORE_DAYS = env.int("RENEW_BEFORE_DAYS", default=10)  # before its end, a licence is renewed
RENEW_GRACE_DAYS = env.int("RENEW_GRACE_DAYS", default=7)  # after its end, while its renewal waits for money
NOTIFICATION_DAYS = env.int("NOTIFICATION_DAYS", default=90)  # what was read is kept in the app for so long
LINK_SECONDS = env.int("LINK_SECONDS", default=3600)
ACCEL_LOCATION = env("ACCEL_LOCATION", default="")  # where nginx finds STORAGE_DIR (X-Accel-Redirect); '': we send
DOWNLOADS_AT_ONCE = env.int("DOWNLOADS_AT_ONCE", default=20)  # a web process sends; fewer than its threads
DOWNLOADS_AT_ONCE_PER_PERSON = env.int("DOWNLOADS_AT_ONCE_PER_PERSON", default=6)
CLAMAV_ADDRESS = env("CLAMAV_ADDRESS", default="")  # unix:///run/clamav/clamd.ctl or tcp://host:3310
CLAMAV_STREAM_BYTES = env.int("CLAMAV_STREAM_BYTES", default=25 * 1024**2)  # at most clamd's StreamMaxLength
SCANNERS = {"clamav": "marketplace.clamav.ClamAV"} if CLAMAV_ADDRESS else {}
QUARANTINE_SECONDS = env.int("QUARANTINE_SECONDS", default=30 * 24 * 3600)
CLAIM_SECONDS = 40
PROFILE_NEEDS_ISOLATION = env.bool("PROFILE_NEEDS_ISOLATION", default=not DEBUG)
PROFILE_TIMEOUT_SECONDS = env.int("PROFILE_TIMEOUT_SECONDS", default=300)
PROFILE_MEMORY_BYTES = env.int("PROFILE_MEMORY_BYTES", default=2 * 1024**3)

# --- what operators see ---------------------------------------------------------------------------------------------
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_LOOPBACK = env.bool("METRICS_LOOPBACK", default=DEBUG)
SLOW_REQUEST_SECONDS = env.float("SLOW_REQUEST_SECONDS", default=2.0)
SLOW_QUERY_SECONDS = env.float("SLOW_QUERY_SECONDS", default=1.0)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "marketplace.log_lines.Line", "fmt": "%(asctime)s %(levelname)s %(name)s%(trail)s %(message)s"},
        "json": {"()": "marketplace.log_lines.JsonLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": {"line": "line", "json": "json"}[env("LOG_FORMAT", default="line")],
        }
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django gives these two handlers of their own, which would write whole addresses: signed links among them.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
    },
}
