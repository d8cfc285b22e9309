"""The agents' page on travel times says what the code does."""

from __future__ import annotations

from pathlib import Path

from geodata.accrochage import LIMITE_M
from geodata.classes import LIBELLES_CLASSE, Classe
from geodata.graphe import PART_COMPOSANTE
from geodata.isochrones import MARGE_M, PAS_M, TROU_M2
from geodata.profils import PROFILS, VITESSE_TRAITEMENT_KMH, Profil

PAGE = Path(__file__).resolve().parents[3] / "docs" / "temps-de-parcours.md"


def rows() -> dict[str, list[str]]:
    cellules = [
        [c.strip() for c in ligne.strip("|\n").split("|")]
        for ligne in PAGE.read_text().splitlines()
        if ligne.startswith("| ")
    ]
    return {ligne[0]: ligne[1:] for ligne in cellules}


def number(valeur: float) -> str:
    return f"{valeur:g}".replace(".", ",")


def test_the_table_is_that_of_the_profiles() -> None:
    profils: list[Profil] = list(PROFILS.values())
    lignes = rows()
    assert lignes[""] == [p.libelle for p in profils]
    for classe in Classe:
        assert lignes[LIBELLES_CLASSE[classe]] == [number(p.vitesses_kmh[classe]) for p in profils]
    assert lignes["Limite du véhicule"] == [number(p.vmax_kmh) for p in profils]
    for titre, attribut in (("hors agglomération", "part_vmax"), ("en agglomération", "part_vmax_ville")):
        attendu = [f"{number(100 * getattr(p, attribut))} %" for p in profils]
        assert lignes[f"Part de la vitesse affichée, {titre}"] == attendu
    assert lignes["Accès à la route, à vol d'oiseau"] == [number(p.vitesse_acces_kmh) for p in profils]
    assert lignes["Voie privée"] == [number(p.vitesse_prive_kmh) if p.vitesse_prive_kmh else "—" for p in profils]
    assert lignes["Masse (t)"] == [number(p.masse_t) if p.masse_t else "—" for p in profils]
    assert lignes["Hauteur (m)"] == [number(p.hauteur_m) if p.hauteur_m else "—" for p in profils]
    assert lignes["Sens uniques"] == ["oui" if p.sens_unique else "non" for p in profils]


def test_figures_of_the_text() -> None:
    texte = " ".join(PAGE.read_text().split())
    assert f"il roule à {VITESSE_TRAITEMENT_KMH:g} km/h" in texte
    assert f"({LIMITE_M / 1000:g} km sauf réglage)" in texte
    assert f"moins de {100 * PART_COMPOSANTE:g} % des tronçons" in texte
    assert f"jusqu'à {MARGE_M:g} m de la route" in texte
    assert f"({PAS_M[0]:g} m à {PAS_M[-1] / 1000:g} km selon l'étendue)" in texte
    assert f"moins de {TROU_M2 / 10_000:g} ha" in texte
