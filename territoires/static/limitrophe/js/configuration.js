/**
 * What the page tells its scripts, and small helpers to build elements without markup in strings.
 *
 * @typedef {{code: string, nom: string, fictif: boolean, attribution: string, tuiles: string}} Reseau
 * @typedef {{code: string, titre: string, url: string, attribution: string, zoomMax: number}} FondExterne
 * @typedef {object} Configuration
 * @property {[number, number, number, number] | null} cadre West, south, east, north in degrees.
 * @property {number} zoomDonnees Last zoom of the vector tiles; the map draws further ones from it.
 * @property {Record<string, string>} classes Road class to its French name.
 * @property {string | null} zone Code of the zone the page is about.
 * @property {Reseau | null} reseau
 * @property {string[]} sourcesTerritoires
 * @property {string} limitesEntre "départements", or "collectivités" abroad.
 * @property {string} territoires Address model of the territory tiles.
 * @property {string} recherche
 * @property {string} sites
 * @property {string | null} resultats
 * @property {string | null} etude Title of the study shown.
 * @property {FondExterne[]} fonds
 */

/** @returns {Configuration} */
export function lireConfiguration() {
  return JSON.parse(document.getElementById("configuration-carte").textContent);
}

/**
 * An element with attributes and children.
 *
 * @param {string} nom
 * @param {Record<string, string | boolean>} [attributs]
 * @param {...(Node | string)} enfants
 * @returns {HTMLElement}
 */
export function element(nom, attributs = {}, ...enfants) {
  const noeud = document.createElement(nom);
  for (const [cle, valeur] of Object.entries(attributs)) {
    if (valeur === true) noeud.setAttribute(cle, "");
    else if (valeur !== false) noeud.setAttribute(cle, valeur);
  }
  noeud.append(...enfants);
  return noeud;
}

/** @param {string} texte @returns {string} The text, safe inside markup. */
export function echapper(texte) {
  return element("span", {}, texte).innerHTML;
}

/** A name with « (fictif) » unless it says so already. @param {string} texte @param {boolean} fictif @returns {string} */
export function marquerFictif(texte, fictif) {
  return fictif && !/fictif|fictive/i.test(texte) ? `${texte} (fictif)` : texte;
}

/** Tell readers of the page (and screen readers) what just happened. @param {string} texte */
export function annoncer(texte) {
  document.getElementById("carte-annonce").textContent = texte;
}

/** @param {number} valeur @param {number} [decimales] @returns {string} A number as written in French. */
export function nombre(valeur, decimales = 0) {
  return valeur.toLocaleString("fr-FR", { minimumFractionDigits: decimales, maximumFractionDigits: decimales });
}
