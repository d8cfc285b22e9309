/**
 * Roads, territories and names, drawn from our own vector tiles by protomaps-leaflet: one layer under the results
 * (areas, roads) and one above them (limits, points de passage, names), for the limit is what the map is about.
 */

import { echapper, marquerFictif } from "./configuration.js";
import { BORD_ROUTE, ROUTES, TERRITOIRES, hachures, selonZoom } from "./styles.js";

/** @typedef {import("./configuration.js").Configuration} Configuration */

/** Layers of the tiles that can be switched, in the order of the panel. */
export const COUCHES_VECTORIELLES = ["limites", "zones", "epci", "communes", "noms", "routes", "passages"];

const PREFIXE_FOND = "fond-";

/** Code in the panel of a background from outside. @param {string} code @returns {string} */
export function codeFond(code) {
  return PREFIXE_FOND + code;
}

/** Whether a layer is one of the panel's that tiles draw, or a background they must leave visible. @param {string} code */
export function changeLesTuiles(code) {
  return COUCHES_VECTORIELLES.includes(code) || estFond(code);
}

/** @param {string} code */
function estFond(code) {
  return code.startsWith(PREFIXE_FOND);
}

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

/** @param {Set<string>} visibles @param {boolean} avecRoutes @param {string | null} zoneChoisie Code of the hatched zone. */
function reglesDessous(visibles, avecRoutes, zoneChoisie) {
  const { zone } = TERRITOIRES;
  const regles = [];
  if (![...visibles].some(estFond)) {
    regles.push({
      dataSource: "territoires",
      dataLayer: "departements",
      symbolizer: new protomapsL.PolygonSymbolizer({ fill: TERRITOIRES.fond }),
    });
  }
  if (visibles.has("zones")) {
    regles.push(
      {
        dataSource: "territoires",
        dataLayer: "zones",
        maxzoom: 12,
        filter: (_zoom, f) => f.props.code === zoneChoisie,
        symbolizer: new protomapsL.PolygonSymbolizer({ pattern: hachures(zone.couleur) }),
      },
      ligne("zones", zone),
    );
  }
  if (visibles.has("communes")) regles.push(ligne("communes", TERRITOIRES.commune));
  if (visibles.has("epci")) regles.push(ligne("epci", TERRITOIRES.epci));
  if (visibles.has("routes") && avecRoutes) regles.push(...reglesRoutes());
  return regles;
}

