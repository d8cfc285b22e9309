/**
 * Legend: the same swatches in the panel and on the exported image.
 *
 * @typedef {object} Entree
 * @property {string} texte
 * @property {"trait" | "surface" | "hachures" | "point"} forme
 * @property {string} couleur
 * @property {number} [largeur]
 * @property {number[]} [tirets]
 * @property {string} [bord]
 */

import { element } from "./configuration.js";
import { ROUTES, TERRITOIRES, hachures, selonZoom } from "./styles.js";

/** Width and height of a swatch, px. */
export const CASE = { largeur: 34, hauteur: 16 };

/**
 * Draw one swatch at the current origin of a canvas.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Entree} entree
 */
export function dessinerCase(ctx, entree) {
  const { largeur, hauteur } = CASE;
  ctx.save();
  if (entree.forme === "trait") {
    const epaisseur = Math.max(entree.largeur ?? 2, 1);
    if (entree.bord) {
      ctx.strokeStyle = entree.bord;
      ctx.lineWidth = epaisseur + 1.5;
      ctx.beginPath();
      ctx.moveTo(1, hauteur / 2);
      ctx.lineTo(largeur - 1, hauteur / 2);
      ctx.stroke();
    }
    ctx.strokeStyle = entree.couleur;
    ctx.lineWidth = epaisseur;
    ctx.setLineDash(entree.tirets ?? []);
    ctx.beginPath();
    ctx.moveTo(1, hauteur / 2);
    ctx.lineTo(largeur - 1, hauteur / 2);
    ctx.stroke();
  } else if (entree.forme === "point") {
    ctx.beginPath();
    ctx.arc(largeur / 2, hauteur / 2, 5, 0, 2 * Math.PI);
    ctx.fillStyle = entree.couleur;
    ctx.fill();
    ctx.strokeStyle = entree.bord ?? "#1c2629";
    ctx.lineWidth = 1.5;
    ctx.stroke();
  } else {
    ctx.fillStyle = entree.forme === "hachures" ? ctx.createPattern(hachures(entree.couleur), "repeat") : entree.couleur;
    if (entree.forme === "surface") ctx.globalAlpha = 0.6;
    ctx.fillRect(2, 2, largeur - 4, hauteur - 4);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = entree.bord ?? entree.couleur;
    ctx.lineWidth = 1.2;
    ctx.strokeRect(2, 2, largeur - 4, hauteur - 4);
  }
  ctx.restore();
}

/** @param {Entree[]} entrees @returns {HTMLElement} */
export function legende(entrees) {
  return element(
    "ul",
    { class: "legende" },
    ...entrees.map((entree) => {
      const toile = /** @type {HTMLCanvasElement} */ (element("canvas", { "aria-hidden": "true" }));
      const echelle = window.devicePixelRatio || 1;
      toile.width = CASE.largeur * echelle;
      toile.height = CASE.hauteur * echelle;
      const ctx = toile.getContext("2d");
      ctx.scale(echelle, echelle);
      dessinerCase(ctx, entree);
      return element("li", {}, toile, entree.texte);
    }),
  );
}

/** Legend of the roads. @param {Record<string, string>} classes @returns {Entree[]} */
export function entreesRoutes(classes) {
  return Object.entries(ROUTES).map(([classe, trait]) => ({
    texte: classes[classe],
    forme: "trait",
    couleur: trait.couleur,
    largeur: selonZoom(trait.largeurs)(13),
    tirets: trait.tirets,
    bord: trait.bord ? "#5d5a52" : undefined,
  }));
}

/** @param {import("./styles.js").Trait} trait @param {string} texte @returns {Entree} */
function entreeTrait(trait, texte) {
  return { texte, forme: "trait", couleur: trait.couleur, largeur: selonZoom(trait.largeurs)(11), tirets: trait.tirets };
}

/**
 * Legends of the territory layers by code.
 *
 * @param {string} collectivites What the limits lie between.
 * @returns {Record<string, Entree[]>}
 */
export function entreesTerritoires(collectivites) {
  const t = TERRITOIRES;
  return {
    limites: [entreeTrait(t.limite, `Limite entre ${collectivites}`), entreeTrait(t.departement, `Contour des ${collectivites}`)],
    zones: [{ texte: "Zone limitrophe", forme: "hachures", couleur: t.zone.couleur }],
    epci: [entreeTrait(t.limiteEpci, "Limite entre EPCI"), entreeTrait(t.epci, "Contour d'EPCI")],
    communes: [entreeTrait(t.commune, "Contour de commune")],
    passages: [{ texte: "Route qui franchit une limite", forme: "point", couleur: t.passage.couleur, bord: t.passage.bord }],
  };
}
