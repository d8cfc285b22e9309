"""Colours of the site and of the map: contrast of texts, and what colour-blind readers can tell apart."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

STATIQUES = Path(__file__).resolve().parents[3] / "territoires" / "static" / "limitrophe"
#: Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency",
#: severity 1.0, on linear RGB.
VISIONS = {
    "ordinaire": np.eye(3),
    "protanopie": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopie": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopie": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
#: CIE 1976 difference below which two patches side by side are hard to tell apart (2.3 is just noticeable).
ECART_MIN = 8.0


def linear(couleur: str) -> np.ndarray:
    """Linear RGB of #rrggbb (IEC 61966-2-1)."""
    c = np.array([int(couleur[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(couleur: str) -> float:
    return float(linear(couleur) @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.1."""
    clair, sombre = sorted((luminance(a), luminance(b)), reverse=True)
    return (clair + 0.05) / (sombre + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of linear RGB."""
    xyz = np.clip(rgb, 0, 1) @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    t = xyz / [0.9505, 1.0, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def variables() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (STATIQUES / "css" / "base.css").read_text()))


def roads() -> list[str]:
    """Colour of each road class, in order."""
    bloc = (STATIQUES / "js" / "styles.js").read_text().split("ROUTES = {")[1].split("};")[0]
    return [c for _, c in sorted(re.findall(r'(\d): \{ couleur: "(#[0-9a-f]{6})"', bloc))]


@pytest.mark.parametrize(
    ("texte", "fond"),
    [
        ("encre", "fond"), ("encre-douce", "fond"), ("encre-douce", "papier"), ("accent", "fond"),
        ("papier", "accent"), ("papier", "marque"), ("erreur", "erreur-fond"), ("alerte", "alerte-fond"),
        ("succes", "succes-fond"), ("fictif", "fictif-fond"), ("accent-fort", "marque-claire"),
    ],
)  # fmt: skip
def test_texts_are_readable(texte: str, fond: str) -> None:
    v = variables()
    assert contrast(v[texte], v[fond]) >= 4.5


@pytest.mark.parametrize("vision", ["ordinaire", "protanopie", "deuteranopie"])
def test_categories_are_told_apart(vision: str) -> None:
    couleurs = [variables()[f"cat-{i}"] for i in range(12)]
    points = [lab(VISIONS[vision] @ linear(c)) for c in couleurs]
    ecarts = {(i, j): float(np.linalg.norm(points[i] - points[j])) for i, j in itertools.combinations(range(12), 2)}
    assert min(ecarts.values()) >= ECART_MIN, min(ecarts.items(), key=lambda e: e[1])


@pytest.mark.parametrize("vision", VISIONS)
def test_values_are_ordered_by_lightness_alone(vision: str) -> None:
    clartes = [lab(VISIONS[vision] @ linear(variables()[f"val-{i}"]))[0] for i in range(6)]
    assert all(a - b > 5 for a, b in itertools.pairwise(clartes))


@pytest.mark.parametrize("vision", VISIONS)
def test_main_roads_are_ordered_by_lightness(vision: str) -> None:
    """Classes 0 to 3 by lightness; the lesser ones are grey, thinner, then dashed."""
    clartes = [lab(VISIONS[vision] @ linear(c))[0] for c in roads()]
    assert len(clartes) == 9
    assert all(b > a for a, b in itertools.pairwise(clartes[:4]))
