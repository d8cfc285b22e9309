/**
 * Tables under the map: those of result layers are made here from the same features that are drawn; in all of them
 * the first cell is a button that shows its row on the map.
 */

import { annoncer, element, marquerFictif } from "./configuration.js";
import { enTexte } from "./resultats.js";

/** Rows put in the page at once; the rest comes with a button, so that a département's communes do not freeze it. */
const LIGNES = 200;
/** What is read as a quantity, as numbers are written in French. */
const QUANTITE = /^([+−-]?\d[\d\s\u202f\u00a0]*(,\d+)?|—)$/u;

/** @typedef {import("./resultats.js").CoucheDonnees} CoucheDonnees */

/**
 * @param {CoucheDonnees} couche
 * @param {string} titre
 * @returns {HTMLElement}
 */
export function tableauDe(couche, titre) {
  const libelles = [...new Set(couche.features.flatMap((f) => Object.keys(f.properties.details ?? {})))];
  if (!libelles.length && couche.style === "valeur") libelles.push(`${couche.titre} (${couche.unite})`);
  const corps = element("tbody");
  let faites = 0;
  const suite = element("button", { type: "button", class: "bouton bouton-second" }, "Afficher les lignes suivantes");
  const remplir = () => {
    for (const feature of couche.features.slice(faites, faites + LIGNES)) corps.append(ligne(couche, feature, libelles));
    faites = Math.min(faites + LIGNES, couche.features.length);
    suite.hidden = faites >= couche.features.length;
  };
  suite.addEventListener("click", remplir);
  remplir();
  const resume = element("summary", {}, `${titre} (${couche.features.length})`);
  if (couche.fictif) resume.append(" ", element("span", { class: "badge badge-fictif" }, "fictif"));
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Nom"), ...libelles.map((l) => element("th", { scope: "col" }, l)))),
    corps,
  );
  return element(
    "details",
    { class: "carte-tableau", id: `tableau-${couche.code}`, open: couche.features.length <= 40 },
    resume,
    element("div", { class: "tableau-defile", tabindex: "0", role: "region", "aria-label": titre }, table),
    suite,
  );
}

/** @param {CoucheDonnees} couche @param {any} feature @param {string[]} libelles */
function ligne(couche, feature, libelles) {
  const { nom, details, valeur, fictif } = feature.properties;
  const texte = marquerFictif(nom ?? couche.titre, Boolean(fictif));
  let titre = element("span", {}, texte);
  if (feature.geometry) {
    const cadre = L.geoJSON(feature).getBounds();
    const bouton = element("button", { type: "button", class: "voir", "data-cadre": cadre.toBBoxString() });
    bouton.append(titre, element("span", { class: "visuellement-cache" }, " : voir sur la carte"));
    titre = bouton;
  }
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, titre),
    ...libelles.map((libelle) => {
      const contenu = details ? details[libelle] : valeur;
      const cellule = enTexte(contenu);
      return element("td", QUANTITE.test(cellule) ? { class: "nombre" } : {}, cellule);
    }),
  );
}

/**
 * Show on the map the row whose button is pressed, in any table of the page.
 *
 * @param {any} carte Leaflet map.
 */
export function relierTableaux(carte) {
  document.getElementById("tableaux").addEventListener("click", (evenement) => {
    const bouton = /** @type {HTMLElement} */ (evenement.target).closest(".voir");
    if (!bouton) return;
    const [ouest, sud, est, nord] = bouton.dataset.cadre.split(",").map(Number);
    carte.fitBounds([[sud, ouest], [nord, est]], { maxZoom: 14, animate: false });
    carte.getContainer().scrollIntoView({ block: "nearest" });
    carte.getContainer().focus({ preventScroll: true });
    annoncer(`${bouton.firstElementChild.textContent} : affiché sur la carte.`);
  });
}
