/**
 * Composer of what-if lines: shows the fields that an action needs and writes its line at the end of the text area.
 * Without this script the lines are typed; the server reads and checks the same text.
 */

/**
 * @param {HTMLFieldSetElement} cadre
 */
function installer(cadre) {
  const texte = /** @type {HTMLTextAreaElement} */ (document.getElementById(cadre.dataset.essai ?? ""));
  const action = /** @type {HTMLSelectElement} */ (cadre.querySelector("[data-champ=action]"));
  const dit = /** @type {HTMLElement} */ (cadre.querySelector("[data-dit]"));

  /** Names of the fields of the chosen action, in the order of the line. @returns {string[]} */
  const voulus = () => (action.selectedOptions[0]?.dataset.champs ?? "").split(" ");

  /** @param {string} nom @returns {HTMLInputElement | HTMLSelectElement} */
  const champ = (nom) => /** @type {HTMLInputElement | HTMLSelectElement} */ (cadre.querySelector(`[data-champ=${nom}]`));

  function montrer() {
    const noms = voulus();
    for (const bloc of cadre.querySelectorAll("[data-bloc]")) {
      const element = /** @type {HTMLElement} */ (bloc);
      element.hidden = !noms.includes(element.dataset.bloc ?? "");
    }
    dit.textContent = "";
  }

  function ajouter() {
    const valeurs = voulus().map((nom) => champ(nom).value.replaceAll(";", ",").trim());
    const vide = voulus().findIndex((nom, rang) => nom !== "capacite" && !valeurs[rang]);
    if (vide >= 0) {
      const manquant = champ(voulus()[vide]);
      dit.textContent = `À remplir : ${manquant.labels?.[0]?.textContent ?? ""}.`;
      manquant.focus();
      return;
    }
    while (valeurs.at(-1) === "") valeurs.pop();
    const debut = texte.value.trimEnd();
    texte.value = `${debut}${debut ? "\n" : ""}${[action.value, ...valeurs].join(" ; ")}\n`;
    texte.dispatchEvent(new Event("input", { bubbles: true }));
    dit.textContent = "Ligne ajoutée.";
  }

  action.addEventListener("change", montrer);
  cadre.querySelector("[data-ajouter]")?.addEventListener("click", ajouter);
  // Enter in a field adds the line instead of sending the whole form.
  cadre.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && e.target instanceof HTMLInputElement) {
      e.preventDefault();
      ajouter();
    }
  });
  montrer();
  cadre.hidden = false;
}

for (const cadre of document.querySelectorAll("[data-essai]")) installer(/** @type {HTMLFieldSetElement} */ (cadre));
