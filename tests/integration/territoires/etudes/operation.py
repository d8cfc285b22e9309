"""The operation of these tests: a real one, small, that follows the protocol."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from django import forms

from territoires.calcul import COUT, POPULATION, Bilan, Indicateur, Question, Sens, SolutionIllisible, Statut
from territoires.formulaires import ParametresForm
from territoires.models import Commune, Etude, ResultatBloc
from territoires.operation import Bloc, CleOperation, Couche, DonneesInsuffisantes, Export, Tableau

from .mediane import Problem, Solution, check, solve


class ParametresMediane(ParametresForm):
    """Costs, and the faults tests ask for."""

    euro_km = forms.DecimalField(label="coût par km et habitant (€)", initial=Decimal("1.5"), min_value=0)
    euro_site = forms.DecimalField(label="coût d'un site (€ par an)", initial=Decimal(50_000), min_value=0)
    attente_s = forms.FloatField(label="attente entre deux points (s)", initial=0, min_value=0)
    autres = forms.IntegerField(label="autres plans gardés", initial=0, min_value=0)
    faute = forms.CharField(label="faute", required=False, initial="")


def read(data: bytes) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(bytes(data))
    except ValueError as error:
        raise SolutionIllisible("pas du JSON") from error
    return values


class Mediane:
    """One site for the block."""

    code = "mediane"
    titre = "Emplacement d'un site"
    resume = "Place un site au mieux des habitants."
    form_class = ParametresMediane
    libelle_cout = "site et trajets"
    code_depense = "depense"
    solve = staticmethod(solve)
    check = staticmethod(check)

    def build_problem(self, etude: Etude, bloc: Bloc) -> Problem:
        rows = list(
            Commune.objects.filter(zones=etude.zone, departement__code__in=bloc)
            .order_by("code")
            .values_list("mairie", "population", "departement__code")
        )
        if not rows:
            raise DonneesInsuffisantes(f"Aucune commune pour {', '.join(sorted(bloc))}.")
        p = etude.parametres
        return Problem(
            np.array([[mairie.x, mairie.y] for mairie, _, _ in rows]),
            np.array([population for _, population, _ in rows], dtype=np.float64),
            tuple(code for _, _, code in rows),
            float(p["euro_km"]),
            float(p["euro_site"]),
            p["attente_s"],
            p["faute"],
            p["autres"],
        )

    def alternatives(self, solution: Solution) -> Sequence[tuple[str, Solution]]:
        return [(f"Site sur le point {other.site}", other) for other in solution.autres]

    def indicators(self, problem: Problem, solution: Solution) -> Sequence[Indicateur]:
        distances = np.linalg.norm(problem.points - problem.points[solution.site], axis=1) / 1000
        owner = problem.codes[solution.site]
        found = []
        for code in sorted(set(problem.codes)):
            mine = np.array([c == code for c in problem.codes])
            population = float(problem.population[mine].sum())
            travel = float(problem.population[mine] @ distances[mine])
            found += [
                Indicateur(POPULATION, "habitants", "hab.", population, Sens.NEUTRE, code),
                Indicateur(
                    "distance",
                    "distance moyenne au site",
                    "km",
                    travel / population,
                    Sens.MOINS,
                    code,
                    Question.SERVICE,
                    1,
                    f"poids:{POPULATION}",
                ),
                Indicateur(
                    COUT,
                    "coût porté",
                    "€",
                    travel * problem.euro_km + (code == owner) * problem.euro_site,
                    Sens.MOINS,
                    code,
                ),
                Indicateur("depense", "dépense", "€", (code == owner) * problem.euro_site, Sens.MOINS, code),
                Indicateur("sites", "nombre de sites", "", float(code == owner), Sens.MOINS, code, Question.EFFICACE),
            ]
        return found

    def problem_hash(self, problem: Problem) -> str:
        digest = hashlib.sha256()
        for array in (problem.points, problem.population):
            digest.update(array.tobytes())
        digest.update(repr((problem.codes, problem.euro_km, problem.euro_site, problem.fault, problem.others)).encode())
        return digest.hexdigest()

    def encode(self, problem: Problem, solution: Solution) -> bytes:
        return json.dumps(
            {
                "site": solution.site,
                "point": problem.points[solution.site].tolist(),
                "code": problem.codes[solution.site],
                "cout": str(solution.bilan.cost),
            }
        ).encode()

    def decode(self, data: bytes) -> Solution:
        values = read(data)
        return Solution(values["site"], Bilan(Decimal(values["cout"]), None, Statut.REALISABLE, 0))

    def layers(self, resultats: Sequence[ResultatBloc]) -> Sequence[Couche]:
        features = []
        for rank, row in enumerate(resultats):
            values = read(row.solution)
            point = {"type": "Point", "coordinates": values["point"]}
            features.append({"type": "Feature", "geometry": point, "properties": {"couleur": rank}})
        return [Couche("sites", "Sites", features)]

    def tables(self, resultats: Mapping[str, Sequence[ResultatBloc]]) -> Sequence[Tableau]:
        lines = [
            (regime, " + ".join(row.bloc), read(row.solution)["code"])
            for regime, rows in resultats.items()
            for row in rows
        ]
        return [Tableau("sites", "Où sont les sites", ("Régime", "Groupe", "Chez"), lines)]

    def exports(self) -> Sequence[Export]:
        return [Export("sites", "Sites (CSV)", "sites.csv", "text/csv; charset=utf-8")]

    def export(self, code: str, etude: Etude, resultats: Mapping[str, Sequence[ResultatBloc]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows(line for table in self.tables(resultats) for line in table.lignes)
        return text.getvalue().encode("utf-8-sig")

    def sharing_keys(self, resultats: Sequence[ResultatBloc]) -> Mapping[str, CleOperation]:
        sites: dict[str, float] = {code: 0.0 for row in resultats for code in row.bloc}
        for row in resultats:
            sites[read(row.solution)["code"]] += 1
        return {"sites": CleOperation("Nombre de sites", "sites", sites)}


OPERATION = Mediane()
