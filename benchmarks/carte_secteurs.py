"""Maps of sectors side by side, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Trace

from collèges.carte_zones import Zone
from collèges.probleme import AUCUN, I32, Problem, touching_sectors

#: Quiet fills, told apart by readers who do not see red and green.
COULEURS = ("#a6cee3", "#fdd49e", "#c7e9c0", "#dadaeb", "#fde0ef", "#f6e8c3", "#d9d9d9", "#c2e0d8", "#e5d8bd")
SANS = "#ffffff"


def draw(problem: Problem, zones: Sequence[Zone], plans: Sequence[tuple[str, I32]], sortie: Path) -> None:
    """One map for each plan (title, (n, 2)): sectors, how full collèges are, zones hatched that are not as today."""
    mpl.rcParams["hatch.linewidth"] = 0.6
    couleurs = _colours(problem, [college for _, college in plans])
    formes = np.array([zone.polygone for zone in zones], dtype=object)
    gauche, bas, droite, haut = shapely.total_bounds(formes)
    largeur = 15.0 / len(plans)
    hauteur = largeur * (haut - bas) / (droite - gauche)
    figure = Figure(figsize=(15.0, min(12.0, hauteur) + 1.0), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(plans)))
    for axe, (titre, college) in zip(axes, plans, strict=True):
        change = np.any(college != problem.present, axis=1)
        _fill_zones(axe, formes, [couleurs[j] if j != AUCUN else SANS for j in college[:, 0]], None)
        partagees = college[:, 1] != AUCUN
        if partagees.any():
            _fill_zones(axe, formes[partagees], [couleurs[j] for j in college[partagees, 1]], "partage")
        if change.any():
            _fill_zones(axe, formes[change], ["none"] * int(change.sum()), "change")
        _outlines(axe, problem, formes, college)
        _colleges(axe, problem, _fill(problem, college))
        axe.set_title(titre, fontsize=13)
        axe.set_aspect("equal")
        axe.set_axis_off()
        axe.set_xlim(gauche - 1500, droite + 1500)
        axe.set_ylim(bas - 1500, haut + 1500)
    partage = bool(np.any(problem.present[:, 1] != AUCUN))
    figure.legend(handles=_legend(problem, partage), loc="outside lower center", ncols=4, frameon=False)
    sortie.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(sortie, dpi=120)


def _fill(problem: Problem, college: I32) -> Any:
    """Share of the places that are taken (first year), NaN where they are not limited."""
    charge = np.zeros(problem.n_colleges)
    double = college[:, 1] != AUCUN
    for k in range(2):
        sert = college[:, k] != AUCUN
        np.add.at(charge, college[sert, k], (problem.eleves[0] * np.where(double, 0.5, 1.0))[sert])
    return np.where(np.isfinite(problem.capacite[0]), charge / problem.capacite[0], np.nan)


def _colours(problem: Problem, plans: Sequence[I32]) -> list[str]:
    """A colour for each collège, different from its neighbours' on every map, as far as the palette goes."""
    voisins: list[set[int]] = [set() for _ in range(problem.n_colleges)]
    for college in plans:
        for a, b in touching_sectors(college, problem.arete, problem.frontiere_m).tolist():
            voisins[a].add(b)
            voisins[b].add(a)
    choisies = [-1] * problem.n_colleges
    for j in sorted(range(problem.n_colleges), key=lambda j: -len(voisins[j])):
        prises = [choisies[v] for v in voisins[j]]
        usages = [choisies.count(c) for c in range(len(COULEURS))]
        choisies[j] = min(range(len(COULEURS)), key=lambda c: (prises.count(c), usages[c]))
    return [COULEURS[c] for c in choisies]


