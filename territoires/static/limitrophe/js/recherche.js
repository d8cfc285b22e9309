/**
 * Search of a commune: a combobox with a list box, worked by keyboard or pointer (ARIA authoring practices).
 *
 * @typedef {{code: string, nom: string, departement: string, population: number | null, cadre: [number, number, number, number] | null}} Commune
 */

import { annoncer, element, nombre } from "./configuration.js";

const DELAI_MS = 150;

/**
 * @param {string} adresse
 * @param {(commune: Commune) => void} auChoix
 */
export function installerRecherche(adresse, auChoix) {
  const champ = /** @type {HTMLInputElement} */ (document.getElementById("recherche-commune"));
  const liste = document.getElementById("recherche-liste");
  /** @type {Commune[]} */
  let communes = [];
  let rang = -1;
  let attente = 0;
  /** @type {AbortController | null} */
  let requete = null;

  const fermer = () => {
    liste.hidden = true;
    champ.setAttribute("aria-expanded", "false");
    champ.removeAttribute("aria-activedescendant");
    rang = -1;
  };

  const marquer = (/** @type {number} */ nouveau) => {
    rang = nouveau;
    [...liste.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === rang)));
    if (rang < 0) champ.removeAttribute("aria-activedescendant");
    else {
      champ.setAttribute("aria-activedescendant", liste.children[rang].id);
      liste.children[rang].scrollIntoView({ block: "nearest" });
    }
  };

  const choisir = (/** @type {Commune} */ commune) => {
    champ.value = commune.nom;
    fermer();
    annoncer(`${commune.nom} (${commune.code}) affichée sur la carte.`);
    auChoix(commune);
  };

  const montrer = () => {
    liste.replaceChildren(
      ...communes.map((commune, i) => {
        const habitants = commune.population === null ? "" : `, ${nombre(commune.population)} habitants`;
        const option = element(
          "li",
          { role: "option", id: `recherche-option-${i}`, "aria-selected": "false" },
          commune.nom,
          element("span", { class: "precision" }, `${commune.code}, ${commune.departement}${habitants}`),
        );
        option.addEventListener("mousedown", (evenement) => {
          evenement.preventDefault();
          choisir(commune);
        });
        return option;
      }),
    );
    rang = -1;
    liste.hidden = communes.length === 0;
    champ.setAttribute("aria-expanded", String(communes.length > 0));
    champ.removeAttribute("aria-activedescendant");
    annoncer(communes.length === 0 ? "Aucune commune trouvée." : `${communes.length} commune${communes.length > 1 ? "s" : ""} trouvée${communes.length > 1 ? "s" : ""}.`);
  };

  const chercher = async () => {
    requete?.abort();
    const texte = champ.value.trim();
    if (!texte) {
      fermer();
      return;
    }
    requete = new AbortController();
    try {
      const reponse = await fetch(`${adresse}?q=${encodeURIComponent(texte)}`, { signal: requete.signal });
      if (!reponse.ok) throw new Error(`réponse ${reponse.status}`);
      communes = (await reponse.json()).communes;
      montrer();
    } catch (erreur) {
      if (/** @type {Error} */ (erreur).name === "AbortError") return;
      fermer();
      annoncer("La recherche n'a pas abouti : vérifiez la connexion puis recommencez.");
    }
  };

  champ.addEventListener("input", () => {
    clearTimeout(attente);
    attente = window.setTimeout(chercher, DELAI_MS);
  });
  champ.addEventListener("blur", fermer);
  champ.addEventListener("keydown", (evenement) => {
    const ouverte = !liste.hidden;
    if (evenement.key === "Escape") {
      if (!ouverte) champ.value = "";
      fermer();
    } else if (evenement.key === "ArrowDown" || evenement.key === "ArrowUp") {
      evenement.preventDefault();
      if (!ouverte) chercher();
      else marquer((rang + (evenement.key === "ArrowDown" ? 1 : rang < 0 ? 0 : -1) + communes.length) % communes.length);
    } else if (evenement.key === "Enter") {
      evenement.preventDefault();
      if (ouverte) choisir(communes[Math.max(rang, 0)]);
      else chercher();
    }
  });
}
