/**
 * Which features of the layers of operations lie at a place of the map: points and lines near it, surfaces around it.
 */

const PIXELS_POINT = 10;
const PIXELS_LIGNE = 7;

/**
 * @param {any} carte Leaflet map.
 * @param {any[]} features GeoJSON.
 * @param {{lat: number, lng: number}} lieu
 * @returns {any[]}
 */
export function trouver(carte, features, lieu) {
  const ici = carte.latLngToContainerPoint(lieu);
  const pixel = (/** @type {number[]} */ [lng, lat]) => carte.latLngToContainerPoint([lat, lng]);
  return features.filter(({ geometry }) => {
    if (!geometry) return false;
    const { type, coordinates } = geometry;
    switch (type) {
      case "Point":
        return pixel(coordinates).distanceTo(ici) <= PIXELS_POINT;
      case "LineString":
        return presDe(ici, coordinates.map(pixel));
      case "MultiLineString":
        return coordinates.some((l) => presDe(ici, l.map(pixel)));
      case "Polygon":
        return dans(lieu, coordinates);
      case "MultiPolygon":
        return coordinates.some((p) => dans(lieu, p));
      default:
        return false;
    }
  });
}

function presDe(ici, points) {
  return points.some((point, i) => i > 0 && L.LineUtil.pointToSegmentDistance(ici, points[i - 1], point) <= PIXELS_LIGNE);
}

/** Even-odd rule over all rings, so that holes are outside. */
function dans({ lng, lat }, anneaux) {
  let dedans = false;
  for (const anneau of anneaux) {
    for (let i = 0, j = anneau.length - 1; i < anneau.length; j = i++) {
      const [xi, yi] = anneau[i];
      const [xj, yj] = anneau[j];
      if (yi > lat !== yj > lat && lng < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) dedans = !dedans;
    }
  }
  return dedans;
}
