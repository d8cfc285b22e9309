"""Every page: named fields and buttons, headings in order, no identifier twice, no sideways scroll."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from geodata import graphe_cache
from tests.navigateur.conftest import OuvrePage
from tests.territoire_essai import MOT_DE_PASSE, make_roads, make_study, make_territory, make_user

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]

#: Faults of a page as sentences; empty when there is none.
FAUTES = """() => {
    const fautes = [];
    const visible = (e) => e.getClientRects().length > 0;
    const dire = (e) => e.outerHTML.slice(0, 120);
    if (document.documentElement.lang !== 'fr') fautes.push('langue de la page');
    if (!document.title.trim()) fautes.push('titre de la page vide');
    const titres = [...document.querySelectorAll('h1, h2, h3, h4')].filter(visible);
    if (titres.filter((t) => t.tagName === 'H1').length !== 1) fautes.push('pas un seul h1');
    titres.forEach((t, i) => {
        const avant = i ? Number(titres[i - 1].tagName[1]) : 0;
        if (Number(t.tagName[1]) > avant + 1) fautes.push(`titre qui saute un niveau : ${dire(t)}`);
    });
    for (const champ of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
        const nom = champ.getAttribute('aria-label') || champ.getAttribute('aria-labelledby')
            || [...(champ.labels ?? [])].map((l) => l.textContent.trim()).join('');
        if (!nom) fautes.push(`champ sans nom : ${dire(champ)}`);
    }
    for (const e of document.querySelectorAll('button, a[href]')) {
        if (!e.textContent.trim() && !e.getAttribute('aria-label') && !e.querySelector('img[alt]')) {
            fautes.push(`sans texte : ${dire(e)}`);
        }
    }
    for (const image of document.querySelectorAll('img:not([alt])')) {
        if (!image.classList.contains('leaflet-tile')) fautes.push(`image sans texte : ${dire(image)}`);
    }
    for (const table of document.querySelectorAll('table')) {
        if (!table.querySelector('th[scope]')) fautes.push(`tableau sans en-tête : ${dire(table)}`);
    }
    const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
    for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) fautes.push(`identifiant en double : ${id}`);
    for (const attribut of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
        for (const e of document.querySelectorAll(`[${attribut}]`)) {
            for (const id of e.getAttribute(attribut).split(/\\s+/)) {
                if (id && !document.getElementById(id)) fautes.push(`${attribut} vers rien : ${id}`);
            }
        }
    }
    if (document.documentElement.scrollWidth > window.innerWidth) fautes.push('défilement horizontal');
    return fautes;
}"""


def faults(page: Page) -> list[str]:
    """What is wrong on a page, with its address."""
    return [f"{page.url} : {faute}" for faute in page.evaluate(FAUTES)]


def test_every_page_at_every_width(ouvre: OuvrePage, transactional_db: None) -> None:
    graphe_cache.clear()
    zone = make_territory()
    make_roads(zone)
    etude = make_study(zone)
    agent = make_user()
    chemins = [
        "/",
        "/carte/",
        f"/carte/?etude={etude.pk}",
        "/donnees/",
        "/zones/",
        f"/zones/{zone.code}/",
        "/zones/nouvelle/",
        "/etudes/",
        "/etudes/nouvelle/",
        f"/etudes/{etude.pk}/",
        f"/etudes/{etude.pk}/comparaison/",
        f"/etudes/{etude.pk}/copie/",
        "/dechetteries/",
        "/dechetteries/importer/",
    ]
    trouvees = []
    for largeur in (1440, 390):
        page = ouvre(agent, "/", largeur=largeur, hauteur=844)
        for chemin in chemins:
            reponse = page.goto(chemin)
            assert reponse is not None and reponse.status == 200, chemin
            if chemin.startswith("/carte/"):
                page.wait_for_selector("#carte[data-etat=prete][data-donnees=pretes]")
            trouvees += faults(page)
    assert trouvees == []


def test_sign_in_leads_to_the_page_that_was_asked(ouvre: OuvrePage, transactional_db: None) -> None:
    make_roads(make_territory())
    agent = make_user()
    page = ouvre(None, "/carte/")
    assert "/connexion/" in page.url
    assert faults(page) == []
    page.get_by_label("Nom d’utilisateur").fill(agent.username)
    page.get_by_label("Mot de passe").fill("faux")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Nom d’utilisateur").fill(agent.username)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_selector("#carte[data-etat=prete]")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page).to_have_url(re.compile("/connexion/"))
