"""Detail tables under the comparison, from stored results only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from territoires.operation import Tableau

from . import regime
from .indicateurs import BANDES_MIN, GAIN_MIN
from .resultat import Resultat

CLOISONNE, MUTUALISE = "cloisonne", "mutualise"
Regimes = Mapping[str, Sequence[Resultat]]


def tables(resultats: Regimes) -> list[Tableau]:
    """Every table; a regime that is missing gives fewer columns or tables, never an error."""
    avant, apres = resultats.get(CLOISONNE, ()), resultats.get(MUTUALISE, ())
    found = [time_bands(avant, apres), loads(avant, apres), flows(avant, apres)]
    if apres:
        found.append(contributions(apres))
    if any(r.modifie for r in apres or avant):
        found.append(changes(avant, apres))
    found.append(communes(avant, apres))
    return found


def _round(valeur: float | None, decimales: int = 0) -> float | int | None:
    if valeur is None:
        return None
    return round(valeur) if decimales == 0 else round(valeur, decimales)


def time_bands(avant: Sequence[Resultat], apres: Sequence[Resultat]) -> Tableau:
    """Inhabitants by time band, both regimes, each collectivité and all."""
    noms = {code: nom for r in (*avant, *apres) for code, nom in zip(r.groupes, r.noms, strict=True)}
    limites = [0, *BANDES_MIN]
    titres = [f"{bas} à {haut} min" for bas, haut in zip(limites, BANDES_MIN, strict=False)]
    titres[0] = f"{BANDES_MIN[0]} min ou moins"
    titres.append(f"plus de {BANDES_MIN[-1]} min")
    lignes: list[list[Any]] = []
    for code, nom in [*sorted(noms.items()), (None, "Ensemble")]:
        for titre, blocs in (("chacun de son côté", avant), ("en partageant", apres)):
            if not blocs:
                continue
            b = regime.bands(blocs, code)
            lignes.append(
                [nom, titre, *(_round(h) for h in b.habitants), _round(b.sans), _round(b.moyenne, 1), _round(b.p90, 1),
                 _round(b.maximum, 1)]
            )  # fmt: skip
    colonnes = [
        "Collectivité",
        "Régime",
        *titres,
        "sans déchetterie",
        "moyenne (min)",
        "9 sur 10 sous (min)",
        "le plus long (min)",
    ]
    return Tableau(
        "bandes",
        "Habitants par temps de trajet vers la déchetterie (aller)",
        colonnes,
        lignes,
        "En habitants, sauf les trois dernières colonnes. Temps depuis la mairie, ou depuis le point de population.",
    )


def loads(avant: Sequence[Resultat], apres: Sequence[Resultat]) -> Tableau:
    """Visits received by each centre before and after."""
    vues_avant, vues_apres = regime.centres(avant), regime.centres(apres)
    lignes = []
    for code in sorted({**vues_avant, **vues_apres}):
        a, b = vues_avant.get(code), vues_apres.get(code)
        vue = b or a
        if vue is None or not (vue.ouvert or vue.ouvert_base) or not (vue.compte or (a and a.visites) or vue.visites):
            continue
        visites = [None if v is None else _round(v.visites) for v in (a, b)]
        difference = None if a is None or b is None else _round(b.visites - a.visites)
        variation = _round(100 * (b.visites / a.visites - 1), 1) if a and b and a.visites else None
        lignes.append(
            [code, vue.nom, vue.proprietaire_nom, vue.collectivite_nom, _state(vue), _round(vue.capacite), *visites,
             difference, variation, None if vue.charge is None else _round(100 * vue.charge, 1),
             None if b is None else _round(b.voisins)]
        )  # fmt: skip
    return Tableau(
        "charges",
        "Charge des déchetteries",
        ["Code", "Déchetterie", "Propriétaire", "Collectivité", "État", "Capacité (visites/an)",
         "Visites/an, chacun de son côté", "Visites/an, en partageant", "Différence", "Différence (%)",
         "Charge en partageant (%)", "dont visites de voisins"],
        lignes,
    )  # fmt: skip


def _state(vue: regime.CentreVue) -> str:
    if vue.ouvert and vue.ouvert_base:
        etat = "ouverte"
    elif vue.ouvert:
        etat = "ouverte par l'étude"
    else:
        etat = "fermée par l'étude"
    return f"{etat} (fictif)" if vue.fictif else etat


def flows(avant: Sequence[Resultat], apres: Sequence[Resultat]) -> Tableau:
    """Visits from EPCI to EPCI (owner) before and after."""
    totaux: dict[tuple[str, str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for k, blocs in enumerate((avant, apres)):
        for f in regime.flows(blocs):
            totaux[(f.epci, f.epci_nom, f.proprietaire, f.proprietaire_nom)][k] += f.visites
    lignes = [
        [de_nom, vers_nom, _round(a), _round(b), _round(b - a)]
        for (_, de_nom, _, vers_nom), (a, b) in sorted(totaux.items())
    ]
    return Tableau(
        "flux",
        "Flux entre EPCI",
        [
            "Habitants de",
            "Déchetteries de",
            "Visites/an, chacun de son côté",
            "Visites/an, en partageant",
            "Différence",
        ],
        lignes,
        "Une commune sans EPCI compte pour sa collectivité.",
    )


def contributions(apres: Sequence[Resultat]) -> Tableau:
    """What each EPCI or owner would pay by key, and net transfers, in the shared regime."""
    lignes = []
    for c in regime.contributions(apres):
        ligne: list[Any] = [c.nom, _round(c.habitants), c.centres, _round(c.visites), _round(c.depenses)]
        for cle in regime.CLES:
            ligne += [_round(c.contributions.get(cle)), _round(c.transferts.get(cle))]
        lignes.append(ligne)
    titres = ["Propriétaire ou EPCI", "Habitants", "Déchetteries", "Visites/an de ses habitants", "Dépense (€/an)"]
    for titre in regime.CLES.values():
        titres += [f"Contribution {titre} (€/an)", f"Transfert {titre} (€/an)"]
    return Tableau(
        "contributions",
        "Contributions et transferts entre propriétaires, en partageant",
        titres,
        lignes,
        "Dépense d'exploitation mise en commun. Transfert positif : à verser aux autres ; négatif : à recevoir. "
        "Les visites reçues d'un accord avec l'extérieur de l'étude comptent chez le propriétaire.",
    )


def changes(avant: Sequence[Resultat], apres: Sequence[Resultat]) -> Tableau:
    """What the study's changes do in each regime."""
    lignes: list[list[Any]] = []
    for titre, blocs in (("chacun de son côté", avant), ("en partageant", apres)):
        if not blocs:
            continue
        sans, avec = regime.bands(blocs, scenario="base"), regime.bands(blocs)
        cout_sans, cout_avec = sum(r.cout_base or r.cout for r in blocs), sum(r.cout for r in blocs)
        lieux_sans, lieux_avec = regime.communes(blocs, "base"), regime.communes(blocs)
        gain = perte = 0.0
        for code, vue in lieux_avec.items():
            m0, m1 = lieux_sans[code].minutes, vue.minutes
            if m0 is None or m1 is None:
                gain += vue.population if m0 is None and m1 is not None else 0.0
                perte += vue.population if m1 is None and m0 is not None else 0.0
            else:
                gain += vue.population if m0 - m1 > GAIN_MIN else 0.0
                perte += vue.population if m1 - m0 > GAIN_MIN else 0.0
        lignes.append(
            [titre, _round(cout_sans), _round(cout_avec), _round(cout_avec - cout_sans), _round(sans.moyenne, 1),
             _round(avec.moyenne, 1), _round(sans.p90, 1), _round(avec.p90, 1), _round(gain), _round(perte)]
        )  # fmt: skip
    return Tableau(
        "modifications",
        "Effet des modifications essayées",
        ["Régime", "Coût sans (€/an)", "Coût avec (€/an)", "Différence (€/an)", "Temps moyen sans (min)",
         "Temps moyen avec (min)", "9 sur 10 sous, sans (min)", "9 sur 10 sous, avec (min)",
         f"Habitants gagnant plus de {GAIN_MIN:.0f} min", f"Habitants perdant plus de {GAIN_MIN:.0f} min"],
        lignes,
    )  # fmt: skip


