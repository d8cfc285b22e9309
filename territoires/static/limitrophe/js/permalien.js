/**
 * The view in the address: #zoom/latitude/longitude/couche,couche/regime
 *
 * @typedef {{zoom: number, lat: number, lng: number, couches: string[] | null, regime: string}} Vue
 */

/** @param {string} ancre @returns {Vue | null} Null where the anchor is no view. */
export function lireVue(ancre) {
  const [zoom, lat, lng, couches, regime] = decodeURIComponent(ancre.replace(/^#/, "")).split("/");
  const vue = { zoom: Number(zoom), lat: Number(lat), lng: Number(lng) };
  if (!zoom || !lat || !lng || !Object.values(vue).every(Number.isFinite) || Math.abs(vue.lat) > 85) return null;
  return { ...vue, couches: couches === undefined ? null : couches.split(",").filter(Boolean), regime: regime ?? "" };
}

/** @param {Vue} vue @returns {string} */
export function ecrireVue(vue) {
  const places = Math.max(0, Math.ceil(Math.log2(2 ** vue.zoom / 40) * 0.31) + 1);
  const morceaux = [vue.zoom, vue.lat.toFixed(places), vue.lng.toFixed(places), (vue.couches ?? []).join(","), vue.regime];
  return `#${morceaux.join("/").replace(/\/$/, "")}`;
}

/**
 * Keep the address in step with the map, without filling the history.
 *
 * @param {any} carte Leaflet map.
 * @param {() => {couches: string[], regime: string} | null} etat Null while the layers are not all known.
 * @returns {() => void} To be called when layers change.
 */
export function suivreVue(carte, etat) {
  const noter = () => {
    const courant = etat();
    if (courant === null) return;
    const { lat, lng } = carte.getCenter();
    history.replaceState(null, "", ecrireVue({ zoom: carte.getZoom(), lat, lng, ...courant }));
  };
  carte.on("moveend", noter);
  return noter;
}