/** @param {Set<string>} visibles @param {boolean} avecRoutes */
function reglesDessus(visibles, avecRoutes) {
  const { passage } = TERRITOIRES;
  const regles = [];
  if (visibles.has("epci")) regles.push(ligne("limites", TERRITOIRES.limiteEpci, { filtre: (_zoom, f) => f.props.genre === "epci" }));
  if (visibles.has("limites")) {
    const entreDepartements = (_zoom, f) => f.props.genre !== "epci";
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

/** @param {Set<string>} visibles */
function reglesNoms(visibles) {
  if (!visibles.has("noms")) return [];
  return [
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
      // Above the mairie: sites are often in the middle of towns.
      symbolizer: new protomapsL.OffsetTextSymbolizer({
        placements: [1],
        offsetY: -8,
        justify: 2,
        labelProps: ["nom"],
        font: (_zoom, f) => `${(f?.props.population ?? 0) >= 20000 ? "600 14px" : "12px"} ${POLICE}`,
        fill: "#1c2629",
        stroke: "#ffffff",
        width: 3,
      }),
    },
  ];
}

/** Numbers of the main roads, then of all, then names. @param {Set<string>} visibles @param {boolean} avecRoutes */
function reglesNumeros(visibles, avecRoutes) {
  if (!visibles.has("routes") || !avecRoutes) return [];
  const etiquette = (/** @type {string[]} */ labelProps) =>
    new protomapsL.LineLabelSymbolizer({
      labelProps,
      font: `11px ${POLICE}`,
      fill: "#40331f",
      stroke: "#ffffff",
      width: 3,
      position: 2,
      repeatDistance: 300,
    });
  return [
    {
      dataSource: "routes",
      dataLayer: "troncons",
      minzoom: 10,
      filter: (zoom, f) => f.props.classe <= (zoom < 12 ? 2 : 3),
      symbolizer: etiquette(["ref"]),
    },
    {
      dataSource: "routes",
      dataLayer: "troncons",
      minzoom: 13,
      filter: (_zoom, f) => f.props.classe > 3,
      symbolizer: etiquette(["ref", "nom"]),
    },
  ];
}

/** Pane of the layer above results. */
export const PANNEAU_DESSUS = "limites";

/**
 * The two layers as one.
 *
 * @param {Configuration} config
 * @param {Set<string>} visibles
 */
export function creerVecteur(config, visibles) {
  const avecRoutes = Boolean(config.reseau);
  const sources = { territoires: { url: config.territoires, maxDataZoom: config.zoomDonnees } };
  if (config.reseau) sources.routes = { url: config.reseau.tuiles, maxDataZoom: config.zoomDonnees };
  const credits = config.sourcesTerritoires.length ? [`Territoires : ${config.sourcesTerritoires.join(" ; ")}`] : [];
  if (config.reseau) credits.push(marquerFictif(`Routes : ${config.reseau.attribution || config.reseau.nom}`, config.reseau.fictif));
  // Twice as fine as the screen at least: printed and exported maps stay sharp.
  const commun = { sources, lang: "fr", tileDelay: 1, devicePixelRatio: Math.max(2, window.devicePixelRatio) };
  const dessous = protomapsL.leafletLayer({
    ...commun,
    attribution: credits.map(echapper).join(" | "),
    paintRules: reglesDessous(visibles, avecRoutes, config.zone),
    labelRules: reglesNumeros(visibles, avecRoutes),
  });
  const dessus = protomapsL.leafletLayer({
    ...commun,
    attribution: "",
    pane: PANNEAU_DESSUS,
    paintRules: reglesDessus(visibles, avecRoutes),
    labelRules: reglesNoms(visibles),
  });
  const couches = [dessous, dessus];

  return {
    credits,
    /** @param {any} carte */
    ajouter(carte) {
      carte.createPane(PANNEAU_DESSUS);
      for (const couche of couches) couche.addTo(carte);
    },
    /** Call back when tiles begin to load, and when all are there. @param {(prete: boolean) => void} suite */
    suivre(suite) {
      for (const couche of couches) {
        couche.on("loading", () => suite(false));
        couche.on("load", () => suite(!couches.some((c) => c.isLoading())));
      }
    },
    /** @returns {Promise<void>} Fulfilled once every tile of the view is drawn. */
    async charge() {
      for (const couche of couches) if (couche.isLoading()) await new Promise((resolve) => couche.once("load", resolve));
    },
    /** @param {Set<string>} nouveaux Codes of the layers to show. */
    montrer(nouveaux) {
      dessous.paintRules = reglesDessous(nouveaux, avecRoutes, config.zone);
      dessous.labelRules = reglesNumeros(nouveaux, avecRoutes);
      dessus.paintRules = reglesDessus(nouveaux, avecRoutes);
      dessus.labelRules = reglesNoms(nouveaux);
      for (const couche of couches) {
        couche.clearLayout();
        couche.rerenderTiles();
      }
    },
    /** Features of the tiles within some pixels of a place. @param {{lat: number, lng: number}} lieu */
    sous(lieu) {
      const trouves = [];
      for (const prises of dessous.queryTileFeaturesDebug(lieu.lng, lieu.lat, 14).values()) {
        for (const prise of prises) trouves.push({ couche: prise.layerName, props: prise.feature.props });
      }
      return trouves;
    },
  };
}
