"""Zones limitrophes: which communes are in, by distance, by travel time, by hand, or all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.contrib.gis.db.models import QuerySet, Union
from django.contrib.gis.db.models.functions import PointOnSurface
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import slugify

from geodata.graphe_cache import load_graphe
from geodata.models import Reseau
from geodata.temps import nearest, snap, snap_nodes

from .franchissements import crossings
from .importation.ecriture import to_geos, to_shapely
from .importation.geometrie import union
from .models import Collectivite, Commune, Limite, ZoneLimitrophe
from .rapport import DonneesRefusees, Rapport, accord

MINIMUM, MAXIMUM = 2, 12
Mode = ZoneLimitrophe.Mode
PROFIL = "voiture"

#: Farther than this from any road, a mairie's commune is left out and told (metres). Wider than for a site: networks of
#: main roads alone pass a town at a distance, and the access counts in the time.
ACCES_MAX_M = 5_000.0


@dataclass(frozen=True)
class DemandeZone:
    """What an agent asks. Codes of collectivités and of communes; metres, seconds; ``reseau`` is a network's code.

    ``type`` is needed only where one code names collectivités of two types.
    """

    nom: str
    mode: str
    collectivites: Sequence[str]
    code: str = ""
    type: str = ""
    distance_m: float | None = None
    temps_s: float | None = None
    communes: Sequence[str] = ()
    reseau: str = ""
    fictif: bool = False


@dataclass(frozen=True)
class Selection:
    """The communes a demand gives, with the collectivité each is counted in, and what the agent should know."""

    collectivites: list[Collectivite]
    communes: list[Commune]
    #: Commune primary key -> collectivité primary key.
    cote: dict[int, int]
    reseau: Reseau | None
    remarques: list[str] = field(default_factory=list)

    def by_collectivite(self) -> dict[str, int]:
        """Number of communes by collectivité code."""
        codes = {c.pk: c.code for c in self.collectivites}
        return dict(Counter(codes[pk] for pk in self.cote.values()))


def select(demande: DemandeZone) -> Selection:
    """The communes of the zone asked, sorted by code. Nothing is written; raises `DonneesRefusees`."""
    rapport = Rapport()
    collectivites = _collectivites(demande, rapport)
    reseau = _reseau(demande, rapport)
    _check_parameters(demande, rapport)
    rapport.raise_if_errors()
    membres = members(collectivites)
    if demande.mode == Mode.ENTIERE:
        communes = list(membres)
    elif demande.mode == Mode.LISTE:
        communes = _listed(demande.communes, membres, rapport)
    else:
        _check_adjacent(collectivites, rapport)
        rapport.raise_if_errors()
        if demande.mode == Mode.DISTANCE:
            communes = _within_distance(collectivites, membres, float(demande.distance_m or 0))
        else:
            communes = _within_time(collectivites, membres, reseau, float(demande.temps_s or 0), rapport)
    rapport.raise_if_errors()
    cote = sides(collectivites, communes)
    presentes = set(cote.values())
    for collectivite in collectivites:
        if collectivite.pk not in presentes:
            rapport.error(f"aucune commune de {collectivite} ({collectivite.code}) n'est dans la zone.")
    rapport.raise_if_errors()
    return Selection(collectivites, communes, cote, reseau, [str(c) for c in rapport.warnings])


@transaction.atomic
def create_zone(demande: DemandeZone) -> tuple[ZoneLimitrophe, Selection]:
    """Write the zone asked, or compute again the one of that code. Raises `DonneesRefusees`."""
    selection = select(demande)
    code = slugify(demande.code or demande.nom)[:50]
    if not code or not demande.nom.strip():
        raise DonneesRefusees("la zone n'a pas de nom.")
    zone, _ = ZoneLimitrophe.objects.update_or_create(
        code=code,
        defaults={
            "nom": demande.nom.strip(),
            "mode": demande.mode,
            "distance_m": demande.distance_m if demande.mode == Mode.DISTANCE else None,
            "temps_s": demande.temps_s if demande.mode == Mode.TEMPS else None,
            "reseau": selection.reseau,
            "contour": to_geos(contour(selection.communes)),
            "fictif": demande.fictif or bool(selection.reseau and selection.reseau.fictif),
            "calculee_le": timezone.now(),
        },
    )
    zone.collectivites.set(selection.collectivites)
    zone.communes.set(selection.communes)
    return zone, selection


def refresh_zone(zone: ZoneLimitrophe) -> tuple[ZoneLimitrophe, Selection]:
    """Compute a zone again with its own parameters, after its territory or its network changed."""
    collectivites = list(zone.collectivites.all())
    return create_zone(
        DemandeZone(
            nom=zone.nom,
            mode=zone.mode,
            code=zone.code,
            collectivites=[c.code for c in collectivites],
            type=collectivites[0].type if collectivites else "",
            distance_m=zone.distance_m,
            temps_s=zone.temps_s,
            communes=list(zone.communes.filter(active=True).values_list("code", flat=True)),
            reseau=zone.reseau.code if zone.reseau else "",
            fictif=zone.fictif,
        )
    )


def members(collectivites: Iterable[Collectivite]) -> QuerySet[Commune]:
    """Active communes of these collectivités."""
    pks = [c.pk for c in collectivites]
    return Commune.objects.filter(Q(departement__in=pks) | Q(epci__in=pks), active=True).order_by("code")


def sides(collectivites: Iterable[Collectivite], communes: Iterable[Commune]) -> dict[int, int]:
    """Which of the collectivités each commune is counted in (primary keys)."""
    pks = {c.pk for c in collectivites}
    return {
        c.pk: c.epci_id if c.epci_id in pks else c.departement_id
        for c in communes
        if c.epci_id in pks or c.departement_id in pks
    }


def contour(communes: Iterable[Commune]) -> object:
    """Union of the communes' polygons (shapely, EPSG:2154), None where none has one."""
    return union(np.array([to_shapely(c.geom) for c in communes], dtype=object))


