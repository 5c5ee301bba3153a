"""All settings, read from the environment and .env. Unsafe values stop the start."""

import hashlib
from pathlib import Path

from csp.constants import NONE, SELF

from studysite import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / ".env")

# Everything written at run time is below this folder: database, ratings, artefacts, queue.
STUDYSITE_HOME = env.folder("STUDYSITE_HOME", BASE_DIR / "var")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY")
SITE_URL = env.public_url("SITE_URL", "http://localhost:8000")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS") or [env.host_of(SITE_URL)]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
env.refuse_unsafe(debug=DEBUG, site=SITE_URL, allowed=ALLOWED_HOSTS)
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "recommender",
    "survey",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "survey.wording.languages.BrowserLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "studysite.urls"
WSGI_APPLICATION = "studysite.wsgi.application"

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
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE_URL", STUDYSITE_HOME / "studysite.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads before it writes fails if another process writes in between.
        # IMMEDIATE takes the write lock at the start and waits its turn.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a judgment that was thanked for survives a power failure. Secure deletion
        # overwrites erased data, which not every build of SQLite does by default.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url("REDIS_URL")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object]
# "profiles" keeps rendered profiles. Without Redis each process has its own, up to MAX_ENTRIES.
if REDIS_URL:
    _redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    CACHES = {"default": _redis, "profiles": _redis | {"TIMEOUT": 24 * 3600}}
    CELERY_BROKER_URL = REDIS_URL
    # Longer than any job, because Redis delivers a message again after this time. The Job row
    # would refuse the second run, but it would wake a worker for nothing.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 7 * 24 * 3600}
else:
    _memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    _profiles = {"LOCATION": "profiles", "TIMEOUT": None, "OPTIONS": {"MAX_ENTRIES": 60}}
    CACHES = {"default": _memory, "profiles": _memory | _profiles}
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT = "studysite.filesystem_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "folder": str(STUDYSITE_HOME / "queue" / "data"),
        "polling_interval": 0.2,
    }
# Threads, because torch hangs in a child that was forked after its parent used torch. One job at
# a time, because a device holds one model.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Jobs are cancelled through their rows, so workers need no control messages.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

# Seconds without a heartbeat after which another worker takes over a claimed job.
JOB_LEASE_SECONDS = env.integer("JOB_LEASE_SECONDS", 30, minimum=2)
# Seconds after which an unclaimed job is sent again; its first message may still be waiting.
JOB_RESEND_SECONDS = 60
JOB_MAX_ATTEMPTS = 5
# Minimum seconds between two checkpoints of a training; more if writing one takes long.
JOB_CHECKPOINT_SECONDS = env.integer("JOB_CHECKPOINT_SECONDS", 10, minimum=0)

# Consents and login attempts allowed per network address and hour; 0 is unlimited.
CONSENTS_PER_HOUR = env.integer("CONSENTS_PER_HOUR", 100, minimum=0)
LOGINS_PER_HOUR = env.integer("LOGINS_PER_HOUR", 60, minimum=0)
# Proxies in front of the site, each of which appends to X-Forwarded-For.
PROXY_COUNT = env.integer("PROXY_COUNT", 1 if HTTPS else 0, minimum=0)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "research"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en-gb"
# The languages of appraisers' pages; all but English have a catalogue in locale/.
LANGUAGES = [("en-gb", "English"), ("de", "German"), ("es", "Spanish"), ("zh-hans", "Chinese")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = STUDYSITE_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
MEDIA_ROOT = STUDYSITE_HOME / "media"

# No inline styles or scripts, and nothing from another host.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
# Private links must not reach the search engines in which appraisers look up movies.
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
# Browsers share cookies between the ports of a host: two sites there need names of their own.
_site = hashlib.sha256(f"cookies/{SECRET_KEY}".encode()).hexdigest()[:8]
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"session_{_site}", f"csrf_{_site}"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers check it without TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# Only the owner of a domain can decide to enter it into browsers' HSTS preload lists.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"without private links": {"()": "studysite.logs.WithoutPrivateLinks"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without private links"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "recommender": {"level": "INFO"},
        "survey": {"level": "INFO"},
        # By default Django mails errors to admins and prints nothing without DEBUG.
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
