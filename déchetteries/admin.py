"""Administration of déchetteries, for what the pages do not show."""

from __future__ import annotations

from django.contrib import admin

from territoires.admin import ReferenceAdmin

from .models import Dechetterie, PointDemande, RegleAcces


class RegleAccesInline(admin.TabularInline):
    model = RegleAcces
    extra = 0
    raw_id_fields = ("collectivite",)


@admin.register(Dechetterie)
class DechetterieAdmin(ReferenceAdmin):
    list_display = ("code", "nom", "proprietaire", "active", "fictif", "hypothese")
    list_filter = ("active", "fictif", "hypothese")
    search_fields = ("code", "nom", "proprietaire__nom")
    raw_id_fields = ("proprietaire",)
    # The position is corrected on the site's own page, in degrees.
    exclude = ("geom",)
    inlines = (RegleAccesInline,)

    def has_add_permission(self, request: object) -> bool:
        """Centres are added on the site's page, which asks for their position."""
        return False


@admin.register(RegleAcces)
class RegleAccesAdmin(admin.ModelAdmin):
    list_display = ("dechetterie", "collectivite", "autorise", "source")
    list_filter = ("autorise",)
    search_fields = ("dechetterie__code", "dechetterie__nom", "collectivite__nom")
    raw_id_fields = ("dechetterie", "collectivite")


@admin.register(PointDemande)
class PointDemandeAdmin(ReferenceAdmin):
    list_display = ("code", "commune", "population")
    search_fields = ("code", "commune__nom")
    raw_id_fields = ("commune",)
    exclude = ("geom",)

    def has_add_permission(self, request: object) -> bool:
        """Points come from files."""
        return False
