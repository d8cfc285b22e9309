"""The comparison of one finished study as a terminal shows it: figures, time bands, contributions, four questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from territoires.calcul import COUT, Indicateur
from territoires.comparaison import Ecart
from territoires.models import PassageEtude
from territoires.nombres import nombre
from territoires.noms import nom_court
from territoires.operation import Tableau
from territoires.partage import PartageImpossible
from territoires.resultats import CLOISONNE, MUTUALISE, REGIMES, SHAPLEY, Resultats

from .resultat import decode
from .tableaux import changes as what_if
from .tableaux import contributions, flows, time_bands
from .texte import paragraph, table, title

#: Rows of a detail table shown before the rest is left to the exports.
LIGNES_MAX = 30


def report(passage: PassageEtude) -> str:
    """All that is worth reading of a run. Raises `territoires.resultats.ResultatsAbsents`."""
    return "\n".join(_parts(Resultats(passage)))


def _parts(resultats: Resultats) -> Iterator[str]:
    etude = resultats.etude
    yield "\n" + title(etude.titre)
    if resultats.fictif:
        yield "Données FICTIVES, générées pour la démonstration."
    blocs = " ; ".join(" + ".join(resultats.noms[code] for code in sorted(bloc)) for bloc in resultats.partition)
    yield f"« {REGIMES[CLOISONNE]} » comparé à « {REGIMES[MUTUALISE]} » ({blocs})."
    yield "\n" + title("Comparaison", "─")
    yield _comparison(resultats)
    full = resultats.avec_solutions()
    avant, apres = ([decode(ligne.solution) for ligne in full[nom]] for nom in (CLOISONNE, MUTUALISE))
    yield "\n" + title("Habitants par temps de trajet vers la déchetterie (aller)", "─")
    yield _table(time_bands(avant, apres), titre=24, reste=12)
    if any(r.modifie for r in apres):
        effet = what_if(avant, apres)
        yield "\n" + title(effet.titre, "─")
        yield _table(effet, titre=20, reste=13)
    flux = flows(avant, apres)
    changes = [ligne for ligne in flux.lignes if ligne[4]]
    yield "\n" + title("Principaux changements de flux (visites par an)", "─")
    if changes:
        changes.sort(key=lambda ligne: -abs(ligne[4]))
        yield _table(Tableau("", "", flux.colonnes, [_shorten(ligne, 2) for ligne in changes]), lignes_max=12)
    else:
        yield "Aucun : chaque habitant a déjà sa déchetterie la plus proche de son côté de la limite."
    partage = contributions(apres)
    court = [0, 1, 2, 4, 6, 8, 10]
    yield "\n" + title("Transferts entre propriétaires selon la clé (€ par an, + à verser, − à recevoir)", "─")
    yield _table(
        Tableau(
            "",
            "",
            ["Propriétaire ou EPCI", "Habitants", "Centres", "Dépense", "Clé habitants", "Clé centres", "Clé usage"],
            [_shorten([ligne[k] for k in court], 1) for ligne in partage.lignes],
        ),
        signes={4, 5, 6},
    )
    yield "\n" + title("Qui paye quoi : contribution de chaque budget selon la clé (€ par an)", "─")
    try:
        yield _sharing(resultats)
    except PartageImpossible as error:
        yield f"Pas de partage : {error}"
    yield "\n" + title("Les quatre questions", "─")
    for reponse in resultats.synthese.reponses:
        yield f"{reponse.titre}  → {reponse.avis}"
        for phrase in reponse.phrases:
            yield paragraph(phrase, "  · ")
    yield "\n" + title("Limites et remarques", "─")
    for phrase in resultats.synthese.limites:
        yield paragraph(phrase, "  · ")


def _comparison(resultats: Resultats) -> str:
    """Every indicator for all; beside it each collectivité, or below where they are too many for a line."""
    cote_a_cote = len(resultats.codes) <= COLLECTIVITES_EN_COLONNES
    colonnes = ["Indicateur", "ensemble séparé", "ensemble partagé", "différence"]
    if cote_a_cote:
        for code in resultats.codes:
            colonnes += [f"{resultats.noms[code]} séparé", f"{resultats.noms[code]} partagé"]
    lignes = []
    for ligne in resultats.lignes:
        i = ligne.indicateur
        ecarts = [ligne.ensemble, *(ligne.par_collectivite.get(code) for code in resultats.codes)]
        if not any(e and (e.avant or e.apres) for e in ecarts):
            continue
        cellules = [_label(i), *_pair(i, ligne.ensemble), _difference(i, ligne.ensemble)]
        for ecart in ecarts[1:] if cote_a_cote else ():
            cellules += ["—", "—"] if ecart is None else _pair(i, ecart)
        lignes.append(cellules)
    texte = table(colonnes, lignes, titre=46, reste=12)
    texte += "\n▲ mieux, ▼ moins bien ; les lignes nulles partout sont omises."
    return texte if cote_a_cote else f"{texte}\n\n{_by_collectivite(resultats)}"


#: More collectivités than this go below the comparison instead of beside it.
COLLECTIVITES_EN_COLONNES = 3
#: Indicators shown then.
PRINCIPAUX = ("habitants_sans_centre", "temps_moyen", "gain_5", COUT)


def _by_collectivite(resultats: Resultats) -> str:
    choisies = [ligne for ligne in resultats.lignes if ligne.indicateur.code in PRINCIPAUX]
    colonnes = ["Collectivité"]
    for ligne in choisies:
        colonnes += [f"{_label(ligne.indicateur)} séparé", "partagé"]
    lignes = []
    for code in resultats.codes:
        cellules = [resultats.noms[code]]
        for ligne in choisies:
            ecart = ligne.par_collectivite.get(code)
            cellules += ["—", "—"] if ecart is None else _pair(ligne.indicateur, ecart)
        lignes.append(cellules)
    return table(colonnes, lignes, titre=40, reste=18)


def _label(i: Indicateur) -> str:
    return i.libelle if i.unite in i.libelle else f"{i.libelle} ({i.unite})"


def _sharing(resultats: Resultats) -> str:
    """What each budget pays by Shapley's value and by each key, €/year."""
    cles = {SHAPLEY: "Valeur de Shapley", **{code: cle.titre for code, cle in resultats.cles.items()}}
    parts = {code: {p.collectivite: p for p in resultats.partager({code: 1.0}).lignes} for code in cles}
    lignes = []
    for code in resultats.codes:
        part = parts[SHAPLEY][code]
        porte = "—" if part.porte is None else nombre(part.porte)
        gain = "—" if part.gain_total is None else nombre(part.gain_total, signe=True)
        lignes.append(
            [resultats.noms[code], nombre(part.seule), porte, *(nombre(parts[cle][code].paye) for cle in cles), gain]
        )
    colonnes = [
        "Collectivité",
        "dépense séparée",
        "dépense partagée, sans règle",
        *cles.values(),
        "gain par Shapley, habitants compris",
    ]
    return table(colonnes, lignes, titre=40, reste=20)


