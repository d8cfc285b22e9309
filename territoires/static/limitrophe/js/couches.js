/**
 * The panel of layers: one check box each with its legend, in the order of the page, and which ones are on.
 */

import { element } from "./configuration.js";
import { legende } from "./legende.js";

/**
 * @typedef {object} Couche
 * @property {string} code
 * @property {string} titre
 * @property {boolean} [active] On at first.
 * @property {boolean} [fictif]
 * @property {import("./legende.js").Entree[]} legende
 */

export class PanneauCouches {
  /** @param {HTMLElement} cadre @param {() => void} auChangement Called after each switch. */
  constructor(cadre, auChangement) {
    this.cadre = cadre;
    this.auChangement = auChangement;
    /** @type {Map<string, {couche: Couche, case: HTMLInputElement, bloc: HTMLElement}>} */
    this.lignes = new Map();
  }

  /** @param {Couche} couche @param {HTMLElement} [cadre] Another place than the panel's own. */
  ajouter(couche, cadre = this.cadre) {
    const boite = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox", id: `couche-${couche.code}`, checked: couche.active !== false }));
    const etiquette = element("label", { for: boite.id }, boite, element("span", {}, couche.titre));
    if (couche.fictif) etiquette.append(element("span", { class: "badge badge-fictif" }, "fictif"));
    const bloc = element("div", { class: "couche" }, etiquette);
    if (couche.legende.length) bloc.append(legende(couche.legende));
    boite.addEventListener("change", () => {
      this.#afficher();
      this.auChangement();
    });
    this.lignes.set(couche.code, { couche, case: boite, bloc });
    cadre.append(bloc);
    this.#afficher();
  }

  /** @param {string} code */
  retirer(code) {
    this.lignes.get(code)?.bloc.remove();
    this.lignes.delete(code);
  }

  /** @returns {Set<string>} Codes of the layers that are on. */
  visibles() {
    return new Set([...this.lignes.values()].filter((l) => l.case.checked).map((l) => l.couche.code));
  }

  /** Layers that are on, with their legends. @returns {Couche[]} */
  couchesVisibles() {
    return [...this.lignes.values()].filter((l) => l.case.checked).map((l) => l.couche);
  }

  /** Switch on exactly these (those that exist). @param {Iterable<string>} codes */
  choisir(codes) {
    const voulus = new Set(codes);
    for (const { couche, case: boite } of this.lignes.values()) boite.checked = voulus.has(couche.code);
    this.#afficher();
    this.auChangement();
  }

  #afficher() {
    for (const { case: boite, bloc } of this.lignes.values()) bloc.classList.toggle("eteinte", !boite.checked);
  }
}