def communes(avant: Sequence[Resultat], apres: Sequence[Resultat]) -> Tableau:
    """Each commune's centre and minutes before and after; those that gain most first."""
    vues_avant, vues_apres = regime.communes(avant), regime.communes(apres)
    lignes: list[tuple[float, list[Any]]] = []
    for code in sorted({**vues_avant, **vues_apres}):
        a, b = vues_avant.get(code), vues_apres.get(code)
        vue = b or a
        if vue is None:
            continue
        m0, m1 = (a.minutes if a else None), (b.minutes if b else None)
        gain = None if m0 is None or m1 is None else m0 - m1
        premier_centre = m0 is None and m1 is not None and a is not None
        lignes.append(
            (
                float("inf") if premier_centre else (gain or 0.0),
                [code, vue.nom, vue.epci_nom, vue.collectivite_nom, _round(vue.population), a.centre_nom if a else None,
                 _round(m0, 1), b.centre_nom if b else None, _round(m1, 1), _round(gain, 1)],
            )
        )  # fmt: skip
    lignes.sort(key=lambda item: -item[0])
    return Tableau(
        "communes",
        "Communes, avant et après",
        ["Code INSEE", "Commune", "EPCI", "Collectivité", "Habitants", "Déchetterie, chacun de son côté",
         "Minutes (aller)", "Déchetterie, en partageant", "Minutes (aller) en partageant", "Minutes gagnées"],
        [ligne for _, ligne in lignes],
        "Les communes qui gagnent le plus de temps d'abord.",
    )  # fmt: skip
