"""The two pictures of docs/localisation-reel.md: a front, and a map of the points chosen on each side and together."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pyogrio
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from benchmarks.accueil_donnees import Donnees

F64 = NDArray[np.float64]

#: Upper ends of the bands of time, and their colours (light: near).
BANDES = (10, 20, 30, 45)
TEINTES = ("#e8f1f8", "#b5d0e6", "#73a5cc", "#3a74a8", "#17406d")
TRAITS = {"Loire": ("#b5482a", "s"), "Haute-Loire": ("#2f7d4f", "^"), "Loire + Haute-Loire": ("#1f3f77", "o")}
ENCRE = "#333333"


def draw_front(fronts: Mapping[str, Sequence[tuple[int, float, float]]], seuil: float, fichier: Path) -> None:
    """Points (sites, mean minutes, share within ``seuil``) of each block, two panels one above the other."""
    figure, (haut, bas) = plt.subplots(2, 1, figsize=(7.2, 6.4), sharex=True, layout="constrained")
    for nom, points in fronts.items():
        couleur, marque = TRAITS[nom]
        p, moyenne, part = (np.array(colonne) for colonne in zip(*points, strict=True))
        style = {"color": couleur, "marker": marque, "markersize": 4, "linewidth": 1.4, "label": nom}
        haut.plot(p, moyenne, **style)
        bas.plot(p, 100 * part, **style)
    haut.set_ylabel("temps moyen (min)")
    haut.set_ylim(bottom=0)
    bas.set_ylabel(f"habitants à {seuil:g} min au plus (%)")
    bas.set_ylim(top=101)
    bas.set_xlabel("nombre de points d'accueil")
    bas.xaxis.set_major_locator(MaxNLocator(integer=True))
    haut.legend(frameon=False)
    for axe in (haut, bas):
        axe.grid(color="#e3e3e3", linewidth=0.6)
        axe.spines[["top", "right"]].set_visible(False)
    _save(figure, fichier)


def draw_map(dossier: Path, donnees: Donnees, vues: Sequence[tuple[str, F64, Sequence[int]]], fichier: Path) -> None:
    """One map a view (title, minutes of each demand, open sites): communes by band of time, the points chosen."""
    communes = pyogrio.read_dataframe(dossier / "communes" / "communes-13-departements.gpkg").to_crs(2154)
    communes = communes[communes["code_insee"].isin(donnees.demande_code)].set_index("code_insee")
    communes = communes.loc[[code for code in donnees.demande_code if code in communes.index]]
    rang = {code: i for i, code in enumerate(donnees.demande_code)}
    qui = np.array([rang[code] for code in communes.index])
    contours = communes.dissolve(communes.index.str[:2]).boundary
    figure, axes = plt.subplots(1, len(vues), figsize=(5.2 * len(vues), 7.4), layout="constrained", squeeze=False)
    ouest, sud, est, nord = communes.total_bounds
    for axe, (titre, minutes, sites) in zip(axes[0], vues, strict=True):
        bande = np.digitize(minutes[qui], BANDES, right=True)
        communes.plot(ax=axe, color=[TEINTES[b] for b in bande], edgecolor="white", linewidth=0.15)
        contours.plot(ax=axe, color=ENCRE, linewidth=1.1)
        _draw_sites(axe, donnees, sites, (est, ouest))
        axe.set(xlim=(ouest - 4000, est + 4000), ylim=(sud - 4000, nord + 4000))
        axe.set_title(titre, fontsize=10, color=ENCRE)
        axe.set_axis_off()
    figure.legend(handles=_legend(), loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    _save(figure, fichier)


def _draw_sites(axe: Axes, donnees: Donnees, sites: Sequence[int], bords: tuple[float, float]) -> None:
    xy = donnees.site_xy[np.array(sites, dtype=np.int64)]
    axe.scatter(xy[:, 0], xy[:, 1], s=70, marker="*", color="#d7301f", edgecolor="white", linewidth=0.6, zorder=5)
    milieu = sum(bords) / 2
    for (x, y), site in zip(xy, sites, strict=True):
        # Names grow inwards, so that none leaves the map.
        gauche = x > milieu
        axe.annotate(
            donnees.site_commune[site],
            (x, y),
            xytext=(-6 if gauche else 6, 3),
            textcoords="offset points",
            ha="right" if gauche else "left",
            fontsize=7.5,
            color="black",
            zorder=6,
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
        )


def _legend() -> list[Patch | Line2D]:
    bornes = ("0", *(str(b) for b in BANDES))
    textes = [f"{a} à {b} min" for a, b in pairwise(bornes)] + [f"plus de {BANDES[-1]} min"]
    carres = [Patch(facecolor=t, edgecolor="#bbbbbb", label=texte) for t, texte in zip(TEINTES, textes, strict=True)]
    etoile = Line2D([], [], marker="*", color="#d7301f", linestyle="", markersize=9, label="point d'accueil")
    return [*carres, etoile]


def _save(figure: Figure, fichier: Path) -> None:
    """A PNG of a palette, a third of the bytes; the octree keeps rare colours (stars, far communes)."""
    fichier.parent.mkdir(parents=True, exist_ok=True)
    brut = io.BytesIO()
    figure.savefig(brut, dpi=100)
    plt.close(figure)
    image = Image.open(brut).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(fichier, optimize=True)
