"""The object `settings.OPERATIONS` names: access to déchetteries, alone or shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from territoires.empreinte import input_hash
from territoires.models import Etude, ResultatBloc, ZoneLimitrophe
from territoires.operation import CleOperation, Couche, Export, Solution, Tableau

from . import construction, controle, couches, demonstration, indicateurs, regime, resultat, solveur, tableaux
from . import exports as fichiers
from .forms import DechetteriesForm

Resultats = Mapping[str, Sequence[ResultatBloc]]


def _decode(resultats: Sequence[ResultatBloc]) -> list[resultat.Resultat]:
    return [resultat.decode(ligne.solution) for ligne in resultats]


def _regimes(resultats: Resultats) -> dict[str, list[resultat.Resultat]]:
    return {nom: _decode(lignes) for nom, lignes in resultats.items()}


class Dechetteries:
    """Protocol of `territoires.operation.Operation`; every part lives in its own module."""

    code = "dechetteries"
    titre = "Accès aux déchetteries"
    resume = "Ouvrir les déchetteries aux habitants d'en face : qui y gagne, qui paie, quels centres se chargent."
    form_class = DechetteriesForm
    page = "dechetteries"
    titre_page = "Liste des déchetteries"
    libelle_cout = "exploitation, trajets des usagers et prix donné aux souhaits non tenus"
    code_depense = "cout_exploitation"

    build_problem = staticmethod(construction.build_problem)
    solve = staticmethod(solveur.solve)
    check = staticmethod(controle.check)
    indicators = staticmethod(indicateurs.indicators)
    problem_hash = staticmethod(input_hash)
    encode = staticmethod(resultat.encode)
    decode = staticmethod(resultat.decode)
    sites = staticmethod(couches.sites)

    def alternatives(self, solution: solveur.Solution) -> Sequence[tuple[str, Solution]]:
        """None: the answer is proven the best for what inhabitants weigh."""
        return ()

    def layers(self, resultats: Sequence[ResultatBloc]) -> Sequence[Couche]:
        """Layers of one regime."""
        return couches.layers(_decode(resultats))

    def tables(self, resultats: Resultats) -> Sequence[Tableau]:
        """Detail tables of both regimes."""
        return tableaux.tables(_regimes(resultats))

    def regime_figures(self, resultats: Sequence[ResultatBloc]) -> Mapping[str, float]:
        """The 90th percentile of times over all blocks."""
        p90 = regime.bands(_decode(resultats)).p90
        return {} if p90 is None else {"temps_p90": p90}

    def exports(self) -> Sequence[Export]:
        """Files on offer."""
        return fichiers.EXPORTS

    def export(self, code: str, etude: Etude, resultats: Resultats) -> bytes:
        """One file."""
        return fichiers.export(code, etude, _regimes(resultats))

    def sharing_keys(self, resultats: Sequence[ResultatBloc]) -> Mapping[str, CleOperation]:
        """Number of centres (the rule of Touraine), and cost of the centres each one's inhabitants go to."""
        blocs = _decode(resultats)
        centres = {code: 0.0 for r in blocs for code in r.groupes}
        usage = dict(centres)
        vues = regime.centres(blocs)
        for vue in vues.values():
            if vue.ouvert and vue.compte and vue.collectivite in centres:
                centres[vue.collectivite] += 1.0
        habite = {commune.code: commune.collectivite for commune in regime.communes(blocs).values()}
        for flux in regime.flows(blocs):
            vue = vues[flux.centre]
            usage[habite[flux.commune]] += vue.depenses * flux.visites / vue.visites
        return {
            "centres": CleOperation("Nombre de déchetteries", "déchetteries", centres),
            "usage": CleOperation("Usage (coût des déchetteries fréquentées)", "€/an", usage),
        }

    def creer_demonstration(self, zone: ZoneLimitrophe) -> int:
        """Fictive centres for a demonstration zone; how many there are."""
        return demonstration.create_centres(zone)


OPERATION = Dechetteries()
