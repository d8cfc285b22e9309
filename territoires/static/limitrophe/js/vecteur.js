/**
 * Roads, territories and names, drawn from our own vector tiles by protomaps-leaflet.
 */

import { echapper } from "./configuration.js";
import { BORD_ROUTE, ROUTES, TERRITOIRES, hachures, selonZoom } from "./styles.js";

/** @typedef {import("./configuration.js").Configuration} Configuration */

/** Layers of the tiles that can be switched, in the order of the panel. */
export const COUCHES_VECTORIELLES = ["limites", "zones", "epci", "communes", "noms", "routes", "passages"];

const POLICE = '"Liberation Sans", "DejaVu Sans", system-ui, sans-serif';

/**
 * @param {string} couche @param {import("./styles.js").Trait} trait
 * @param {{filtre?: (z: number, f: any) => boolean, source?: string}} [options]
 */
function ligne(couche, trait, { filtre, source = "territoires" } = {}) {
  return {
    dataSource: source,
    dataLayer: couche,
    filter: filtre,
    symbolizer: new protomapsL.LineSymbolizer({
      color: trait.couleur,
      width: selonZoom(trait.largeurs),
      dash: trait.tirets,
      lineJoin: "round",
      lineCap: trait.tirets ? "butt" : "round",
    }),
  };
}

/** Rules of the roads: borders first, then fills, the least class first. */
function reglesRoutes() {
  const classes = Object.keys(ROUTES).map(Number).sort((a, b) => b - a);
  const de = (classe) => (_zoom, f) => f.props.classe === classe;
  const bords = classes
    .filter((c) => ROUTES[c].bord)
    .map((c) => {
      const largeur = selonZoom(ROUTES[c].largeurs);
      return {
        dataSource: "routes",
        dataLayer: "troncons",
        minzoom: 11,
        filter: de(c),
        symbolizer: new protomapsL.LineSymbolizer({
          color: BORD_ROUTE,
          width: (zoom) => largeur(zoom) + 1.2,
          lineJoin: "round",
          lineCap: "round",
        }),
      };
    });
  const traits = classes.map((c) => ligne("troncons", ROUTES[c], { filtre: de(c), source: "routes" }));
  return [...bords, ...traits];
}

/** @param {Set<string>} visibles @param {boolean} avecRoutes */
function reglesDessin(visibles, avecRoutes) {
  const { zone, passage } = TERRITOIRES;
  const entreEpci = (_zoom, f) => f.props.genre === "epci";
  const entreDepartements = (_zoom, f) => f.props.genre !== "epci";
  const regles = [
    {
      dataSource: "territoires",
      dataLayer: "departements",
      symbolizer: new protomapsL.PolygonSymbolizer({ fill: TERRITOIRES.fond }),
    },
  ];
  if (visibles.has("zones")) {
    regles.push(
      { dataSource: "territoires", dataLayer: "zones", symbolizer: new protomapsL.PolygonSymbolizer({ pattern: hachures(zone.couleur) }) },
      ligne("zones", zone),
    );
  }
  if (visibles.has("communes")) regles.push(ligne("communes", TERRITOIRES.commune));
  if (visibles.has("epci")) {
    regles.push(ligne("epci", TERRITOIRES.epci), ligne("limites", TERRITOIRES.limiteEpci, { filtre: entreEpci }));
  }
  if (visibles.has("routes") && avecRoutes) regles.push(...reglesRoutes());
  if (visibles.has("limites")) {
    const halo = { couleur: "#ffffff", largeurs: TERRITOIRES.limite.largeurs.map(([z, l]) => [z, l + 2.5]) };
    regles.push(
      ligne("departements", TERRITOIRES.departement),
      ligne("limites", halo, { filtre: entreDepartements }),
      ligne("limites", TERRITOIRES.limite, { filtre: entreDepartements }),
    );
  }
  if (visibles.has("passages") && avecRoutes) {
    regles.push({
      dataSource: "routes",
      dataLayer: "passages",
      symbolizer: new protomapsL.CircleSymbolizer({
        radius: selonZoom(passage.rayon),
        fill: passage.couleur,
        stroke: passage.bord,
        width: 2,
      }),
    });
  }
  return regles;
}