def _patch(forme: Any) -> PathPatch:
    """A polygon or several, with holes."""
    sommets, codes = [], []
    for polygone in shapely.get_parts(forme):
        if not isinstance(polygone, shapely.Polygon):
            continue
        for anneau in (polygone.exterior, *polygone.interiors):
            xy = np.asarray(anneau.coords)
            sommets.append(xy)
            codes += [Trace.MOVETO, *[Trace.LINETO] * (len(xy) - 2), Trace.CLOSEPOLY]
    return PathPatch(Trace(np.concatenate(sommets), codes))


def _fill_zones(axe: Any, formes: Any, couleurs: list[str], sorte: str | None) -> None:
    patches = [_patch(forme) for forme in formes]
    if sorte is None:
        axe.add_collection(PatchCollection(patches, facecolors=couleurs, edgecolors="#ffffff", linewidths=0.5))
    elif sorte == "partage":
        # matplotlib draws the hatch in the colour of the edge.
        axe.add_collection(
            PatchCollection(patches, facecolors="none", edgecolors=couleurs, hatch="///", linewidths=0.0)
        )
    else:
        axe.add_collection(
            PatchCollection(patches, facecolors="none", edgecolors="#b30000", hatch="....", linewidths=0.0)
        )


def _outlines(axe: Any, problem: Problem, formes: Any, college: I32) -> None:
    """Limits of the sectors, and, thicker, of the départements."""
    for j in range(problem.n_colleges):
        siennes = np.any(college == j, axis=1)
        if siennes.any():
            _line(axe, shapely.union_all(shapely.buffer(formes[siennes], 5.0)), "#555555", 0.8)
    # The limit of the départements, where both are on the map.
    groupes = [shapely.union_all(formes[problem.zone_groupe == g]) for g in range(problem.n_groupes)]
    for g, forme in enumerate(groupes):
        for autre in groupes[g + 1 :]:
            limite = shapely.intersection(shapely.boundary(forme), shapely.buffer(autre, 20.0))
            for ligne in shapely.get_parts(shapely.line_merge(limite)):
                if isinstance(ligne, shapely.LineString):
                    axe.plot(*ligne.xy, color="#1a1a1a", linewidth=3.0, solid_capstyle="round")


def _line(axe: Any, forme: Any, couleur: str, largeur: float) -> None:
    for polygone in shapely.get_parts(forme):
        axe.plot(*polygone.exterior.xy, color=couleur, linewidth=largeur, solid_joinstyle="round")


def _colleges(axe: Any, problem: Problem, remplissage: Any) -> None:
    couleurs = [_dot(r) for r in remplissage]
    axe.scatter(problem.college_x, problem.college_y, s=34, c=couleurs, edgecolors="#222222", linewidths=0.7, zorder=5)


def _dot(remplissage: float) -> str:
    if np.isnan(remplissage):
        return "#ffffff"
    if remplissage > 1.0 + 1e-9:
        return "#d7301f" if remplissage > 1.10 else "#fdae61"
    return "#ffffff" if remplissage >= 0.75 else "#2b6cb0"


def _legend(problem: Problem, partage: bool) -> list[Any]:
    def point(couleur: str, texte: str) -> Line2D:
        return Line2D([], [], marker="o", linestyle="", color=couleur, markeredgecolor="#222222", label=texte)

    poignees: list[Any] = [
        point("#d7301f", "collège rempli à plus de 110 %"),
        point("#fdae61", "de 100 à 110 %"),
        point("#ffffff", "de 75 à 100 %"),
        point("#2b6cb0", "moins de 75 %"),
        Patch(facecolor="none", edgecolor="#b30000", hatch="....", linewidth=0.0, label="zone qui change de collège"),
        Line2D([], [], color="#555555", linewidth=0.8, label="limite de secteur"),
    ]
    if partage:
        poignees.append(
            Patch(facecolor="#fdd49e", edgecolor="#a6cee3", hatch="///", linewidth=0.0, label="secteur partagé")
        )
    if problem.n_groupes > 1:
        poignees.append(Line2D([], [], color="#1a1a1a", linewidth=3.0, label="limite de département"))
    return poignees