def _shorten(ligne: Sequence[Any], colonnes: int) -> list[Any]:
    """The row with the names of its first columns made short."""
    textes = []
    for cellule in ligne[:colonnes]:
        texte = nom_court(str(cellule))
        textes.append(texte if len(texte) <= 40 else f"{texte[:39]}…")
    return [*textes, *ligne[colonnes:]]


def _pair(i: Indicateur, ecart: Ecart) -> list[str]:
    return ["—" if v is None else nombre(v, i.decimales) for v in (ecart.avant, ecart.apres)]


def _difference(i: Indicateur, ecart: Ecart) -> str:
    if ecart.difference is None:
        return "—"
    texte = nombre(ecart.difference, i.decimales, signe=True)
    return {"gagne": f"▲ {texte}", "perd": f"▼ {texte}"}.get(ecart.verdict, texte)


def _table(
    tableau: Tableau,
    *,
    titre: int = 40,
    reste: int = 16,
    signes: frozenset[int] | set[int] = frozenset(),
    lignes_max: int = LIGNES_MAX,
) -> str:
    lignes = [
        [_cell(valeur, signe=k in signes) for k, valeur in enumerate(ligne)] for ligne in tableau.lignes[:lignes_max]
    ]
    texte = table(tableau.colonnes, lignes, titre=titre, reste=reste)
    reste_lignes = len(tableau.lignes) - lignes_max
    return texte if reste_lignes <= 0 else f"{texte}\n… et {reste_lignes} autres lignes (voir les exports)."


def _cell(valeur: object, *, signe: bool = False) -> str:
    if valeur is None:
        return "—"
    if isinstance(valeur, (int, float)):
        return nombre(valeur, 1 if isinstance(valeur, float) else 0, signe=signe)
    return str(valeur)
