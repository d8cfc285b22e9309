"""Who may do what: named functions, and the one decorator every view and API call passes through.

Today: signed in = read everything; own collectivité = write; superuser = all. Refining a rule changes the function
here and no view. A view's permission is declared with `protege`, which also loads the object the rule is about::

    @protege(may_read)
    def liste(request): ...

    @protege(may_write_etude, charge=lambda pk: get_object_or_404(Etude, pk=pk))
    def modifier(request, etude): ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .models import Etude, PassageEtude, Utilisateur, ZoneLimitrophe

Compte = Utilisateur | AnonymousUser
Vue = Callable[..., HttpResponseBase]


def public(user: Compte) -> bool:
    """Pages anybody sees: sign-in, state of the service."""
    return True


def may_read(user: Compte) -> bool:
    """Read studies, territories, results, data pages."""
    return user.is_authenticated and user.is_active


def may_read_tiles(user: Compte) -> bool:
    """Read the tiles and layers of the shared map."""
    return may_read(user)


def may_read_etude(user: Compte, etude: Etude) -> bool:
    """Read one study, its results and its downloads: both sides of a limit see the same figures."""
    return may_read(user)


def may_read_passage(user: Compte, passage: PassageEtude) -> bool:
    """Read one run of a study."""
    return may_read_etude(user, passage.etude)


def may_create_etude(user: Compte) -> bool:
    """Create studies: members of a collectivité, for themselves and their neighbours."""
    return _member(user, lambda own: True)


def may_write_etude(user: Compte, etude: Etude) -> bool:
    """Run again, change, delete a study: members of its owner or of one of its collectivités."""
    return _member(user, lambda own: own == etude.proprietaire_id or etude.collectivites.filter(pk=own).exists())


def may_run_etude(user: Compte, etude: Etude) -> bool:
    """Ask for a new run of a study."""
    return may_write_etude(user, etude)


def may_cancel_passage(user: Compte, passage: PassageEtude) -> bool:
    """Stop a run: who may write the study, and who asked for the run."""
    if may_read(user) and user.pk is not None and user.pk == passage.auteur_id:
        return True
    return may_write_etude(user, passage.etude)


def may_create_zone(user: Compte) -> bool:
    """Draw a zone limitrophe: members of a collectivité."""
    return may_create_etude(user)


def may_write_zone(user: Compte, zone: ZoneLimitrophe) -> bool:
    """Compute again or delete a zone: members of one of its collectivités, or of one its communes belong to."""
    return _member(
        user,
        lambda own: (
            zone.collectivites.filter(pk=own).exists()
            or zone.communes.filter(Q(departement=own) | Q(epci=own)).exists()
        ),
    )


def may_write_donnees(user: Compte) -> bool:
    """Import or correct reference data."""
    return may_read(user) and _superuser(user)


def _member(user: Compte, concerned: Callable[[int], bool]) -> bool:
    """Superusers, and the members of a collectivité (its key) that is ``concerned``."""
    own = _collectivite(user)
    return may_read(user) and (_superuser(user) or (own is not None and concerned(own)))


def _superuser(user: Compte) -> bool:
    return bool(user.is_superuser)


def _collectivite(user: Compte) -> int | None:
    return getattr(user, "collectivite_id", None)


def protege(
    permission: Callable[..., bool], *, charge: Callable[..., Any] | None = None, json: bool = False
) -> Callable[[Vue], Vue]:
    """Let a view run only if ``permission(user)``, or ``permission(user, objet)`` with ``charge``, is true.

    ``charge`` takes arguments of the URL by their names and loads the object (raising `Http404`); the view then gets
    ``(request, objet, **others)``, without it the arguments of the URL. It is only called for signed-in users, so that
    nobody else learns what exists. Who is not signed in is sent to the sign-in page (401 with ``json``); who may not
    gets 403. The wrapped view carries ``permission``, which a test of the code base looks for on every URL.
    """

    wanted = list(signature(charge).parameters) if charge is not None else []

    def decorate(view: Vue) -> Vue:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission is public:
                return view(request, *args, **kwargs)
            if not request.user.is_authenticated:
                if json:
                    return JsonResponse({"erreur": "Identifiez-vous pour lire cette ressource."}, status=401)
                return redirect_to_login(request.get_full_path())
            if charge is None:
                allowed = permission(request.user)
            else:
                args = (charge(**{name: kwargs.pop(name) for name in wanted}), *args)
                allowed = permission(request.user, args[0])
            if allowed:
                return view(request, *args, **kwargs)
            if json:
                return JsonResponse({"erreur": REFUS}, status=403)
            raise PermissionDenied(REFUS)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


REFUS = "Votre compte ne permet pas cette action : elle est réservée aux collectivités concernées."


class Protege:
    """Mixin of class-based views (put first): ``permission`` names the rule."""

    permission: Callable[..., bool]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Vue:
        """The view, wrapped as `protege` does."""
        view: Vue = super().as_view(**initkwargs)  # type: ignore[misc]
        return protege(cls.permission)(view)