/** @param {Set<string>} visibles @param {boolean} avecRoutes */
function reglesTextes(visibles, avecRoutes) {
  const regles = [];
  if (visibles.has("noms")) {
    regles.push(
      {
        dataSource: "territoires",
        dataLayer: "noms",
        filter: (_zoom, f) => f.props.genre === "departement",
        symbolizer: new protomapsL.CenteredTextSymbolizer({
          labelProps: ["nom"],
          font: `600 15px ${POLICE}`,
          fill: "#4b2a7b",
          stroke: "#ffffff",
          width: 4,
        }),
      },
      {
        dataSource: "territoires",
        dataLayer: "noms",
        filter: (_zoom, f) => f.props.genre === "commune",
        sort: (a, b) => (b.population ?? 0) - (a.population ?? 0),
        symbolizer: new protomapsL.CenteredTextSymbolizer({
          labelProps: ["nom"],
          font: (_zoom, f) => `${(f?.props.population ?? 0) >= 20000 ? "600 14px" : "12px"} ${POLICE}`,
          fill: "#1c2629",
          stroke: "#ffffff",
          width: 3,
        }),
      },
    );
  }
  if (visibles.has("routes") && avecRoutes) {
    const etiquette = (labelProps, taille) =>
      new protomapsL.LineLabelSymbolizer({
        labelProps,
        font: `${taille}px ${POLICE}`,
        fill: "#40331f",
        stroke: "#ffffff",
        width: 3,
        position: 2,
        repeatDistance: 300,
      });
    regles.push(
      { dataSource: "routes", dataLayer: "troncons", minzoom: 10, filter: (z, f) => f.props.classe <= (z < 12 ? 2 : 3), symbolizer: etiquette(["ref"], 11) },
      { dataSource: "routes", dataLayer: "troncons", minzoom: 13, filter: (_z, f) => f.props.classe > 3, symbolizer: etiquette(["ref", "nom"], 11) },
    );
  }
  return regles;
}

/**
 * The layer, with a method that changes what it shows.
 *
 * @param {Configuration} config
 * @param {Set<string>} visibles
 * @returns {any} A Leaflet layer with ``montrer(visibles)`` and ``sous(latlng)``.
 */
export function creerVecteur(config, visibles) {
  const sources = { territoires: { url: config.territoires, maxDataZoom: config.zoomDonnees } };
  if (config.reseau) sources.routes = { url: config.reseau.tuiles, maxDataZoom: config.zoomDonnees };
  const avecRoutes = Boolean(config.reseau);
  const credits = ["Territoires : IGN, INSEE (Licence Ouverte)"];
  if (config.reseau) credits.push(`Routes : ${config.reseau.attribution || config.reseau.nom}${config.reseau.fictif ? " (fictif)" : ""}`);
  const couche = protomapsL.leafletLayer({
    sources,
    paintRules: reglesDessin(visibles, avecRoutes),
    labelRules: reglesTextes(visibles, avecRoutes),
    attribution: credits.map(echapper).join(" | "),
    lang: "fr",
    tileDelay: 1,
  });
  couche.credits = credits;

  couche.montrer = (/** @type {Set<string>} */ nouveaux) => {
    couche.paintRules = reglesDessin(nouveaux, avecRoutes);
    couche.labelRules = reglesTextes(nouveaux, avecRoutes);
    couche.clearLayout();
    couche.rerenderTiles();
  };

  /** Features of the tiles within some pixels of a place: pairs (layer, properties). */
  couche.sous = (/** @type {{lat: number, lng: number}} */ lieu) => {
    const trouves = [];
    for (const prises of couche.queryTileFeaturesDebug(lieu.lng, lieu.lat, 14).values()) {
      for (const prise of prises) trouves.push({ couche: prise.layerName, props: prise.feature.props });
    }
    return trouves;
  };
  return couche;
}
