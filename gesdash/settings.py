"""Django's settings. What an operator may set goes through `env`; docs/operate.md describes it."""

from pathlib import Path

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from gesdash import database, env, logs

BASE_DIR = Path(__file__).resolve().parent.parent
GESDASH_HOME = env.home()
SECRET_KEY = env.secret("GESDASH_SECRET_KEY") or env.kept_secret("secret-key")
# `up` serves plain HTTP on loopback; behind a proxy that speaks TLS, browsers may use nothing else.
SERVED_OVER_TLS = env.switch("GESDASH_TLS")
DEBUG = env.switch("GESDASH_DEBUG")
if DEBUG and SERVED_OVER_TLS:
    raise env.BadSetting(
        "GESDASH_DEBUG and GESDASH_TLS are both on; error pages that show code and settings are "
        "for a developer's machine."
    )
ALLOWED_HOSTS = env.words("GESDASH_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
# Seconds past its time that a stored reply is still served if GES gives none (RFC 5861), unless
# the caller says otherwise.
STALE_IF_ERROR = env.number("GESDASH_STALE_IF_ERROR", 86_400, 0, 31_536_000)
# What one key may ask in a minute, where the key has no limit of its own.
KEY_REQUESTS = env.number("GESDASH_KEY_REQUESTS", 60_000, 1, 1_000_000)
# With it a scraper reads the metrics of all projects; without it, it shows a key.
METRICS_TOKEN = env.secret("GESDASH_METRICS_TOKEN")
GES_PROJECTS = {project.name: project for project in env.configured_projects()}

INSTALLED_APPS = [
    "jobs.apps.JobsConfig",
    "procrastinate.contrib.django",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
]
MIDDLEWARE = [
    # Above all others: what any of them logs has the request's id.
    "gesdash.logs.middleware",
    "django.middleware.security.SecurityMiddleware",
    # Above WhiteNoise, so that scripts and styles are compressed as well.
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "jobs.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "jobs.web.audit_context.AuditContextMiddleware",
    "jobs.web.form_recovery.FormRecoveryMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "jobs.web.time_zone.middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "gesdash.urls"
WSGI_APPLICATION = "gesdash.server.application"
# Django keeps what it has read of a template; with GESDASH_DEBUG a change of one shows at once.
TEMPLATE_LOADERS = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": TEMPLATE_LOADERS
            if DEBUG
            else [("django.template.loaders.cached.Loader", TEMPLATE_LOADERS)],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database.settings()}
PGTRIGGER_MIGRATIONS = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are found in the packages and `static` themselves: no collectstatic, nothing copied.
WHITENOISE_USE_FINDERS = True

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "pages:overview"
LOGOUT_REDIRECT_URL = "login"

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SERVED_OVER_TLS else None
SECURE_SSL_REDIRECT = SERVED_OVER_TLS
# The official SDK reads a redirect as a job without any field.
SECURE_REDIRECT_EXEMPT = [r"^(v1\.0|v2)/"]
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
# A browser remembers it for a year, and one that has it preloaded for good: the owner of the domain
# decides how much of it is promised, so Django must not ask for all of it.
_hsts = env.one_of("GESDASH_HSTS", "host", ["host", "subdomains", "preload"])
SECURE_HSTS_INCLUDE_SUBDOMAINS = _hsts != "host"
SECURE_HSTS_PRELOAD = _hsts == "preload"
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = SERVED_OVER_TLS
CSRF_COOKIE_SECURE = SERVED_OVER_TLS
LANGUAGE_COOKIE_SECURE = SERVED_OVER_TLS

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "jobs.api.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["jobs.api.throttling.KeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "jobs.api.handling.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "gesdash",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.api.description.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOG_FORMATS = {"text": logs.Text, "json": logs.Json}
_secrets = [SECRET_KEY, METRICS_TOKEN, DATABASES["default"].get("PASSWORD", "")]
_secrets += [secret for project in GES_PROJECTS.values() for secret in project.credentials.secrets]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"about": {"()": logs.About}},
    "formatters": {
        "line": {
            "()": LOG_FORMATS[env.one_of("GESDASH_LOG", "text", LOG_FORMATS)],
            "secrets": _secrets,
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["about"]}
    },
    # Django's own handler, used while DEBUG is on, redacts no secrets; the root's handler does.
    "loggers": {"django": {"handlers": []}},
    "root": {
        "handlers": ["stderr"],
        "level": env.one_of("GESDASH_LOG_LEVEL", "WARNING", ["DEBUG", "INFO", "WARNING", "ERROR"]),
    },
}
