/**
 * Layers that operations give: sites as they are, results of a study by regime. GeoJSON, drawn on a canvas.
 *
 * @typedef {object} CoucheDonnees
 * @property {string} code
 * @property {string} titre
 * @property {string} origine Title of the operation, empty for results.
 * @property {"categorie" | "valeur"} style
 * @property {number[]} seuils
 * @property {string} unite
 * @property {boolean} fictif
 * @property {any[]} features
 */

import { element, nombre } from "./configuration.js";
import { NOMBRE_CATEGORIES, bandeDe, couleurBande, couleurCategorie } from "./styles.js";


/** Pane of points and lines: above limits and names; surfaces are below them. */
export const PANNEAU_POINTS = "points";

/** Throws an Error whose message is for readers of the page. @param {string} adresse @returns {Promise<any>} */
export async function lireJson(adresse) {
  const echec = "Les sites ou les résultats n'ont pas pu être lus : rechargez la page.";
  const reponse = await fetch(adresse).catch(() => {
    throw new Error(echec);
  });
  if (reponse.ok) return reponse.json();
  const { erreur } = await reponse.json().catch(() => ({}));
  throw new Error(erreur ?? echec);
}

/** @param {CoucheDonnees} couche @param {any} feature @returns {string} */
function couleur(couche, feature) {
  if (couche.style === "valeur") {
    const { valeur } = feature.properties;
    return typeof valeur === "number" ? couleurBande(bandeDe(valeur, couche.seuils), couche.seuils.length + 1) : "#b9bdbc";
  }
  return couleurCategorie(feature.properties.couleur ?? 0);
}

/**
 * Content of a pop-up.
 *
 * @param {CoucheDonnees} couche @param {any} feature
 * @returns {HTMLElement}
 */
export function fiche(couche, feature) {
  const { nom, details = {}, fictif, valeur } = feature.properties;
  const titre = element("h3", {}, nom ?? couche.titre);
  if (fictif || couche.fictif) titre.append(" ", element("span", { class: "badge badge-fictif" }, "fictif"));
  const liste = element("dl");
  const lignes = Object.entries(details);
  if (!lignes.length && typeof valeur === "number") lignes.push([couche.titre, `${nombre(valeur, 1)} ${couche.unite}`]);
  for (const [libelle, contenu] of lignes) {
    liste.append(element("dt", {}, libelle), element("dd", {}, enTexte(contenu)));
  }
  return element("div", {}, titre, liste);
}

/** @param {unknown} valeur @returns {string} */
export function enTexte(valeur) {
  if (valeur === null || valeur === undefined) return "—";
  if (typeof valeur === "number") return nombre(valeur, Number.isInteger(valeur) ? 0 : 1);
  if (typeof valeur === "boolean") return valeur ? "oui" : "non";
  return String(valeur);
}

/** @param {CoucheDonnees} couche @returns {import("./legende.js").Entree[]} */
export function legendeDonnees(couche) {
  const forme = formeDe(couche.features);
  if (couche.style === "valeur") {
    return [...couche.seuils, Infinity].map((seuil, i) => {
      const bas = i === 0 ? null : couche.seuils[i - 1];
      let texte = `${nombre(bas ?? 0)} à ${nombre(seuil)} ${couche.unite}`;
      if (bas === null) texte = `moins de ${nombre(seuil)} ${couche.unite}`;
      if (seuil === Infinity) texte = `${nombre(bas ?? 0)} ${couche.unite} et plus`;
      return { texte, forme, couleur: couleurBande(i, couche.seuils.length + 1), bord: "#1c2629" };
    });
  }
  /** @type {Map<string, number>} */
  const categories = new Map();
  for (const { properties } of couche.features) {
    const texte = properties.categorie ?? properties.legende;
    if (texte) categories.set(texte, properties.couleur ?? 0);
  }
  const couleurs = new Set(couche.features.map((f) => (f.properties.couleur ?? 0) % NOMBRE_CATEGORIES));
  if (!categories.size && couleurs.size <= 1) {
    return [...couleurs].map((rang) => ({ texte: couche.titre, forme, couleur: couleurCategorie(rang), bord: "#1c2629" }));
  }
  // More categories than colours: a legend would give several meanings to one colour.
  if (!categories.size || categories.size > NOMBRE_CATEGORIES) {
    return [{ texte: "Couleur : voir la fiche ou le tableau", forme, couleur: "#d5d9d8", bord: "#1c2629" }];
  }
  return [...categories].map(([texte, rang]) => ({ texte, forme, couleur: couleurCategorie(rang), bord: "#1c2629" }));
}

/** @param {any[]} features @returns {"trait" | "surface" | "point"} */
export function formeDe(features) {
  const type = features[0]?.geometry?.type ?? "";
  if (type.includes("Line")) return "trait";
  return type.includes("Polygon") ? "surface" : "point";
}

/**
 * @param {CoucheDonnees} couche
 * @returns {any} A Leaflet layer.
 */
export function creerCoucheDonnees(couche) {
  return L.geoJSON(
    { type: "FeatureCollection", features: couche.features.filter((f) => f.geometry) },
    {
      pointToLayer: (feature, lieu) => {
        const fictif = feature.properties.fictif || couche.fictif;
        return L.circleMarker(lieu, {
          pane: PANNEAU_POINTS,
          interactive: false,
          radius: 6.5,
          color: "#1c2629",
          weight: 1.6,
          // A dashed ring marks what was generated.
          dashArray: fictif ? "3 2" : null,
          fillColor: couleur(couche, feature),
          fillOpacity: 1,
        });
      },
      style: (feature) => {
        const teinte = couleur(couche, feature);
        if (feature.geometry.type.includes("Point")) return {};
        if (feature.geometry.type.includes("Line")) return { pane: PANNEAU_POINTS, color: teinte, weight: 3.5, opacity: 0.9 };
        return { color: "#3a4648", weight: 0.7, fillColor: teinte, fillOpacity: 0.55 };
      },
      // What lies at a place is found by designation.js, the same way for pointer and keyboard.
      interactive: false,
    },
  );
}