def _collectivites(demande: DemandeZone, rapport: Rapport) -> list[Collectivite]:
    codes = list(dict.fromkeys(code.strip() for code in demande.collectivites if code.strip()))
    if not MINIMUM <= len(codes) <= MAXIMUM:
        rapport.error(f"une zone réunit de {MINIMUM} à {MAXIMUM} collectivités ; {accord(len(codes), 'demandée')}.")
        return []
    trouvees = Collectivite.objects.filter(code__in=codes, active=True).defer("geom").order_by("type", "code")
    if demande.type:
        trouvees = trouvees.filter(type=demande.type)
    par_code: dict[str, list[Collectivite]] = {}
    for collectivite in trouvees:
        par_code.setdefault(collectivite.code, []).append(collectivite)
    for code in codes:
        if code not in par_code:
            rapport.error("collectivité absente de la base (lancez importer_territoire).", champ="code", valeur=code)
        elif len(par_code[code]) > 1:
            rapport.error("plusieurs collectivités ont ce code, précisez le type.", champ="code", valeur=code)
    choisies = [par_code[code][0] for code in codes if code in par_code]
    types = {c.type == Collectivite.Type.EPCI for c in choisies}
    if len(types) > 1:
        rapport.error("une zone réunit soit des EPCI, soit des départements (ou leurs équivalents), pas les deux.")
    return choisies


def _reseau(demande: DemandeZone, rapport: Rapport) -> Reseau | None:
    if not demande.reseau:
        if demande.mode == Mode.TEMPS:
            rapport.error("le temps de trajet demande un réseau routier.", champ="réseau")
        return None
    reseau = Reseau.objects.filter(code=demande.reseau).first()
    if reseau is None:
        rapport.error("réseau routier inconnu.", champ="réseau", valeur=demande.reseau)
    elif reseau.import_courant_id is None:
        rapport.error("ce réseau routier n'a encore aucune donnée.", champ="réseau", valeur=demande.reseau)
    return reseau


