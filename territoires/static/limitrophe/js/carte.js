/**
 * The shared map: puts the parts together.
 */

import { annoncer, element, lireConfiguration, nombre } from "./configuration.js";
import { PanneauCouches } from "./couches.js";
import { trouver } from "./designation.js";
import { composer, telecharger } from "./export_image.js";
import { imprimer } from "./impression.js";
import { contenu, installerInfos } from "./infos.js";
import { entreesRoutes, entreesTerritoires } from "./legende.js";
import { lireVue, suivreVue } from "./permalien.js";
import { installerRecherche } from "./recherche.js";
import { PANNEAU_POINTS, creerCoucheDonnees, fiche, formeDe, legendeDonnees, lireJson } from "./resultats.js";
import { relierTableaux, tableauDe } from "./tableau.js";
import { COUCHES_VECTORIELLES, changeLesTuiles, codeFond, creerVecteur } from "./vecteur.js";

const TITRES = {
  limites: "Limites",
  zones: "Zones limitrophes",
  epci: "EPCI",
  communes: "Communes",
  noms: "Noms des lieux",
  routes: "Routes",
  passages: "Points de passage",
};
const ETEINTES = new Set(["epci"]);
/** Metropolitan France, when nothing has been imported yet. */
const CADRE_FRANCE = [[41.3, -5.2], [51.1, 9.6]];

const config = lireConfiguration();
const vueInitiale = lireVue(location.hash);
const conteneur = document.getElementById("carte");

