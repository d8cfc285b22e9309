"""Administration of accounts, and studies to read there (they are made and run on their own pages)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from .models import Etude, PassageEtude, Utilisateur


@admin.register(Utilisateur)
class UtilisateurAdmin(UserAdmin):
    """Django's page of users with the collectivité each belongs to."""

    list_display = ("username", "first_name", "last_name", "collectivite", "demonstration", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "demonstration")
    list_select_related = ("collectivite",)
    autocomplete_fields = ("collectivite",)
    fieldsets = (*UserAdmin.fieldsets, ("Limitrophe", {"fields": ("collectivite", "demonstration")}))
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Limitrophe", {"fields": ("collectivite",)}))


class LectureSeule(admin.ModelAdmin):
    """Rows to read, not to write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Etude)
class EtudeAdmin(LectureSeule):
    """Studies; they may be deleted here."""

    list_display = ("titre", "operation", "zone", "proprietaire", "creee_le")
    list_filter = ("operation",)
    list_select_related = ("zone", "proprietaire")
    search_fields = ("titre",)


@admin.register(PassageEtude)
class PassageEtudeAdmin(LectureSeule):
    """Runs with their log."""

    list_display = ("etude", "etat", "message", "demande_le", "debut", "fin", "version")
    list_filter = ("etat",)
    list_select_related = ("etude",)
    date_hierarchy = "demande_le"
