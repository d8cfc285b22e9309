"""From open levels and flows to a `Solution`: flows of least minutes, parts of the objective, words. Pure module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Bilan, PointTrace, Statut
from territoires.empreinte import input_hash
from territoires.nombres import nombre, pourcent

from .probleme import (
    F64,
    I32,
    TOLERANCE_MINUTES,
    Capacites,
    Etat,
    Modele,
    Problem,
    may_open,
    weights,
)
from .resultat import Parties, Solution
from .vue import Vue, make_vue

#: Difference, relative to the larger of 1 and the objective, below which a bound proves an answer.
PREUVE = 1e-6
#: A share below this is nobody.
RIEN = 1e-9

#: Relative excess granted to a rule in what the solver looks at again, half of what the checker grants: where demands
#: are whole, and where they are shared.
JEU, JEU_PARTAGE = 5e-10, 5e-7

_COUVERTURES = (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)


@dataclass(frozen=True, eq=False)
class Flux:
    """Flows (k,): demand, level, share, sorted by demand then level."""

    demande: I32
    niveau: I32
    part: F64


def nearest_flows(problem: Problem, niveaux: NDArray[np.integer]) -> Flux:
    """Every demand to its nearest open level (ties: least index), as `accueil.probleme` says for AUCUNE."""
    ouverts = np.sort(np.asarray(niveaux, dtype=np.int64))
    if not len(ouverts):
        return Flux(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    minutes = problem.minutes[:, problem.niveau_site[ouverts]].astype(np.float64) + problem.attente[ouverts]
    if problem.minutes_max is not None:
        minutes[minutes > problem.minutes_max + TOLERANCE_MINUTES] = np.inf
    choix = np.argmin(minutes, axis=1)
    moindre = minutes[np.arange(len(minutes)), choix]
    servi = np.isfinite(moindre)
    if problem.modele not in _COUVERTURES and problem.minutes_non_servi is not None:
        servi &= moindre <= problem.minutes_non_servi
    demande = np.flatnonzero(servi)
    return Flux(demande.astype(np.int32), ouverts[choix[servi]].astype(np.int32), np.ones(len(demande)))


def sorted_flows(demande: NDArray[np.integer], niveau: NDArray[np.integer], part: F64) -> Flux:
    """Flows in order, without those of nobody; shares of a demand that add up to one but for rounding do so."""
    garde = part > RIEN
    demande, niveau, part = demande[garde], niveau[garde], np.minimum(part[garde], 1.0)
    ordre = np.lexsort((niveau, demande))
    demande, niveau, part = demande[ordre], niveau[ordre], part[ordre]
    if len(demande):
        somme = np.bincount(demande, weights=part)
        plein = np.abs(somme - 1.0) < 1e-5
        part = np.where(plein[demande], part / np.where(somme > 0, somme, 1.0)[demande], part)
    return Flux(demande.astype(np.int32), niveau.astype(np.int32), part)


def parts_of(problem: Problem, niveaux: NDArray[np.integer], flux: Flux) -> Parties:
    """What the objective is made of."""
    poids = weights(problem)
    actif = poids > 0
    minutes = problem.minutes[flux.demande, problem.niveau_site[flux.niveau]].astype(np.float64)
    minutes += problem.attente[flux.niveau]
    servi = np.bincount(flux.demande, weights=flux.part, minlength=problem.n_demandes)
    manque = np.where(actif & (servi < 1 - 1e-6), 1.0 - servi, 0.0)
    total = float((poids[flux.demande] * flux.part) @ minutes)
    rayon = float(minutes[actif[flux.demande]].max(initial=0.0))
    if manque.any():
        prix = np.inf if problem.minutes_non_servi is None else problem.minutes_non_servi
        total += float(poids @ manque) * prix
        rayon = max(rayon, prix)
    non_couvert = pire = None
    if problem.seuil is not None:
        couvre = minutes <= problem.seuil + TOLERANCE_MINUTES
        couvert = np.bincount(flux.demande[couvre], weights=flux.part[couvre], minlength=problem.n_demandes)
        manquant = poids * np.maximum(0.0, 1.0 - couvert)
        non_couvert = float(manquant.sum())
        par_groupe = np.bincount(problem.demande_groupe, weights=poids, minlength=len(problem.groupes))
        hors = np.bincount(problem.demande_groupe, weights=manquant, minlength=len(problem.groupes))
        pese = par_groupe > 0
        pire = float((1.0 - hors[pese] / par_groupe[pese]).min(initial=1.0))
    ouverts = np.asarray(niveaux, dtype=np.int64)
    return Parties(
        minutes=total,
        non_couvert=non_couvert,
        rayon=rayon,
        sites=len(ouverts),
        cout_ouverture=float(problem.cout_ouverture[ouverts].sum()),
        cout_annuel=float(problem.cout_annuel[ouverts].sum()),
        pire_part=pire,
    )


def objective(problem: Problem, parties: Parties, modele: Modele | None = None) -> float:
    """What the model (by default the problem's) minimises; see `accueil.probleme`."""
    modele = modele or problem.modele
    if modele is Modele.CENTRE:
        return parties.rayon
    total = problem.poids_ouverture * parties.cout_ouverture + problem.poids_annuel * parties.cout_annuel
    if problem.equite_poids > 0 and parties.pire_part is not None:
        total += problem.equite_poids * (1.0 - parties.pire_part)
    if modele is Modele.COUVERTURE_MAX:
        return total + (parties.non_couvert or 0.0)
    if modele is Modele.COUVERTURE_TOTALE:
        return total + parties.sites
    return total + parties.minutes


def proven(cout: float, borne: float) -> bool:
    """True when the bound proves the answer."""
    return cout - borne <= PREUVE * max(1.0, abs(cout))


def make_solution(
    problem: Problem,
    niveaux: NDArray[np.integer],
    borne: float | None,
    *,
    seed: int,
    flux: Flux | None = None,
    rayon_borne: float | None = None,
    iterations: int = 0,
    trace: Sequence[PointTrace] = (),
    remarques: Sequence[str] = (),
) -> Solution:
    """The answer with these levels open; ``flux`` None = nearest ones. Its status follows from the bounds."""
    ouverts = np.sort(np.asarray(niveaux, dtype=np.int32))
    flux = nearest_flows(problem, ouverts) if flux is None else flux
    parties = parts_of(problem, ouverts, flux)
    cout = objective(problem, parties)
    statut = Statut.REALISABLE
    prouvee: Decimal | None = None
    if borne is not None and np.isfinite(borne):
        borne = min(borne, cout)
        optimal = proven(cout, borne)
        if problem.modele is Modele.CENTRE_PUIS_MEDIANE:
            optimal = optimal and rayon_borne is not None and proven(parties.rayon, rayon_borne)
        statut = Statut.OPTIMAL if optimal else Statut.REALISABLE
        prouvee = min(_decimal(borne, down=True), _decimal(cout))
    souhaits = broken_wishes(problem, ouverts, flux, parties)
    bilan = Bilan(
        cost=_decimal(cout),
        bound=prouvee,
        status=statut,
        seed=seed,
        iterations=iterations,
        trace=tuple(trace),
        remarks=(*remarques, *souhaits),
    )
    return Solution(
        bilan=bilan,
        modele=problem.modele,
        empreinte=input_hash(problem),
        niveaux=ouverts,
        demande=flux.demande,
        niveau=flux.niveau,
        part=flux.part,
        parties=parties,
        rayon_borne=None if rayon_borne is None else min(rayon_borne, parties.rayon),
        souhaits=souhaits,
    )


def no_solution(
    problem: Problem, causes: Sequence[str], relaxations: Sequence[str], *, seed: int, impossible: bool
) -> Solution:
    """The answer when nothing is feasible (``impossible``), or when nothing was found in time."""
    rien = np.zeros(0, dtype=np.int32)
    manque = parts_of(problem, rien, Flux(rien, rien, np.zeros(0)))
    bilan = Bilan(
        cost=Decimal("Infinity"),
        bound=None,
        status=Statut.IRREALISABLE,
        seed=seed,
        remarks=(*causes, *relaxations),
        trace=(),
    )
    return Solution(
        bilan=bilan,
        modele=problem.modele,
        empreinte=input_hash(problem),
        niveaux=rien,
        demande=rien,
        niveau=rien,
        part=np.zeros(0),
        parties=manque,
        relaxations=tuple(relaxations),
        impossible=impossible,
    )


def _decimal(valeur: float, *, down: bool = False) -> Decimal:
    exact = Decimal(repr(valeur))
    # Nine digits after the point: less than any tolerance, and a proven bound never rounds up.
    pas = Decimal("1e-9")
    return exact.quantize(pas, rounding=ROUND_FLOOR) if down else exact.quantize(pas)


def broken_wishes(problem: Problem, niveaux: I32, flux: Flux, parties: Parties) -> tuple[str, ...]:
    """What was wished and is not, in French: existing sites that close, access, who stays far."""
    phrases: list[str] = []
    ouverts = set(problem.niveau_site[niveaux].tolist())
    phrases += [
        f"Le site existant « {problem.site_nom[site]} » ferme."
        for site in np.flatnonzero(problem.etat == Etat.EXISTANT)
        if int(site) not in ouverts
    ]
    if problem.pmr_exige:
        phrases += [
            f"Le site « {problem.site_nom[site]} » n'est pas accessible aux personnes à mobilité réduite."
            for site in sorted(ouverts)
            if not problem.pmr[site]
        ]
    poids = weights(problem)
    total = float(poids.sum())
    if problem.seuil is not None and parties.non_couvert is not None and parties.non_couvert > 1e-6 * max(1.0, total):
        phrases.append(
            f"{pourcent(parties.non_couvert / total)} de la demande (poids {nombre(parties.non_couvert, 1)}) reste à"
            f" plus de {nombre(problem.seuil, 1)} min d'un site qui l'accueille."
        )
    servi = np.bincount(flux.demande, weights=flux.part, minlength=problem.n_demandes)
    sans = (poids > 0) & (servi < 1 - 1e-6)
    if sans.any() and (problem.modele not in _COUVERTURES or problem.capacites is Capacites.AUCUNE):
        poids_sans = float(poids[sans] @ (1.0 - servi[sans]))
        points = int(sans.sum())
        sujet = "1 point de demande n'est" if points == 1 else f"{nombre(points)} points de demande ne sont"
        phrases.append(f"{sujet} servi{'s' if points > 1 else ''} par aucun site (poids {nombre(poids_sans, 1)}).")
    return tuple(phrases)


def satisfies(problem: Problem, niveaux: NDArray[np.integer], flux: Flux, vue: Vue | None = None) -> bool:
    """Whether these levels and flows respect every rule (the solver's own look at what comes from elsewhere); ``vue``:
    the problem as read, where it is at hand."""
    ouverts = np.asarray(niveaux, dtype=np.int64)
    sites = problem.niveau_site[ouverts]
    if not may_open(problem)[ouverts].all() or len(np.unique(sites)) != len(sites):
        return False
    if not np.isin(np.flatnonzero(problem.etat == Etat.REQUIS), sites).all() or len(sites) < problem.sites_min:
        return False
    parties = parts_of(problem, ouverts, flux)
    plafonds = (
        (parties.sites, problem.sites_max),
        (parties.cout_ouverture, problem.budget_ouverture),
        (parties.cout_annuel, problem.budget_annuel),
    )
    if any(plafond is not None and valeur > plafond * (1 + 1e-12) for valeur, plafond in plafonds):
        return False
    minima = problem.sites_min_groupe
    if minima is not None:
        groupe = problem.site_groupe[sites]
        if (np.bincount(groupe[groupe >= 0], minlength=len(minima)) < minima).any():
            return False
    return np.isfinite(objective(problem, parties)) and _flows_allowed(vue or make_vue(problem), ouverts, flux)


def _flows_allowed(vue: Vue, ouverts: NDArray[np.int64], flux: Flux) -> bool:
    problem = vue.probleme
    # Where demands are shared, what a linear program leaves on a row; else what adding in another order does.
    jeu = JEU_PARTAGE if problem.capacites is Capacites.PARTAGEE else JEU
    rang_d = np.full(problem.n_demandes, -1)
    rang_d[vue.demande] = np.arange(vue.n)
    rang_n = np.full(problem.n_niveaux, -1)
    rang_n[vue.niveau] = np.arange(vue.m)
    actif = rang_d[flux.demande] >= 0
    i, j, part = rang_d[flux.demande[actif]], rang_n[flux.niveau[actif]], flux.part[actif]
    if not np.isin(flux.niveau, ouverts).all() or not np.isfinite(vue.minutes[i, j]).all():
        return False
    if problem.capacites is Capacites.UNIQUE and ((part != 1).any() or len(np.unique(i)) < len(i)):
        return False
    if problem.capacites is not Capacites.AUCUNE:
        if not actif.all():
            return False
        charge = np.bincount(j, weights=vue.volume[i] * part, minlength=vue.m)
        if (charge > vue.capacite + jeu * np.maximum(1.0, vue.capacite)).any():
            return False
    couvert = np.bincount(i, weights=part * vue.couvre[i, j], minlength=vue.n)
    hors = np.maximum(0.0, 1.0 - couvert)
    for dans, reste in vue.parts:
        if reste <= 0 and (hors[dans] > jeu).any():
            return False
        if vue.poids[dans] @ hors[dans] > reste + jeu * vue.poids[dans].sum():
            return False
    return True
