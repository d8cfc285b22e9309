/**
 * Colours and strokes of the map: the one place for tiles, result layers, legend and exported image.
 *
 * Road classes go from dark and wide to light and thin, so that lightness and width alone tell them apart; the last
 * two are dashed. Categories and values are custom properties of base.css.
 *
 * @typedef {{couleur: string, largeurs: [number, number][], tirets?: number[], bord?: boolean}} Trait
 *   ``largeurs``: pairs zoom of the map, width in px, interpolated.
 */

/** @type {Record<number, Trait>} */
export const ROUTES = {
  0: { couleur: "#6d1a36", largeurs: [[6, 1.6], [10, 3], [14, 6], [18, 14]], bord: true },
  1: { couleur: "#a63a24", largeurs: [[6, 1.2], [10, 2.4], [14, 5], [18, 13]], bord: true },
  2: { couleur: "#d9822b", largeurs: [[6, 0.9], [10, 2], [14, 4.5], [18, 12]], bord: true },
  3: { couleur: "#dfa92f", largeurs: [[8, 0.6], [10, 1.1], [14, 4], [18, 11]], bord: true },
  4: { couleur: "#8d8a80", largeurs: [[9, 0.6], [12, 1.2], [14, 2.6], [18, 9]] },
  5: { couleur: "#aaa79d", largeurs: [[10, 0.5], [13, 1.1], [15, 2.2], [18, 8]] },
  6: { couleur: "#bcb9b0", largeurs: [[11, 0.4], [14, 1.1], [18, 7]] },
  7: { couleur: "#a29f96", largeurs: [[12, 0.6], [14, 1.2], [18, 6]], tirets: [6, 3] },
  8: { couleur: "#b3b0a6", largeurs: [[12, 0.4], [14, 0.9], [18, 4]], tirets: [3, 3] },
};
export const BORD_ROUTE = "#5d5a52";

export const TERRITOIRES = {
  fond: "#fdfcf9",
  departement: { couleur: "#4b2a7b", largeurs: [[5, 1.2], [10, 2.4], [16, 4]] },
  limite: { couleur: "#4b2a7b", largeurs: [[5, 2], [10, 4], [16, 7]], tirets: [14, 4, 3, 4] },
  limiteEpci: { couleur: "#7b4fae", largeurs: [[7, 1], [11, 2], [16, 4]], tirets: [8, 4] },
  // Outlines are drawn once by each neighbour: plain, as dashes of two would mix.
  epci: { couleur: "#a98fc9", largeurs: [[7, 0.8], [11, 1.4], [16, 2.5]] },
  commune: { couleur: "#9aa3a6", largeurs: [[9, 0.4], [12, 0.7], [16, 1.4]] },
  zone: { couleur: "#0b6b70", largeurs: [[6, 1.4], [14, 2.6]] },
  passage: { couleur: "#ffffff", bord: "#b3003c", rayon: [[7, 2], [10, 3], [14, 6]] },
};

/** Linear between pairs (zoom, value). @param {[number, number][]} paires @returns {(zoom: number) => number} */
export function selonZoom(paires) {
  return (zoom) => {
    if (zoom <= paires[0][0]) return paires[0][1];
    for (let i = 1; i < paires.length; i++) {
      const [z0, v0] = paires[i - 1];
      const [z1, v1] = paires[i];
      if (zoom <= z1) return v0 + ((v1 - v0) * (zoom - z0)) / (z1 - z0);
    }
    return paires[paires.length - 1][1];
  };
}

/** @param {string} nom @returns {string} */
function couleurDeLaPage(nom) {
  return getComputedStyle(document.documentElement).getPropertyValue(nom).trim();
}

export const NOMBRE_CATEGORIES = 12;
const NOMBRE_VALEURS = 6;

/** Colour of a category, 0 to 11 (then again from 0). @param {number} rang @returns {string} */
export function couleurCategorie(rang) {
  return couleurDeLaPage(`--cat-${((rang % NOMBRE_CATEGORIES) + NOMBRE_CATEGORIES) % NOMBRE_CATEGORIES}`);
}

/**
 * Colour of a value among thresholds: band 0 is below the first one.
 *
 * @param {number} bande @param {number} bandes Number of bands.
 * @returns {string}
 */
export function couleurBande(bande, bandes) {
  const rang = bandes <= 1 ? 0 : Math.round((bande * (NOMBRE_VALEURS - 1)) / (bandes - 1));
  return couleurDeLaPage(`--val-${rang}`);
}

/** @param {number} valeur @param {number[]} seuils @returns {number} Rank of the band of a value. */
export function bandeDe(valeur, seuils) {
  let bande = 0;
  while (bande < seuils.length && valeur >= seuils[bande]) bande++;
  return bande;
}

/**
 * Diagonal hatching that tiles join without a seam (8 divides the side of a tile).
 *
 * @param {string} couleur
 * @returns {HTMLCanvasElement}
 */
export function hachures(couleur) {
  const motif = document.createElement("canvas");
  motif.width = motif.height = 8;
  const ctx = motif.getContext("2d");
  ctx.strokeStyle = couleur;
  ctx.globalAlpha = 0.45;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const d of [-8, 0, 8]) {
    ctx.moveTo(d, 8);
    ctx.lineTo(d + 8, 0);
  }
  ctx.stroke();
  return motif;
}
