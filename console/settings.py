"""Every setting, read once from the environment. README.md lists the variables."""

from datetime import timedelta
from pathlib import Path

import dj_database_url

from console.env import (
    data_folder,
    encryption_keys,
    env_beside,
    env_bool,
    env_bool_with,
    env_certificates,
    env_choice,
    env_email,
    env_groups,
    env_int,
    env_issuer,
    env_list,
    env_origins,
    env_proxy,
    env_redis,
    env_scopes,
    env_secret,
    env_str,
    env_url,
    stored_secret,
)
from inference.runner.memory import MB, Ceiling
from inference.runner.sources import SOURCE_NAMES

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_folder("CONSOLE_DATA_DIR", BASE_DIR / "var")
LOG_DIR = DATA_DIR / "logs"
MODEL_DIR = DATA_DIR / "models"

HOST = env_str("CONSOLE_HOST", "127.0.0.1")
PORT = env_int("CONSOLE_PORT", 8000, least=1, most=65535)
WEB_WORKERS = env_int("CONSOLE_WEB_WORKERS", 1, least=1, most=64)
WEB_THREADS = env_int("CONSOLE_WEB_THREADS", 256, least=1, most=1024)
# False: whoever reaches the server is its administrator, in the API and on the pages.
SECURITY = env_bool("CONSOLE_SECURITY", True)
ADMIN_USERNAME = env_str("CONSOLE_ADMIN_USERNAME", "elastic")
ADMIN_PASSWORD = env_secret("CONSOLE_ADMIN_PASSWORD")

MODEL_MIRROR = env_str("CONSOLE_MODEL_MIRROR")
MODEL_SOURCES = env_list("CONSOLE_MODEL_SOURCES", "mirror,hub,package", SOURCE_NAMES)
# Below these, models may be added over the API from folders of this machine.
MODEL_FOLDERS = tuple(map(Path, env_list("CONSOLE_MODEL_FOLDERS", "")))
# Of all files together that somebody uploads of a model.
MODEL_UPLOAD_BYTES = 1_000_000 * env_int("CONSOLE_MODEL_UPLOAD_MB", 20_000, least=1, most=1_000_000)

# How providers are reached. The map sends what is meant for one origin to another.
PRIVATE_UPSTREAMS = env_bool("CONSOLE_PRIVATE_UPSTREAMS", False)
UPSTREAM_MAP = env_origins("CONSOLE_UPSTREAM_MAP")
UPSTREAM_PROXY = env_proxy("CONSOLE_UPSTREAM_PROXY")
UPSTREAM_CA = env_certificates("CONSOLE_UPSTREAM_CA")
# Shared by several web processes: how often providers are called.
REDIS_URL = env_redis("REDIS_URL")

CLUSTER_SCAN_S = env_int("CONSOLE_CLUSTER_SCAN_S", 600, least=60, most=86400)
# A deployment that may go down to no allocations does so when nobody called it for this long.
SCALE_TO_ZERO_S = 60.0 * env_int(
    "CONSOLE_SCALE_TO_ZERO_MINUTES", 24 * 60, least=1, most=365 * 24 * 60
)
# How much memory of its own a model's process may take before a fresh one takes its place; none
# set: twice what it took when it was warm, and 256 MB more.
MODEL_MEMORY_MB = env_int("CONSOLE_MODEL_MEMORY_MB", 0, least=0, most=1 << 24)
MODEL_MEMORY = Ceiling(MODEL_MEMORY_MB * MB if MODEL_MEMORY_MB else None)

# Memory of each web process for vectors of endpoints that are cached; 0: nothing is cached.
CACHE_MB = env_int("CONSOLE_CACHE_MB", 256, least=0, most=1024 * 1024)

# How long the audit log is kept; 0: for ever.
AUDIT_DAYS = env_int("CONSOLE_AUDIT_DAYS", 365, least=0, most=36_500)
RESTORE_DAYS = env_int("CONSOLE_RESTORE_DAYS", 7, least=0, most=365)

# How long the figures of usage by the hour are kept; 0: for ever.
USAGE_DAYS = env_int("CONSOLE_USAGE_DAYS", 400, least=0, most=36_500)

