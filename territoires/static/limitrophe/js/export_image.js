/**
 * The map as a PNG: what is drawn, with title, legend, scale, date and credits; what is fictitious is marked.
 */

import { marquerFictif } from "./configuration.js";
import { CASE, dessinerCase } from "./legende.js";

const POLICE = '"Liberation Sans", "DejaVu Sans", system-ui, sans-serif';
const MARGE = 14;
const COLONNE = 300;
const LIGNE = 20;

/**
 * @param {any} carte Leaflet map.
 * @param {{titre: string, couches: import("./couches.js").Couche[], credits: string[], fictif: boolean}} contenu
 * @returns {HTMLCanvasElement}
 */
export function composer(carte, contenu) {
  const taille = carte.getSize();
  const echelle = Math.max(window.devicePixelRatio || 1, 2);
  const lignes = lignesLegende(contenu.couches);
  const bas = 2 * LIGNE + MARGE;
  const hauteur = Math.max(taille.y, lignes.length * LIGNE + 2 * MARGE) + 2 * LIGNE + MARGE + bas;
  const toile = document.createElement("canvas");
  toile.width = (taille.x + COLONNE + 3 * MARGE) * echelle;
  toile.height = hauteur * echelle;
  const ctx = toile.getContext("2d");
  ctx.scale(echelle, echelle);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, toile.width, toile.height);
  ctx.fillStyle = "#173f43";
  ctx.font = `700 18px ${POLICE}`;
  ctx.textBaseline = "alphabetic";
  ctx.fillText(contenu.titre, MARGE, MARGE + LIGNE);

  const haut = 2 * LIGNE + MARGE;
  ctx.save();
  ctx.translate(MARGE, haut);
  ctx.beginPath();
  ctx.rect(0, 0, taille.x, taille.y);
  ctx.clip();
  ctx.fillStyle = getComputedStyle(carte.getContainer()).backgroundColor;
  ctx.fillRect(0, 0, taille.x, taille.y);
  copierDessins(ctx, carte);
  dessinerEchelle(ctx, carte, taille);
  if (contenu.fictif) dessinerFictif(ctx, taille);
  ctx.restore();
  ctx.strokeStyle = "#7a8987";
  ctx.strokeRect(MARGE, haut, taille.x, taille.y);

  dessinerLegende(ctx, lignes, taille.x + 2 * MARGE, haut);
  ctx.fillStyle = "#4c5a5e";
  ctx.font = `12px ${POLICE}`;
  const date = new Date().toLocaleDateString("fr-FR", { day: "numeric", month: "long", year: "numeric" });
  ctx.fillText(`Limitrophe, ${date}`, MARGE, hauteur - bas + LIGNE + 4);
  ctx.fillText(contenu.credits.join(" | "), MARGE, hauteur - bas + 2 * LIGNE + 4, taille.x + COLONNE);
  return toile;
}

/** Tiles, then overlays: every canvas and image of the map's panes, in the order they are stacked. */
function copierDessins(ctx, carte) {
  const origine = carte.getContainer().getBoundingClientRect();
  const panneaux = [...carte.getPane("mapPane").children].sort((a, b) => Number(getComputedStyle(a).zIndex) - Number(getComputedStyle(b).zIndex));
  for (const panneau of panneaux) {
    for (const dessin of panneau.querySelectorAll("canvas, img.leaflet-tile")) {
      const boite = dessin.getBoundingClientRect();
      if (!boite.width || dessin.width === 0) continue;
      ctx.drawImage(dessin, boite.left - origine.left, boite.top - origine.top, boite.width, boite.height);
    }
  }
}

/** @param {import("./couches.js").Couche[]} couches */
function lignesLegende(couches) {
  return couches.flatMap((couche) => [
    { titre: marquerFictif(couche.titre, Boolean(couche.fictif)) },
    ...couche.legende.map((entree) => ({ entree })),
  ]);
}

function dessinerLegende(ctx, lignes, x, haut) {
  let y = haut;
  for (const ligne of lignes) {
    ctx.fillStyle = "#1c2629";
    if (ligne.titre) {
      ctx.font = `600 13px ${POLICE}`;
      ctx.fillText(ligne.titre, x, y + 14, COLONNE);
    } else {
      ctx.save();
      ctx.translate(x + 4, y + 1);
      dessinerCase(ctx, ligne.entree);
      ctx.restore();
      ctx.font = `12px ${POLICE}`;
      ctx.fillText(ligne.entree.texte, x + CASE.largeur + 12, y + 14, COLONNE - CASE.largeur - 12);
    }
    y += LIGNE;
  }
}

function dessinerEchelle(ctx, carte, taille) {
  const y = taille.y / 2;
  const metres = carte.distance(carte.containerPointToLatLng([0, y]), carte.containerPointToLatLng([120, y]));
  const puissance = 10 ** Math.floor(Math.log10(metres));
  const rond = [5, 2, 1].map((m) => m * puissance).find((m) => m <= metres) ?? puissance;
  const largeur = (120 * rond) / metres;
  ctx.fillStyle = "rgb(255 255 255 / 85%)";
  ctx.fillRect(8, taille.y - 34, largeur + 20, 28);
  ctx.fillStyle = ctx.strokeStyle = "#1c2629";
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(18, taille.y - 20);
  ctx.lineTo(18, taille.y - 14);
  ctx.lineTo(18 + largeur, taille.y - 14);
  ctx.lineTo(18 + largeur, taille.y - 20);
  ctx.stroke();
  ctx.font = `12px ${POLICE}`;
  ctx.fillText(rond >= 1000 ? `${rond / 1000} km` : `${rond} m`, 22, taille.y - 19);
}

function dessinerFictif(ctx, taille) {
  const texte = "Comprend des données fictives";
  ctx.font = `600 14px ${POLICE}`;
  const largeur = ctx.measureText(texte).width + 20;
  ctx.fillStyle = "#f5ebfa";
  ctx.fillRect(taille.x - largeur - 8, 8, largeur, 26);
  ctx.strokeStyle = "#6b2f86";
  ctx.setLineDash([4, 3]);
  ctx.strokeRect(taille.x - largeur - 8, 8, largeur, 26);
  ctx.setLineDash([]);
  ctx.fillStyle = "#6b2f86";
  ctx.fillText(texte, taille.x - largeur + 2, 26);
}

/** Hand the picture to the browser as a download. @param {HTMLCanvasElement} toile @param {string} nom */
export async function telecharger(toile, nom) {
  const blob = await new Promise((resolve) => toile.toBlob(resolve, "image/png"));
  const lien = document.createElement("a");
  lien.href = URL.createObjectURL(blob);
  lien.download = nom;
  lien.click();
  setTimeout(() => URL.revokeObjectURL(lien.href), 10_000);
}
