"""From the database to the problem of one block: what a study reads, then the rows of a block.

A study is read once a run and process: every coalition of a run sees the same data, and the matrix of times, common to
all blocks, is computed once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.graphe import Poids
from geodata.graphe_cache import load_graphe
from geodata.longueurs import times_and_lengths
from geodata.models import Reseau
from geodata.temps import INF_MS, Accroches, snap
from territoires.etudes import partition_of
from territoires.models import Collectivite, Etude, PassageEtude
from territoires.nombres import nombre
from territoires.operation import DonneesInsuffisantes

from .acces import Acces, Regle
from .changements import change
from .lecture import quote, read_centres, read_points, read_rules
from .modifications import ModificationsInvalides, parse
from .parametres import Parametres
from .probleme import EXTERIEUR, F32, F64, B, Problem, validate

#: Studies kept by a process.
ETUDES_GARDEES = 2
#: Access to the road, metres, from which it is counted in the remarks.
LOIN_M = 1000.0


@dataclass(frozen=True, eq=False)
class Lecture:
    """All that a study reads: a problem of all its collectivités together, and what access depends on."""

    problem: Problem
    acces: Acces
    regles: tuple[Regle, ...]
    regles_base: tuple[Regle, ...]
    seul: B
    parts: F64
    #: Whole capacity and fixed cost of each centre, before any block takes its part.
    capacite: F64
    cout_fixe: F64
    remarques_points: tuple[tuple[int, str], ...]


class _Cache:
    """Studies read for a run that is going on."""

    def __init__(self) -> None:
        self._lectures: OrderedDict[tuple[int, int], Lecture] = OrderedDict()
        self._verrou = threading.Lock()

    def get(self, etude: Etude) -> Lecture:
        passage = (
            PassageEtude.objects.filter(etude=etude)
            .exclude(etat__in=PassageEtude.FINALS)
            .values_list("pk", flat=True)
            .first()
        )
        if passage is None:
            return read(etude)
        with self._verrou:
            cle = (etude.pk, passage)
            if cle not in self._lectures:
                self._lectures[cle] = read(etude)
                while len(self._lectures) > ETUDES_GARDEES:
                    self._lectures.popitem(last=False)
            self._lectures.move_to_end(cle)
            return self._lectures[cle]


_cache = _Cache()


def build_problem(etude: Etude, bloc: frozenset[str]) -> Problem:
    """The problem of one block (codes of collectivités): its own points, its own centres, and those that a rule or a
    shared EPCI opens to some of its inhabitants. Raises `DonneesInsuffisantes`."""
    problem = block_of(_cache.get(etude), bloc)
    # Of a coalition that belongs to no regime, cost sharing asks the cost alone.
    return problem if len(bloc) == 1 or bloc in partition_of(etude) else replace(problem, detaille=False)


def block_of(lecture: Lecture, bloc: frozenset[str]) -> Problem:
    """The rows of a block. Raises `DonneesInsuffisantes` for an unknown code or a block where nobody lives."""
    tout, acces = lecture.problem, lecture.acces
    inconnus = sorted(bloc - set(tout.groupes))
    if inconnus or not bloc:
        raise DonneesInsuffisantes(f"Collectivité absente de l'étude : {', '.join(inconnus) or 'aucune demandée'}.")
    dedans = np.array([code in bloc for code in tout.groupes])
    autorise = acces.allowed(dedans, lecture.regles)
    autorise_base = acces.allowed(dedans, lecture.regles_base)
    p = np.flatnonzero(dedans[acces.point_groupe])
    if not len(p):
        noms = ", ".join(nom for nom, ici in zip(tout.noms, dedans, strict=True) if ici)
        raise DonneesInsuffisantes(f"Aucune commune de la zone dans : {noms}.")
    propre = np.where(acces.centre_groupe >= 0, dedans[acces.centre_groupe], False)
    utile = (autorise | autorise_base | lecture.seul)[p].any(axis=0)
    c = np.flatnonzero(propre | utile)
    rang = np.full(len(dedans) + 1, EXTERIEUR, dtype=np.int16)
    rang[:-1][dedans] = np.arange(dedans.sum())
    couple = np.ix_(p, c)
    seuls = [
        acces.capacity(np.arange(len(dedans)) == g, lecture.capacite, lecture.parts) for g in np.flatnonzero(dedans)
    ]
    problem = replace(
        tout,
        groupes=_take(tout.groupes, np.flatnonzero(dedans)),
        noms=_take(tout.noms, np.flatnonzero(dedans)),
        point_code=_take(tout.point_code, p),
        point_nom=_take(tout.point_nom, p),
        point_commune=_take(tout.point_commune, p),
        point_epci=_take(tout.point_epci, p),
        point_epci_nom=_take(tout.point_epci_nom, p),
        point_groupe=rang[acces.point_groupe[p]],
        population=tout.population[p],
        visites=tout.visites[p],
        point_x=tout.point_x[p],
        point_y=tout.point_y[p],
        centre_code=_take(tout.centre_code, c),
        centre_nom=_take(tout.centre_nom, c),
        proprietaire=_take(tout.proprietaire, c),
        proprietaire_nom=_take(tout.proprietaire_nom, c),
        centre_groupe=rang[acces.centre_groupe[c]],
        centre_x=tout.centre_x[c],
        centre_y=tout.centre_y[c],
        cout_fixe=np.where(propre, lecture.cout_fixe, 0.0)[c],
        fictif=tout.fictif[c],
        compte=(tout.compte & propre)[c],
        capacite=acces.capacity(dedans, lecture.capacite, lecture.parts)[c],
        actif=tout.actif[c],
        actif_base=tout.actif_base[c],
        secondes=tout.secondes[couple],
        km=tout.km[couple],
        autorise=autorise[couple],
        autorise_base=autorise_base[couple],
        autorise_seul=lecture.seul[couple],
        capacite_seul=np.array(seuls)[:, c],
        remarques=_remarks(tout.remarques, lecture.remarques_points, p),
    )
    validate(problem)
    return problem


def _take(textes: tuple[str, ...], rangs: NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(textes[k] for k in rangs)


def _remarks(
    communes: tuple[str, ...], par_point: tuple[tuple[int, str], ...], p: NDArray[np.integer]
) -> tuple[str, ...]:
    """Remarks of the whole study, then those on points of the block, grouped by sentence."""
    ici = set(p.tolist())
    groupes: dict[str, list[str]] = {}
    for rang, texte in par_point:
        if rang in ici:
            nom, _, raison = texte.partition("|")
            groupes.setdefault(raison, []).append(nom)
    return communes + tuple(f"{raison} : {quote(noms)}." for raison, noms in groupes.items())


def read(etude: Etude) -> Lecture:
    """Read a study whole. Raises `DonneesInsuffisantes` naming what is missing."""
    parametres = Parametres.from_json(etude.parametres)
    zone = etude.zone
    import_id = (
        Reseau.objects.filter(pk=zone.reseau_id).values_list("import_courant", flat=True).first()
        if zone.reseau_id
        else None
    )
    if import_id is None:
        raise DonneesInsuffisantes(
            f"La zone « {zone.nom} » n'a pas de réseau routier : importez-en un et choisissez-le."
        )
    membres = list(etude.collectivites.order_by("code").only("pk", "code", "nom", "type"))
    rang = {m.pk: g for g, m in enumerate(membres)}
    remarques: list[str] = []
    lieux = read_points(etude, parametres, rang, remarques)
    try:
        changements = parse(parametres.modifications)
    except ModificationsInvalides as error:
        raise DonneesInsuffisantes(str(error)) from error
    centres = read_centres(rang, lieux, {m.centre for m in changements if m.centre}, parametres)
    regles = read_rules(centres)
    centres, ajoutees = change(centres, changements, rang, {lieu.commune for lieu in lieux}, parametres)
    # A moved centre has two rows: its rules hold at both.
    rangees: dict[int, list[int]] = {}
    for j, centre in enumerate(centres):
        rangees.setdefault(centre.pk, []).append(j)
    base = tuple(Regle(j, coll, ok) for pk, coll, ok in regles for j in rangees[pk])
    nouvelles = tuple(Regle(j, coll, ok) for pk, coll, ok in ajoutees for j in rangees[pk])

    if not any(c.actif or c.actif_base for c in centres):
        raise DonneesInsuffisantes(
            "Aucune déchetterie ouverte n'est connue pour les collectivités de l'étude : importez-en d'abord "
            "(page « Déchetteries », ou importer_dechetteries)."
        )
    graphe = load_graphe(import_id)
    poids = graphe.poids("voiture")
    points = snap(graphe, [p.x for p in lieux], [p.y for p in lieux], "voiture", parametres.accrochage_max_m)
    sites = snap(graphe, [c.x for c in centres], [c.y for c in centres], "voiture", parametres.accrochage_max_m)
    xy_points = np.array([(p.x, p.y) for p in lieux]).reshape(-1, 2)
    xy_sites = np.array([(c.x, c.y) for c in centres]).reshape(-1, 2)
    secondes, km = _matrices(poids, points, sites, xy_points, xy_sites)
    par_point = tuple((k, f"{lieux[k].nom}|Lieux mal reliés à la route ({raison})") for k, raison in points.anomalies())
    for k, raison in sites.anomalies():
        remarques.append(f"Centre {centres[k].nom} mal relié à la route : {raison}.")
    if len(points) and points.accroche.any():
        loin = points.distance_m[points.accroche]
        remarques.append(
            f"Distance des lieux à la route : {nombre(np.median(loin))} m (médiane), {nombre(loin.max())} m au plus, "
            f"{nombre((loin > LOIN_M).sum())} à plus de {nombre(LOIN_M)} m."
        )
    if (
        etude.zone.mode != "entiere"
        and parametres.perimetre == "zone"
        and any(np.isfinite(c.capacite) for c in centres)
    ):
        remarques.append(
            "La zone ne couvre pas les collectivités entières : les capacités des centres y sont comptées en entier, "
            "sans les habitants du dehors."
        )

    acces = Acces(
        groupes=np.array([m.pk for m in membres]),
        point_groupe=np.array([p.groupe for p in lieux], dtype=np.int16),
        point_departement=np.array([p.departement for p in lieux]),
        point_epci=np.array([p.epci for p in lieux]),
        population=np.array([p.population for p in lieux]),
        centre_groupe=np.array([c.groupe for c in centres], dtype=np.int16),
        proprietaire=np.array([c.proprietaire for c in centres], dtype=np.int64),
        proprietaire_epci=np.array([c.proprietaire_type == Collectivite.Type.EPCI for c in centres], dtype=np.bool_),
        interne=parametres.regle_interne,
    )
    regles_courantes = base + nouvelles
    seul = acces.alone(regles_courantes)
    population = acces.population
    d, n = len(lieux), len(centres)
    problem = Problem(
        groupes=tuple(m.code for m in membres),
        noms=tuple(m.nom for m in membres),
        point_code=tuple(p.code for p in lieux),
        point_nom=tuple(p.nom for p in lieux),
        point_commune=tuple(p.commune for p in lieux),
        point_epci=tuple(p.epci_code for p in lieux),
        point_epci_nom=tuple(p.epci_nom for p in lieux),
        point_groupe=acces.point_groupe,
        population=population,
        visites=population * parametres.couts.visites_hab_an,
        point_x=np.array([p.x for p in lieux]),
        point_y=np.array([p.y for p in lieux]),
        centre_code=tuple(c.code for c in centres),
        centre_nom=tuple(c.nom for c in centres),
        proprietaire=tuple(c.proprietaire_code for c in centres),
        proprietaire_nom=tuple(c.proprietaire_nom for c in centres),
        centre_groupe=acces.centre_groupe,
        centre_x=np.array([c.x for c in centres], dtype=np.float64),
        centre_y=np.array([c.y for c in centres], dtype=np.float64),
        cout_fixe=np.zeros(n),
        fictif=np.array([c.fictif for c in centres], dtype=np.bool_),
        compte=np.array([c.dans_perimetre for c in centres], dtype=np.bool_),
        capacite=np.full(n, np.inf),
        actif=np.array([c.actif for c in centres], dtype=np.bool_),
        actif_base=np.array([c.actif_base for c in centres], dtype=np.bool_),
        secondes=secondes,
        km=km,
        autorise=np.zeros((d, n), dtype=np.bool_),
        autorise_base=np.zeros((d, n), dtype=np.bool_),
        autorise_seul=seul,
        capacite_seul=np.full((len(membres), n), np.inf),
        couts=parametres.couts,
        modifie=bool(changements),
        remarques=tuple(remarques),
    )
    return Lecture(
        problem=problem,
        acces=acces,
        regles=regles_courantes,
        regles_base=base,
        seul=seul,
        parts=acces.outside_shares(seul),
        capacite=np.array([c.capacite for c in centres], dtype=np.float64),
        cout_fixe=np.array([c.cout_fixe if c.dans_perimetre else 0.0 for c in centres], dtype=np.float64),
        remarques_points=par_point,
    )


def _matrices(poids: Poids, points: Accroches, sites: Accroches, xy_points: F64, xy_sites: F64) -> tuple[F32, F32]:
    """Seconds and km one way (D, C), the access at both ends included; inf = unreachable.

    Two places nearer to each other than to the road (a centre beside the mairie, a network of main roads alone) are
    joined straight, at the speed of the access: nobody goes to the road and back to cross the street.
    """
    if not len(sites) or not len(points):
        vide = np.zeros((len(points), len(sites)), dtype=np.float32)
        return vide, vide
    ms, metres = times_and_lengths(poids, points, sites)
    acces_s = points.acces_s[:, None] + sites.acces_s[None, :]
    acces_m = points.distance_m[:, None] + sites.distance_m[None, :]
    joint = (ms != INF_MS) & np.isfinite(acces_m)
    with np.errstate(invalid="ignore"):
        secondes = np.where(joint, ms / 1000.0 + acces_s, np.inf)
        km = np.where(joint, (metres + acces_m) / 1000.0, np.inf)
    ecart = xy_points[:, None, :] - xy_sites[None, :, :]
    droit_m = np.hypot(ecart[..., 0], ecart[..., 1])
    droit_s = droit_m / (poids.profil.vitesse_acces_kmh / 3.6)
    droit = np.isfinite(acces_m) & (droit_m <= acces_m) & (droit_s < secondes)
    return (
        np.where(droit, droit_s, secondes).astype(np.float32),
        np.where(droit, droit_m / 1000.0, km).astype(np.float32),
    )