DEBUG = False
SECRET_KEY = env_secret("CONSOLE_SECRET_KEY") or stored_secret(DATA_DIR / "secrets" / "secret_key")
SECRET_KEYS = encryption_keys("CONSOLE_SECRET_KEYS", DATA_DIR / "secrets" / "encryption_key")
ALLOWED_HOSTS = env_list("CONSOLE_ALLOWED_HOSTS", "*")
# How many proxies on the way are believed when they say who asked them.
TRUSTED_PROXIES = env_int("CONSOLE_TRUSTED_PROXIES", 0, least=0, most=10)
CSRF_TRUSTED_ORIGINS = env_list("CONSOLE_TRUSTED_ORIGINS", "")
# Where people find the pages, for the links in mails; none: where the request came to.
CONSOLE_URL = env_url("CONSOLE_URL")
HTTPS = env_bool("CONSOLE_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "console_session", "console_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
if HTTPS:
    # Only a proxy can make it HTTPS; it says so, and sends on who comes without.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # it stands among PAGE_MIDDLEWARE, and so does the next
    "security.W002",
    "security.W005",  # names below this one are not ours to promise HTTPS for
    "security.W021",
    "security.W008",  # the proxy sends on who comes without HTTPS
    "axes.W002",  # whoever is locked is told by the form itself
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "console.sign_in.apps.AccountsConfig",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "endpoints",
    "console",
]
MIDDLEWARE = [
    "console.middleware.common_headers",
    "console.middleware.pages_only",
    "django.middleware.csrf.CsrfViewMiddleware",
]
PAGE_PREFIXES = ("/console/", "/static/")
PAGE_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.middleware.everybody_administers",
    "console.sign_in.middleware.accounts",
    "console.middleware.acts_for_who_asks",
    "console.sign_in.middleware.second_factor_first",
    "console.sign_in.middleware.last_seen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.http.security",
                "console.working.working_team",
                "console.navigation.sections",
            ],
            "builtins": [
                "console.templatetags.console",
                "console.templatetags.pieces",
                "console.templatetags.times",
            ],
        },
    }
]

