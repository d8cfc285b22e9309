/**
 * Form of a new zone: shows only the fields the chosen mode needs, filters the long list of collectivités, and keeps
 * the preview of the communes up to date. Without it the form works all the same, with the « Aperçu » button.
 */

/** Milliseconds without a change before the preview is asked. */
const ATTENTE = 400;

/** Field shown by each mode. @type {Record<string, string>} */
const CHAMP_DU_MODE = { distance: "champ-distance_km", temps: "champ-temps_min", liste: "champ-communes" };

/** @param {HTMLFormElement} formulaire */
function montrerChamps(formulaire) {
  const mode = String(new FormData(formulaire).get("mode") ?? "");
  for (const [cle, id] of Object.entries(CHAMP_DU_MODE)) {
    const champ = document.getElementById(id);
    if (champ) champ.hidden = cle !== mode;
  }
}

/** @param {HTMLElement} liste */
function ajouterFiltre(liste) {
  const saisie = document.createElement("input");
  saisie.type = "search";
  saisie.setAttribute("aria-label", liste.dataset.filtre ?? "");
  saisie.placeholder = liste.dataset.filtre ?? "";
  saisie.addEventListener("input", () => {
    const cherche = plat(saisie.value);
    for (const etiquette of liste.querySelectorAll("label")) {
      const coche = etiquette.querySelector("input")?.checked ?? false;
      etiquette.hidden = !coche && !plat(etiquette.textContent ?? "").includes(cherche);
    }
  });
  liste.before(saisie);
}

/** @param {string} texte @returns {string} */
function plat(texte) {
  return texte.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {HTMLFormElement} formulaire @param {HTMLElement} zone */
function suivre(formulaire, zone) {
  let attente = 0;
  /** @type {AbortController | null} */
  let demande = null;
  const demander = async () => {
    demande?.abort();
    demande = new AbortController();
    const champs = new FormData(formulaire);
    champs.delete("csrfmiddlewaretoken");
    if (!champs.getAll("collectivites").length) return;
    const adresse = `${formulaire.dataset.apercu}?${new URLSearchParams(/** @type {any} */ (champs))}`;
    zone.setAttribute("aria-busy", "true");
    try {
      const reponse = await fetch(adresse, { signal: demande.signal });
      if (!reponse.ok) throw new Error(String(reponse.status));
      zone.innerHTML = await reponse.text();
    } catch (erreur) {
      if (erreur instanceof DOMException && erreur.name === "AbortError") return;
      zone.textContent = "L'aperçu n'a pas pu être calculé.";
    }
    zone.removeAttribute("aria-busy");
  };
  formulaire.addEventListener("input", (evenement) => {
    montrerChamps(formulaire);
    const cible = evenement.target;
    if (cible instanceof HTMLInputElement && (cible.name === "nom" || cible.type === "search")) return;
    window.clearTimeout(attente);
    attente = window.setTimeout(demander, ATTENTE);
  });
}

const formulaire = document.getElementById("zone");
const zone = document.getElementById("apercu");
if (formulaire instanceof HTMLFormElement && zone) {
  montrerChamps(formulaire);
  for (const liste of formulaire.querySelectorAll("[data-filtre]")) ajouterFiltre(/** @type {HTMLElement} */ (liste));
  suivre(formulaire, zone);
}