const carte = L.map(conteneur, { zoomControl: false, minZoom: 5, maxZoom: 18, preferCanvas: true, attributionControl: true });
carte.attributionControl.setPrefix("Leaflet");
L.control.zoom({ position: "topright", zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(carte);
L.control.scale({ imperial: false, position: "bottomleft" }).addTo(carte);

if (vueInitiale) carte.setView([vueInitiale.lat, vueInitiale.lng], vueInitiale.zoom);
else if (config.cadre) carte.fitBounds([[config.cadre[1], config.cadre[0]], [config.cadre[3], config.cadre[2]]]);
else carte.fitBounds(CADRE_FRANCE);

/** Layers of operations: code to the data and its drawing. @type {Map<string, {donnees: any, dessin: any}>} */
const donnees = new Map();
/** @type {{code: string, titre: string, couches: any[]}[]} */
let regimes = [];
let regime = vueInitiale?.regime ?? "";

const panneau = new PanneauCouches(document.getElementById("carte-couches"), () => appliquer());
const legendes = { ...entreesTerritoires(config.limitesEntre), routes: entreesRoutes(config.classes) };
for (const code of COUCHES_VECTORIELLES) {
  if (!config.reseau && (code === "routes" || code === "passages")) continue;
  panneau.ajouter({
    code,
    titre: TITRES[code],
    active: vueInitiale?.couches ? vueInitiale.couches.includes(code) : !ETEINTES.has(code),
    fictif: code === "routes" && config.reseau.fictif,
    legende: legendes[code] ?? [],
  });
}
const fonds = config.fonds.map((fond) => {
  const code = codeFond(fond.code);
  panneau.ajouter({ code, titre: fond.titre, active: vueInitiale?.couches?.includes(code) ?? false, legende: [] });
  return { code, couche: L.tileLayer(fond.url, { attribution: fond.attribution, maxZoom: fond.zoomMax, crossOrigin: "anonymous", zIndex: 0 }) };
});

const vecteur = creerVecteur(config, panneau.visibles());
vecteur.suivre((prete) => (conteneur.dataset.etat = prete ? "prete" : "chargement"));
vecteur.ajouter(carte);
carte.createPane(PANNEAU_POINTS);

let complete = false;
const noterVue = suivreVue(carte, () => (complete ? { couches: [...panneau.visibles()], regime } : null));
let dessinees = [...panneau.visibles()].filter(changeLesTuiles).join();

/** Show what the panel says. */
function appliquer() {
  const visibles = panneau.visibles();
  const vectorielles = [...visibles].filter(changeLesTuiles).join();
  if (vectorielles !== dessinees) {
    dessinees = vectorielles;
    vecteur.montrer(visibles);
  }
  for (const { code, couche } of fonds) afficher(couche, visibles.has(code));
  for (const [code, { dessin }] of donnees) afficher(dessin, visibles.has(code));
  // Points above lines, whatever was switched last.
  for (const [code, { donnees: d, dessin }] of donnees) {
    if (visibles.has(code) && formeDe(d.features) === "point") dessin.bringToFront();
  }
  noterVue();
}

/** @param {any} couche @param {boolean} oui */
function afficher(couche, oui) {
  if (oui) couche.addTo(carte);
  else couche.remove();
}

/** @param {any} couche @param {boolean} active @param {string} cadre Part of the panel it goes to. */
function ajouterDonnees(couche, active, cadre) {
  donnees.set(couche.code, { donnees: couche, dessin: creerCoucheDonnees(couche) });
  const titre = couche.origine ? `${couche.origine} : ${couche.titre}` : couche.titre;
  panneau.ajouter({ code: couche.code, titre, active, fictif: couche.fictif, legende: legendeDonnees(couche) }, document.getElementById(cadre));
  document.getElementById("tableaux-resultats").append(tableauDe(couche, titre));
}

/** @param {string} code */
function retirerDonnees(code) {
  donnees.get(code)?.dessin.remove();
  donnees.delete(code);
  panneau.retirer(code);
  document.getElementById(`tableau-${code}`)?.remove();
}

/**
 * Swap the layers of one regime for another's. What the reader had switched stays so; of the surfaces, which would
 * hide one another, only the first shows at first.
 *
 * @param {string} nouveau @param {string[] | null} voulues
 */
function choisirRegime(nouveau, voulues) {
  /** @type {Map<string, boolean>} */
  const avant = new Map();
  for (const { code } of regimes.flatMap((r) => r.couches)) {
    if (donnees.has(code)) avant.set(code, panneau.visibles().has(code));
    retirerDonnees(code);
  }
  regime = nouveau;
  document.getElementById("carte-regime").textContent = ` – ${titreRegime()}`;
  let surface = false;
  for (const couche of regimes.find((r) => r.code === nouveau)?.couches ?? []) {
    const cachee = formeDe(couche.features) === "surface" && surface;
    surface ||= formeDe(couche.features) === "surface";
    ajouterDonnees(couche, voulues ? voulues.includes(couche.code) : avant.get(couche.code) ?? !cachee, "couches-resultats");
  }
  appliquer();
}

function titreRegime() {
  return regimes.find((r) => r.code === regime)?.titre ?? "";
}

/** Codes of operations' layers, kept apart from ours and from one another. @param {any[]} couches @param {string} prefixe */
function prefixer(couches, prefixe) {
  return couches.map((couche) => ({ ...couche, code: `${prefixe}-${couche.code}` }));
}

async function chargerSites() {
  const { couches } = await lireJson(config.sites);
  // The results of a study draw its sites too.
  for (const couche of prefixer(couches, "sites")) {
    ajouterDonnees(couche, vueInitiale?.couches?.includes(couche.code) ?? !config.resultats, "couches-sites");
  }
}

async function chargerResultats() {
  if (!config.resultats) return;
  regimes = (await lireJson(config.resultats)).regimes.map((r) => ({ ...r, couches: prefixer(r.couches, "etude") }));
  const cadre = document.getElementById("carte-regimes");
  const premier = regimes.find((r) => r.code === regime) ?? regimes.at(-1);
  for (const { code, titre } of regimes) {
    const bouton = element("input", { type: "radio", name: "regime", id: `regime-${code}`, value: code, checked: code === premier.code });
    bouton.addEventListener("change", () => {
      choisirRegime(code, null);
      annoncer(`Résultats affichés : ${titre}.`);
    });
    cadre.querySelector(".regimes").append(element("div", { class: "couche" }, element("label", { for: bouton.id }, bouton, titre)));
  }
  cadre.hidden = regimes.length === 0;
  if (premier) choisirRegime(premier.code, vueInitiale?.couches ?? null);
}

/** @param {Error} erreur */
function prevenir(erreur) {
  conteneur.parentElement.append(element("p", { class: "message message-error carte-message", role: "alert" }, erreur.message));
}

installerRecherche(config.recherche, ({ nom, code, departement, population, cadre }) => {
  if (!cadre) return;
  const limites = L.latLngBounds([[cadre[1], cadre[0]], [cadre[3], cadre[2]]]);
  carte.fitBounds(limites, { maxZoom: 14, animate: false });
  const habitants = population === null ? "" : `, ${nombre(population)} habitants`;
  const fiche = element("div", {}, element("h3", {}, nom), `${code}, ${departement}${habitants}`);
  carte.openPopup(fiche, limites.getCenter(), { autoPan: false });
});
installerInfos(carte, (lieu) => {
  const visibles = panneau.visibles();
  const fiches = [...donnees]
    .filter(([code]) => visibles.has(code))
    .flatMap(([, { donnees: d }]) => trouver(carte, d.features, lieu).map((feature) => ({ d, feature })));
  // Points and lines were aimed at; a surface is merely there.
  const precises = fiches.filter(({ d }) => formeDe(d.features) !== "surface");
  return [...(precises.length ? precises : fiches.slice(0, 1)).slice(0, 3).map(({ d, feature }) => fiche(d, feature)), contenu(vecteur.sous(lieu), config.classes, visibles)];
});
relierTableaux(carte);

document.getElementById("exporter-image").addEventListener("click", async () => {
  const couches = panneau.couchesVisibles();
  const montrees = [...donnees.values()].filter(({ donnees: d }) => panneau.visibles().has(d.code));
  const toile = composer(carte, {
    titre: config.etude ? `${config.etude}${regimes.length ? ` – ${titreRegime()}` : ""}` : "Limitrophe – carte partagée",
    couches,
    credits: [...vecteur.credits, ...fonds.filter((f) => panneau.visibles().has(f.code)).map((f) => f.couche.options.attribution)],
    fictif: Boolean(config.reseau?.fictif) || montrees.some(({ donnees: d }) => d.fictif),
  });
  await telecharger(toile, "limitrophe-carte.png");
  annoncer("Image de la carte enregistrée.");
});
document.getElementById("imprimer").addEventListener("click", () => imprimer(carte, vecteur));
document.getElementById("copier-lien").addEventListener("click", async () => {
  noterVue();
  // Browsers keep the clipboard from pages that do not come over a secure connection.
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(location.href);
    annoncer("Lien de cette vue copié.");
  } else window.prompt("Lien de cette vue :", location.href);
});
window.addEventListener("hashchange", () => {
  const vue = lireVue(location.hash);
  if (!vue) return;
  carte.setView([vue.lat, vue.lng], vue.zoom);
  if (vue.couches) panneau.choisir(vue.couches);
});
// On a narrow screen the map comes first: its settings are folded.
if (window.matchMedia("(max-width: 56rem)").matches) document.getElementById("carte-reglages").removeAttribute("open");

await chargerSites().catch(prevenir);
await chargerResultats().catch(prevenir);
appliquer();
complete = true;
noterVue();
conteneur.dataset.donnees = "pretes";
