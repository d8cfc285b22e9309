// Partition table of the study form: shortcuts that tick a whole column, and a sentence saying what is chosen.
// The table works without this module.
// @ts-check

const MAX = 12;

/**
 * Name of each chosen collectivité by value of its row.
 * @param {ParentNode} racine
 * @returns {Map<string, string[]>}
 */
export function groupesChoisis(racine) {
  /** @type {Map<string, string[]>} */
  const groupes = new Map();
  for (const rang of racine.querySelectorAll("[data-collectivite]")) {
    const choix = /** @type {HTMLInputElement | null} */ (rang.querySelector("input:checked"));
    const nom = rang.getAttribute("data-collectivite") ?? "";
    if (choix) groupes.set(choix.value, [...(groupes.get(choix.value) ?? []), nom]);
  }
  return groupes;
}

/**
 * The partition in one sentence.
 * @param {Map<string, string[]>} groupes
 */
export function phrase(groupes) {
  const partages = [...groupes].filter(([valeur]) => valeur !== "hors" && valeur !== "seule").sort();
  const seules = groupes.get("seule") ?? [];
  const nombre = seules.length + partages.reduce((total, [, noms]) => total + noms.length, 0);
  if (nombre < 2) return "Choisissez au moins deux collectivités.";
  if (nombre > MAX) return `${nombre} collectivités choisies : ${MAX} au plus.`;
  const morceaux = partages.map(([lettre, noms]) =>
    noms.length > 1 ? `groupe ${lettre} : ${noms.join(" + ")}` : `groupe ${lettre} : ${noms[0]} (seule)`,
  );
  if (seules.length) morceaux.push(`de leur côté : ${seules.join(", ")}`);
  return `Partage étudié : ${morceaux.join(" ; ")}.`;
}

const table = document.querySelector(".tableau-groupes");
if (table) {
  const resume = document.querySelector("[data-resume-groupes]");
  const dire = () => {
    if (resume) resume.textContent = phrase(groupesChoisis(table));
  };
  table.addEventListener("change", dire);
  const raccourcis = /** @type {HTMLElement | null} */ (document.querySelector("[data-raccourcis]"));
  if (raccourcis) {
    raccourcis.hidden = false;
    for (const bouton of raccourcis.querySelectorAll("button")) {
      bouton.addEventListener("click", () => {
        for (const entree of table.querySelectorAll(`input[value="${bouton.dataset.groupe}"]`)) {
          /** @type {HTMLInputElement} */ (entree).checked = true;
        }
        dire();
      });
    }
  }
  dire();
}
