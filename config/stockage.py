"""Storage of the static files served in production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed files; imports between the site's own ES modules point to the hashed names too."""

    support_js_module_import_aggregation = True
