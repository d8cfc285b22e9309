/**
 * Printing: the map takes the shape of the sheet and its tiles are loaded before the dialogue opens.
 */

/** Drawing area of an A4 sheet in landscape with margins of 10 mm, in CSS px. */
const FEUILLE = { largeur: 1040, hauteur: 605 };
const ATTENTE_MAX_MS = 5000;

/**
 * @param {any} carte Leaflet map.
 * @param {{charge: () => Promise<void>}} vecteur Whose tiles must be there.
 */
export async function imprimer(carte, vecteur) {
  const cadre = carte.getContainer().parentElement;
  const vue = carte.getBounds();
  cadre.style.width = `${FEUILLE.largeur}px`;
  cadre.style.height = `${FEUILLE.hauteur}px`;
  carte.invalidateSize({ animate: false });
  carte.fitBounds(vue, { animate: false });
  await Promise.race([vecteur.charge(), new Promise((resolve) => setTimeout(resolve, ATTENTE_MAX_MS))]);
  const remettre = () => {
    cadre.style.width = cadre.style.height = "";
    carte.invalidateSize({ animate: false });
    carte.fitBounds(vue, { animate: false });
  };
  window.addEventListener("afterprint", remettre, { once: true });
  window.print();
}
