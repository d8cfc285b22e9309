// Live progress of a study's run: asks for its state until it is over, then reloads the page once.
// @ts-check

/**
 * @typedef {{etat: string, libelle: string, termine: boolean, progres: number, pourcent: number, message: string,
 *   meilleur: string | null, borne: string | null, blocs_faits: number, blocs: number, duree: string | null,
 *   journal: string}} Avancement
 */

const PAS_MS = 1000;
const PAS_MAX_MS = 15000;

/**
 * What is read aloud: the state and the tens of percent, so that it changes seldom.
 * @param {Avancement} avancement
 */
export function annonce(avancement) {
  if (avancement.etat !== "en_cours") return `Calcul ${avancement.libelle}.`;
  return `Calcul en cours, ${10 * Math.floor(avancement.pourcent / 10)} %.`;
}

/**
 * Shows a state in the page.
 * @param {HTMLElement} cadre
 * @param {Avancement} avancement
 */
export function montrer(cadre, avancement) {
  const ecrire = (/** @type {string} */ nom, /** @type {string} */ texte) => {
    const element = cadre.querySelector(`[data-${nom}]`);
    if (element && element.textContent !== texte) element.textContent = texte;
  };
  const etat = cadre.querySelector("[data-libelle] .badge");
  if (etat) etat.textContent = avancement.libelle;
  ecrire("message", avancement.message);
  ecrire("pourcent", `${avancement.pourcent} %`);
  ecrire("blocs", `Groupes calculés : ${avancement.blocs_faits} sur ${avancement.blocs}`);
  ecrire("duree", avancement.duree ? `, depuis ${avancement.duree}` : "");
  const borne = avancement.borne ? ` (au mieux ${avancement.borne})` : "";
  ecrire("meilleur", avancement.meilleur ? `, meilleur coût du groupe en cours : ${avancement.meilleur}${borne}` : "");
  const barre = /** @type {HTMLProgressElement | null} */ (cadre.querySelector("[data-barre]"));
  if (barre) barre.value = avancement.progres;
  ecrire("annonce", annonce(avancement));
  const journal = document.querySelector("[data-journal]");
  if (journal && avancement.journal) journal.textContent = avancement.journal;
}

/**
 * Asks until the run is over. Failures of the network make it ask less often, and say so.
 * @param {HTMLElement} cadre
 * @param {() => void} fini
 */
export function suivre(cadre, fini) {
  const url = cadre.dataset.url;
  if (!url) return;
  let attente = PAS_MS;
  const demander = async () => {
    try {
      const reponse = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (reponse.status === 401 || reponse.status === 403 || reponse.status === 404) return fini();
      if (!reponse.ok) throw new Error(String(reponse.status));
      /** @type {Avancement} */
      const avancement = await reponse.json();
      montrer(cadre, avancement);
      if (avancement.termine) return fini();
      attente = PAS_MS;
    } catch {
      attente = Math.min(2 * attente, PAS_MAX_MS);
      const message = cadre.querySelector("[data-message]");
      if (message) message.textContent = "Le serveur ne répond pas, nouvel essai dans un instant.";
    }
    setTimeout(demander, attente);
  };
  setTimeout(demander, PAS_MS);
}

const cadre = /** @type {HTMLElement | null} */ (document.querySelector("[data-passage]"));
if (cadre && ["en_attente", "en_cours"].includes(cadre.dataset.etat ?? "")) {
  suivre(cadre, () => window.location.reload());
}
