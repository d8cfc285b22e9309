/**
 * What lies under the pointer (click) or at the centre of the map (Enter): road, commune, zone, point de passage.
 */

import { element, marquerFictif } from "./configuration.js";

const GENRES = { departement: "département", epci: "EPCI" };

/**
 * @param {{couche: string, props: any}[]} trouves
 * @param {Record<string, string>} classes
 * @param {Set<string>} visibles
 * @returns {HTMLElement | null}
 */
export function contenu(trouves, classes, visibles) {
  const liste = element("dl");
  const vues = new Set();
  const ajouter = (/** @type {string} */ libelle, /** @type {string} */ texte) => {
    if (!texte || vues.has(libelle + texte)) return;
    vues.add(libelle + texte);
    liste.append(element("dt", {}, libelle), element("dd", {}, texte));
  };
  const de = (/** @type {string} */ couche) => trouves.filter((t) => t.couche === couche).map((t) => t.props);
  if (visibles.has("passages")) {
    for (const p of de("passages")) ajouter("Point de passage", `${[p.ref, p.nom].filter(Boolean).join(", ") || "route sans nom"} (${p.a} / ${p.b})`);
  }
  if (visibles.has("routes")) {
    const routes = de("troncons").sort((a, b) => a.classe - b.classe).slice(0, 3);
    for (const r of routes) {
      const precisions = [classes[r.classe].toLowerCase(), r.bretelle && "bretelle", r.mitoyenne && "mitoyenne"].filter(Boolean);
      ajouter("Route", `${[r.ref, r.nom].filter(Boolean).join(", ") || "sans nom"} (${precisions.join(", ")})`);
    }
  }
  if (visibles.has("limites")) for (const l of de("limites")) ajouter("Limite", `${l.a} / ${l.b}, ${l.km} km (${GENRES[l.genre] ?? l.genre})`);
  for (const c of de("communes")) ajouter("Commune", `${c.nom} (${c.code})`);
  for (const c of de("epci")) ajouter("EPCI", c.nom);
  for (const c of de("departements")) ajouter("Département", c.nom);
  if (visibles.has("zones")) for (const z of de("zones")) ajouter("Zone", marquerFictif(z.nom, Boolean(z.fictif)));
  return liste.children.length ? element("div", {}, element("h3", {}, "À cet endroit"), liste) : null;
}

/**
 * @param {any} carte
 * @param {(lieu: any) => (HTMLElement | null)[]} fiches What to say of a place, most precise first.
 */
export function installerInfos(carte, fiches) {
  const dire = (/** @type {any} */ lieu) => {
    const parties = fiches(lieu).filter(Boolean);
    if (parties.length) carte.openPopup(element("div", {}, ...parties), lieu, { maxWidth: 340, autoPan: false });
  };
  carte.on("click", (evenement) => dire(evenement.latlng));
  carte.getContainer().addEventListener("keydown", (evenement) => {
    if (evenement.key !== "Enter" || evenement.target !== carte.getContainer()) return;
    evenement.preventDefault();
    dire(carte.getCenter());
  });
}
