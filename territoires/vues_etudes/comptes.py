"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView

from territoires.droits import Protege, public


class Connexion(Protege, LoginView):
    """Sign-in page (template ``registration/login.html``)."""

    permission = public
    redirect_authenticated_user = True


class Deconnexion(Protege, LogoutView):
    """Signing out, by POST only."""

    permission = public
