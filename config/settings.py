"""Settings of every environment; what differs comes from environment variables (docs/exploitation.md)."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

from config.static import front_end_folders

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("LIMITROPHE_DEBUG", "") == "1"
SECRET_KEY = os.environ.get("LIMITROPHE_SECRET_KEY", "")
if not SECRET_KEY:
    # A key made at set-up and kept beside the private cluster; never in the repository.
    _key_file = BASE_DIR / ".local" / "secret_key"
    if _key_file.exists():
        SECRET_KEY = _key_file.read_text().strip()
    else:
        SECRET_KEY = os.urandom(32).hex()
ALLOWED_HOSTS = os.environ.get("LIMITROPHE_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("LIMITROPHE_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.humanize",
    "procrastinate.contrib.django",
    "leaflet",
    "geodata.apps.GeodataConfig",
    "territoires.apps.TerritoiresConfig",
    "déchetteries.apps.DechetteriesConfig",
]

#: Dotted paths of the operations, each to one object with the protocol of `territoires.operation`.
OPERATIONS = ["déchetteries.operation.OPERATION"]

#: GDAL < 3.9 (Debian 12) cannot refuse references that open files. Files from users are read by pyogrio, which
#: carries its own GDAL, never through Django's, and every SRID given to Django is a constant of this file.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.securite.content_security_policy",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = {
    "default": {
        **dj_database_url.parse(
            os.environ.get("DATABASE_URL", "postgis://limitrophe@127.0.0.1:5432/limitrophe"),
            engine="django.contrib.gis.db.backends.postgis",
            conn_max_age=60,
        ),
        "TEST": {"NAME": os.environ.get("LIMITROPHE_TEST_DB") or None},
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "territoires.Utilisateur"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "connexion"

LANGUAGE_CODE = "fr-fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

#: Reference of stored geometry: RGF93 / Lambert-93, metres.
SRID = 2154

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".local" / "static"
#: Libraries installed by npm from package-lock.json; only the folders listed in config.static are served.
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = front_end_folders(NODE_MODULES)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.stockage.StaticFilesStorage"},
}

#: Errors of the site go to its standard error, with their trace: without this, Django only writes them in DEBUG.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"hors_debug": {"()": "django.utils.log.RequireDebugFalse"}},
    "handlers": {"erreurs": {"class": "logging.StreamHandler", "level": "ERROR", "filters": ["hors_debug"]}},
    "root": {"handlers": ["erreurs"]},
}

#: Overpass endpoint for telecharger_osm; the public one unless said otherwise.
OVERPASS_URL = os.environ.get("LIMITROPHE_OVERPASS_URL", "https://overpass-api.de/api")

#: Optional backgrounds of the map, off by default so that the map needs no outside server.
FONDS_EXTERNES = [f for f in os.environ.get("LIMITROPHE_FONDS", "").split(",") if f]

#: Servers of backgrounds want to know which site asks; they learn its origin, never the page.
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"

LEAFLET_CONFIG = {"TILES": [], "RESET_VIEW": False, "SCALE": "metric", "ATTRIBUTION_PREFIX": "Limitrophe"}

#: Jobs are declared in the ``taches`` module of each application; done ones leave the queue. A worker told to stop
#: gives its lot back after this delay.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "taches"
PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful", "shutdown_graceful_timeout": 1.0}
#: A lot of a study whose worker gives no sign of life for so long (s) is taken by another worker.
DELAI_REPRISE_S = float(os.environ.get("LIMITROPHE_DELAI_REPRISE", "30"))