def _check_parameters(demande: DemandeZone, rapport: Rapport) -> None:
    if demande.mode not in Mode.values:
        rapport.error(f"mode inconnu (attendu : {', '.join(Mode.values)}).", champ="mode", valeur=demande.mode)
    if demande.mode == Mode.DISTANCE and not (demande.distance_m and 0 < demande.distance_m < float("inf")):
        rapport.error("une distance en mètres, positive, est attendue.", champ="distance", valeur=demande.distance_m)
    if demande.mode == Mode.TEMPS and not (demande.temps_s and 0 < demande.temps_s < float("inf")):
        rapport.error("un temps en secondes, positif, est attendu.", champ="temps", valeur=demande.temps_s)
    if demande.mode == Mode.LISTE and not demande.communes:
        rapport.error("la liste de communes est vide.", champ="communes")


def _limites(collectivites: Sequence[Collectivite]) -> QuerySet[Limite]:
    return Limite.objects.filter(collectivite_a__in=collectivites, collectivite_b__in=collectivites)


def _check_adjacent(collectivites: Sequence[Collectivite], rapport: Rapport) -> None:
    touchees = {pk for cle in _limites(collectivites).values_list("collectivite_a", "collectivite_b") for pk in cle}
    for collectivite in collectivites:
        if collectivite.pk not in touchees:
            rapport.error(f"{collectivite} ({collectivite.code}) ne touche aucune autre collectivité de la zone.")


def _within_distance(
    collectivites: Sequence[Collectivite], membres: QuerySet[Commune], distance_m: float
) -> list[Commune]:
    """Communes of which a part is within the distance of a limit between two of the collectivités."""
    trace = _limites(collectivites).aggregate(trace=Union("geom"))["trace"]
    return list(membres.filter(geom__dwithin=(trace, distance_m)))


def _within_time(
    collectivites: Sequence[Collectivite],
    membres: QuerySet[Commune],
    reseau: Reseau | None,
    temps_s: float,
    rapport: Rapport,
) -> list[Commune]:
    """Communes whose mairie is reached within the time from the nearest point de passage, by car.

    The time includes the access from the road to the mairie; a commune without mairie is taken at a point inside it.
    """
    if reseau is None or reseau.import_courant_id is None:
        return []
    points = crossings(reseau.import_courant_id, collectivites)
    if not points:
        rapport.error(f"le réseau « {reseau} » n'a aucun point de passage entre ces collectivités.")
        return []
    graphe = load_graphe(reseau.import_courant_id)
    if all(p.noeud is not None for p in points):
        sites = snap_nodes(graphe, [p.noeud for p in points])
    else:
        x, y = np.array([p.x for p in points]), np.array([p.y for p in points])
        sites = snap(graphe, x, y, PROFIL, autoroutes=True)
    communes = list(membres.annotate(lieu=Coalesce(F("mairie"), PointOnSurface("geom"))))
    places = [c for c in communes if c.lieu is not None]
    x, y = np.array([c.lieu.x for c in places]), np.array([c.lieu.y for c in places])
    mairies = snap(graphe, x, y, PROFIL, ACCES_MAX_M)
    secondes, _ = nearest(graphe, graphe.poids(PROFIL), mairies, sites, vers=False)
    loin = [str(places[k]) for k in np.flatnonzero(~mairies.accroche)]
    if loin:
        noms = f"{', '.join(loin[:10])}{'…' if len(loin) > 10 else ''}"
        rapport.warn(
            f"{accord(len(loin), 'commune')} sans route à moins de {mairies.limite_m:g} m de la mairie, hors de la "
            f"zone : {noms}."
        )
    dedans = secondes + mairies.acces_s <= temps_s
    return [c for c, oui in zip(places, dedans, strict=True) if oui]


def _listed(codes: Sequence[str], membres: QuerySet[Commune], rapport: Rapport) -> list[Commune]:
    voulus = list(dict.fromkeys(code.strip().upper() for code in codes if code.strip()))
    communes = list(membres.filter(code__in=voulus))
    if absentes := [code for code in voulus if code not in {c.code for c in communes}]:
        connues = dict(Commune.objects.filter(code__in=absentes, active=True).values_list("code", "nom"))
        for code in absentes:
            if code in connues:
                rapport.error(
                    f"{connues[code]} n'est dans aucune des collectivités de la zone.", champ="communes", valeur=code
                )
            else:
                rapport.error("code de commune inconnu.", champ="communes", valeur=code)
    return communes