# Of each process, to a PostgreSQL.
DATABASE_CONNECTIONS = env_int("CONSOLE_DATABASE_CONNECTIONS", 20, least=1, most=1000)
DATABASES = {
    "default": dj_database_url.parse(
        env_str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'console.sqlite3'}"),
        conn_max_age=None,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Writers wait for each other instead of failing when two upgrade a read at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # There may be more threads than a server takes connections; a stream needs none for its time.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
        "pool": {"min_size": 1, "max_size": DATABASE_CONNECTIONS, "timeout": 20}
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "endpoints.User"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "sign-in", "overview", "sign-in"
AUTHENTICATION_BACKENDS = [
    "console.sign_in.adapters.LockoutBackend",
    "console.sign_in.adapters.PasswordBackend",
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]

# Who must prove more than a password: nobody, administrators, everyone.
SECOND_FACTOR_OF = env_choice(
    "CONSOLE_REQUIRE_SECOND_FACTOR", "none", ("none", "administrators", "everyone")
)
LOCKOUT_FAILURES = env_int("CONSOLE_LOCKOUT_FAILURES", 10, least=1, most=1000)
LOCKOUT_MINUTES = env_int("CONSOLE_LOCKOUT_MINUTES", 15, least=1, most=24 * 60)

AXES_HANDLER = "endpoints.lockout.LockoutHandler"
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = LOCKOUT_FAILURES, timedelta(minutes=LOCKOUT_MINUTES)
# The handler reads them in this order.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_USERNAME_CALLABLE = "endpoints.lockout.name_in"
AXES_CLIENT_IP_CALLABLE = "endpoints.lockout.counted_address"
AXES_RESET_ON_SUCCESS, AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = True, False
AXES_DISABLE_ACCESS_LOG, AXES_ENABLE_ADMIN, AXES_VERBOSE = True, False, False

# People may sign in by a provider of OpenID Connect, too; without an issuer there is none.
OIDC_ISSUER = env_issuer("CONSOLE_OIDC_ISSUER")
OIDC_CLIENT_ID = env_beside("CONSOLE_OIDC_ISSUER", "CONSOLE_OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env_secret("CONSOLE_OIDC_CLIENT_SECRET")
OIDC_NAME = env_str("CONSOLE_OIDC_NAME", "your organisation")
OIDC_SCOPES = env_scopes("CONSOLE_OIDC_SCOPES", "openid profile email")
OIDC_GROUPS_CLAIM = env_str("CONSOLE_OIDC_GROUPS_CLAIM", "groups")
OIDC_GROUPS = env_groups("CONSOLE_OIDC_GROUPS")
# Whether a first sign-in makes an account: for everybody, for who has one of these groups, never.
OIDC_CREATE = env_choice("CONSOLE_OIDC_CREATE", "mapped", ("true", "mapped", "false"))
OIDC_ONLY = env_bool_with("CONSOLE_OIDC_ISSUER", "CONSOLE_OIDC_ONLY")
# After which people sign in again, and their groups are read anew.
OIDC_SESSION_S = 3600 * env_int("CONSOLE_OIDC_SESSION_HOURS", 12, least=1, most=24 * 30)
SOCIALACCOUNT_ADAPTER = "console.openid.adapter.ServiceAdapter"
SOCIALACCOUNT_STORE_TOKENS = SOCIALACCOUNT_EMAIL_AUTHENTICATION = False

ACCOUNT_ADAPTER = "console.sign_in.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "console.forms.session.SignInForm",
    "reauthenticate": "console.forms.session.ConfirmPasswordForm",
    "change_password": "console.forms.session.ChangePasswordForm",
    "reset_password": "console.forms.session.ResetPasswordForm",
    "reset_password_from_key": "console.forms.session.ResetPasswordKeyForm",
    "add_email": "console.forms.session.EmailForm",
}
# By name; the backend knows people by their e-mail address, too.
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "none"  # at sign-in; an address that is changed is confirmed first
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_RATE_LIMITS = {
    # Sign-ins are counted by endpoints.lockout; this is left for codes of one account.
    "login": None,
    "login_failed": "10/5m/key",
    "reauthenticate": None,
}
MFA_ADAPTER = "console.sign_in.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "console.sign_in.factors.SignInCodeForm",
    "reauthenticate": "console.sign_in.factors.ConfirmCodeForm",
    "login_webauthn": "console.sign_in.factors.SignInPasskeyForm",
    "authenticate_webauthn": "console.sign_in.factors.SecondPasskeyForm",
    "reauthenticate_webauthn": "console.sign_in.factors.ConfirmPasskeyForm",
    "activate_totp": "console.forms.session.AppForm",
    "add_webauthn": "console.forms.session.PasskeyForm",
    "edit_webauthn": "console.forms.session.PasskeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Inference Console"
MFA_TOTP_TOLERANCE = 1  # a code holds for half a minute more on either side
MFA_ALLOW_UNVERIFIED_EMAIL = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

knows_address = bool(CONSOLE_URL) or "*" not in ALLOWED_HOSTS
locals().update(env_email("CONSOLE_EMAIL_URL", knows_address=knows_address))
DEFAULT_FROM_EMAIL = env_str("CONSOLE_EMAIL_FROM", "Inference Console <console@localhost>")

CACHES = {
    "default": {
        # Shared by all processes: which codes were used, and how often something was tried.
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "console_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

LANGUAGE_CODE, TIME_ZONE, USE_I18N, USE_TZ = "en", "UTC", False, True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Uploads of model vocabularies reach tens of megabytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 100 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["endpoints.api.auth.HeaderAuthentication"],
    "EXCEPTION_HANDLER": "endpoints.api.errors.es_exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "endpoints.api.openapi.generator.ElasticSchema",
}
SPECTACULAR_SETTINGS = {"OAS_VERSION": "3.1.1", "SORT_OPERATIONS": False}

BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env_str("CELERY_BROKER_URL", "filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem://"):
    for folder in ("messages", "control"):
        (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.2,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    # A message can be lost with the worker that had taken it: what is still wanted is asked again.
    "resume-downloads": {"task": "endpoints.tasks.resume_downloads", "schedule": 3.0},
    "scan-clusters": {"task": "endpoints.tasks.scan_clusters", "schedule": float(CLUSTER_SCAN_S)},
    "forget-audit": {"task": "endpoints.tasks.forget_audit", "schedule": 3600.0},
    "wipe-deleted": {"task": "endpoints.tasks.wipe_deleted", "schedule": 3600.0},
    "forget-usage": {"task": "endpoints.tasks.forget_usage", "schedule": 86400.0},
    "forget-uploads": {"task": "endpoints.tasks.forget_uploads", "schedule": 3600.0},
    "resume-trials": {"task": "endpoints.tasks.resume_trials", "schedule": 3.0},
    "resume-lab-runs": {"task": "endpoints.tasks.resume_lab_runs", "schedule": 3.0},
    "forget-lab-runs": {"task": "endpoints.tasks.forget_lab_runs", "schedule": 3600.0},
}

LOG_DIR.mkdir(exist_ok=True)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stream"], "level": env_str("CONSOLE_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
