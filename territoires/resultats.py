"""Results of a run as pages, exports and the API read them: two regimes, their comparison, cost sharing, summary.

Reads stored rows only; solves nothing. Four queries whatever the number of blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Sum

from .calcul import COUT, POPULATION, Statut
from .comparaison import Bornes, Ecart, Ligne, Regime, add_up, compare, from_json
from .etudes import operation_of, partition_of
from .models import Collectivite, Commune, PassageEtude, ResultatBloc
from .nombres import pourcent
from .noms import nom_court
from .operation import CleOperation, Operation
from .partage import (
    Charges,
    Objection,
    Part,
    PartageImpossible,
    contributions,
    make_charges,
    objections,
)
from .partitions import Bloc, Partition, cloisonne
from .portrait import road_lengths
from .synthese import Synthese, summarize

CLOISONNE, MUTUALISE = "cloisonne", "mutualise"
#: Titles of the regimes on pages.
REGIMES = {CLOISONNE: "Chacun de son côté", MUTUALISE: "En partageant"}
SHAPLEY = "shapley"
#: Codes of the keys every operation has.
HABITANTS, KILOMETRES = "habitants", "kilometres"


class ResultatsAbsents(LookupError):
    """The run has no result to show: not finished, failed, cancelled, or a plan of another run was asked for."""


@dataclass(frozen=True)
class TableauPartage:
    """What each one pays under one key or mix; ``objections`` = coalitions that would do better alone."""

    titre: str
    lignes: tuple[Part, ...]
    objections: tuple[Objection, ...] | None

    @property
    def total(self) -> Part:
        """Sums of the columns."""
        lines = self.lignes
        carried = [line.porte for line in lines if line.porte is not None]
        gains = [line.gain_total for line in lines if line.gain_total is not None]
        return Part(
            "",
            sum((line.paye for line in lines), Decimal(0)),
            sum((line.seule for line in lines), Decimal(0)),
            sum(carried, Decimal(0)) if len(carried) == len(lines) else None,
            sum(gains, Decimal(0)) if len(gains) == len(lines) else None,
        )


class Resultats:
    """Everything that can be said of one finished run.

    ``plans`` are primary keys of rows of this run (edited plans, points of a front) to take for their block in the
    shared regime instead of the computed answer. Raises `ResultatsAbsents`.
    """

    def __init__(self, passage: PassageEtude, plans: Collection[int] = ()) -> None:
        if passage.etat != PassageEtude.Etat.REUSSI and passage.fin is None:
            raise ResultatsAbsents("Le calcul n'est pas terminé.")
        self.passage = passage
        self.etude = passage.etude
        self.operation: Operation = operation_of(self.etude)
        self.partition: Partition = partition_of(self.etude)
        self.collectivites: list[Collectivite] = list(self.etude.collectivites.defer("geom").order_by("code"))
        self.codes = [item.code for item in self.collectivites]
        self.noms = {item.code: nom_court(item.nom) for item in self.collectivites}
        chosen, self._couts = self._read(set(plans))
        alone = cloisonne(self.codes)
        try:
            self.par_regime: dict[str, list[ResultatBloc]] = {
                CLOISONNE: [chosen[0][bloc] for bloc in alone],
                MUTUALISE: [{**chosen[0], **chosen[1]}[bloc] for bloc in self.partition],
            }
        except KeyError as error:
            raise ResultatsAbsents("Ce passage n'a pas de résultat pour tous les groupes.") from error
        self.modifie = bool(chosen[1])

    def _read(
        self, plans: set[int]
    ) -> tuple[tuple[dict[Bloc, ResultatBloc], dict[Bloc, ResultatBloc]], dict[Bloc, Decimal]]:
        regimes = {*cloisonne(self.codes), *self.partition}
        best: dict[Bloc, ResultatBloc] = {}
        other: dict[Bloc, ResultatBloc] = {}
        costs: dict[Bloc, Decimal] = {}
        self.variantes: list[ResultatBloc] = []
        rows = self.passage.resultats.defer("solution", "trace").order_by("graine", "variante", "pk")
        for row in rows:
            bloc = frozenset(row.bloc)
            if row.pk in plans:
                other[bloc] = row
            if row.origine == ResultatBloc.Origine.MANUEL or row.variante:
                self.variantes.append(row)
                continue
            feasible = row.statut != Statut.IRREALISABLE
            if feasible and (bloc not in costs or row.cout < costs[bloc]):
                costs[bloc] = row.cout
            if bloc in regimes:
                known = best.get(bloc)
                if known is None or (not feasible, row.cout) < (known.statut == Statut.IRREALISABLE, known.cout):
                    best[bloc] = row
        if len(other) != len(plans):
            raise ResultatsAbsents("Un des plans demandés n'est pas de ce passage.")
        return (best, other), costs

    def avec_solutions(self) -> dict[str, list[ResultatBloc]]:
        """Rows of both regimes with their solutions, in one query (for layers, tables and exports)."""
        return self._solutions

    @cached_property
    def _solutions(self) -> dict[str, list[ResultatBloc]]:
        keys = {row.pk for rows in self.par_regime.values() for row in rows}
        full = {row.pk: row for row in ResultatBloc.objects.filter(pk__in=keys)}
        return {regime: [full[row.pk] for row in rows] for regime, rows in self.par_regime.items()}

    def _regime(self, name: str) -> Regime:
        rows = self.par_regime[name]
        bounds = [row.cout if row.statut == Statut.OPTIMAL else row.borne for row in rows]
        known = [bound for bound in bounds if bound is not None]
        bornes = Bornes(
            cout=sum((row.cout for row in rows), Decimal(0)),
            borne=sum(known, Decimal(0)) if len(known) == len(rows) else None,
            optimal=all(row.statut == Statut.OPTIMAL for row in rows),
            realisable=all(row.statut != Statut.IRREALISABLE for row in rows),
        )
        regime = add_up({frozenset(row.bloc): [from_json(item) for item in row.indicateurs] for row in rows}, bornes)
        absent = [code for code, item in regime.indicateurs.items() if item.agregation == "aucune"]
        absent = [code for code in absent if code not in regime.ensemble]
        whole = getattr(self.operation, "regime_figures", None)
        if not absent or whole is None:
            return regime
        figures = whole(self.avec_solutions()[name])
        return replace(regime, ensemble={**regime.ensemble, **{one: figures[one] for one in absent if one in figures}})

    @cached_property
    def regimes(self) -> dict[str, Regime]:
        """Figures of both regimes."""
        return {name: self._regime(name) for name in REGIMES}

    @cached_property
    def lignes(self) -> tuple[Ligne, ...]:
        """Indicator by indicator, both regimes."""
        return compare(self.regimes[CLOISONNE], self.regimes[MUTUALISE], self.codes)

    @property
    def fictif(self) -> bool:
        """True when the run read generated data."""
        found = self.passage.provenance
        return bool(found.get("fictif") or found.get("reseau", {}).get("fictif"))

    @cached_property
    def synthese(self) -> Synthese:
        """The four questions."""
        remarks = [remark for rows in self.par_regime.values() for row in rows for remark in row.remarques]
        return summarize(
            self.lignes,
            self.regimes[CLOISONNE].bornes,
            self.regimes[MUTUALISE].bornes,
            self.noms,
            libelle_cout=self.operation.libelle_cout,
            depense=self.ecart_depense,
            fictif=self.fictif,
            remarques=remarks,
        )

    @cached_property
    def cles(self) -> dict[str, CleOperation]:
        """Keys by which this run's cost may be shared, besides Shapley."""
        found: dict[str, CleOperation] = {}
        kept = self.passage.synthese.get("cles", {})
        population = self.regimes[MUTUALISE].par_collectivite.get(POPULATION) or kept.get(HABITANTS, {})
        if sum(population.values()) > 0:
            found[HABITANTS] = CleOperation("Habitants", "hab.", population)
        roads = kept.get(KILOMETRES, {})
        if sum(roads.values()) > 0:
            found[KILOMETRES] = CleOperation("Kilomètres de routes de la zone", "km", roads)
        found.update(self.operation.sharing_keys(self.avec_solutions()[MUTUALISE]))
        return found

    def partager(self, cles: Mapping[str, float]) -> TableauPartage:
        """Share every block by Shapley's value or by weighted keys, ``{code of the key: weight}``.

        Keys share the public spending, Shapley's value the gain of all; they mix. Raises `PartageImpossible`.
        """
        weights = {code: weight for code, weight in cles.items() if weight}
        if not weights:
            raise PartageImpossible("Donnez une pondération à au moins une clé.")
        unknown = sorted(set(weights) - {SHAPLEY} - set(self.cles))
        if unknown:
            raise PartageImpossible(f"Clé inconnue : {', '.join(unknown)}.")
        alone = {row.bloc[0]: row.cout for row in self.par_regime[CLOISONNE]}
        spent_alone = self._depenses(CLOISONNE)
        lines: list[Part] = []
        objecting: list[Objection] | None = []
        for row in self.par_regime[MUTUALISE]:
            if row.statut == Statut.IRREALISABLE:
                raise PartageImpossible("Un groupe n'a pas de plan réalisable : il n'y a pas de coût à partager.")
            bloc = frozenset(row.bloc)
            charges = self._charges(row)
            costs = {**{one: cost for one, cost in self._couts.items() if one <= bloc}, bloc: row.cout}
            keys = [(self._weights(code, bloc), weight) for code, weight in weights.items()]
            paid = contributions(row.cout, charges, keys, costs)
            borne = (
                paid
                if charges is None
                else {code: value + charges.couts[code] - charges.depenses[code] for code, value in paid.items()}
            )
            for code in sorted(paid):
                before = alone[code] if charges is None or spent_alone is None else spent_alone[code]
                carried = None if charges is None else charges.depenses[code]
                lines.append(Part(code, paid[code], before, carried, alone[code] - borne[code]))
            try:
                if objecting is not None:
                    objecting += objections(borne, costs)
            except PartageImpossible:
                objecting = None
        lines.sort(key=lambda part: part.collectivite)
        return TableauPartage(self._titre(weights), tuple(lines), None if objecting is None else tuple(objecting))

    @property
    def depense_a_part(self) -> bool:
        """True when the cost counts more than public spending (the inhabitants' trips, say)."""
        return self.operation.code_depense is not None and self._depenses(MUTUALISE) is not None

    @property
    def ecart_depense(self) -> Ecart | None:
        """Public spending of all in both regimes; None when the cost counts nothing else."""
        code = self.operation.code_depense
        return next((line.ensemble for line in self.lignes if line.indicateur.code == code), None) if code else None

    def _depenses(self, regime: str) -> dict[str, Decimal] | None:
        code = self.operation.code_depense
        values = self.regimes[regime].par_collectivite.get(code) if code else None
        if values is None or set(values) != set(self.codes):
            return None
        return {one: Decimal(repr(value)).quantize(Decimal("0.01")) for one, value in values.items()}

    def _charges(self, row: ResultatBloc) -> Charges | None:
        figures = self.regimes[MUTUALISE].par_collectivite
        members = set(row.bloc)
        couts = {code: value for code, value in figures.get(COUT, {}).items() if code in members}
        if set(couts) != members:
            return None
        code = self.operation.code_depense
        spent = None if code is None else {one: v for one, v in figures.get(code, {}).items() if one in members}
        if spent is not None and set(spent) != members:
            return None
        return make_charges(row.cout, couts, spent)

    def _weights(self, code: str, bloc: Bloc) -> dict[str, float] | None:
        if code == SHAPLEY:
            return None
        poids = self.cles[code].poids
        return {member: float(poids.get(member, 0.0)) for member in bloc}

    def _titre(self, weights: Mapping[str, float]) -> str:
        titles = {SHAPLEY: "Valeur de Shapley", **{code: cle.titre for code, cle in self.cles.items()}}
        if len(weights) == 1:
            return titles[next(iter(weights))]
        whole = sum(weights.values())
        return " + ".join(f"{titles[code]} ({pourcent(weight / whole, 0)})" for code, weight in weights.items())


def resume(passage: PassageEtude) -> dict[str, Any]:
    """What lists and the API show of a finished run without reading its results again; kept in ``synthese``."""
    found = Resultats(passage)
    summary = found.synthese
    return {
        "couts": {name: str(regime.bornes.cout) for name, regime in found.regimes.items()},
        "reponses": [asdict(answer) for answer in summary.reponses],
        "limites": list(summary.limites),
        "refait": same_figures(passage),
        "cles": administrative_keys(found),
    }


def administrative_keys(results: Resultats) -> dict[str, dict[str, float]]:
    """Inhabitants and road kilometres of the zone by collectivité of the study: keys whatever the operation."""
    zone, members = results.etude.zone, results.collectivites
    people = dict.fromkeys(results.codes, 0.0)
    codes = {item.pk: item.code for item in members}
    communes = Commune.objects.filter(zones=zone, active=True).order_by()
    for departement, epci, total in communes.values_list("departement", "epci").annotate(total=Sum("population")):
        # As the portrait counts: in its EPCI where that is of the study, else in its département.
        key = epci if epci in codes else departement
        if key in codes:
            people[codes[key]] += float(total or 0)
    keys = {HABITANTS: people}
    network = zone.reseau
    if network is not None and network.import_courant_id is not None:
        lengths = road_lengths(zone, members, network.import_courant_id)
        keys[KILOMETRES] = {codes[pk]: round(sum(lengths.get(pk, {}).values()) / 1000, 3) for pk in codes}
    return keys


def same_figures(passage: PassageEtude) -> dict[str, Any] | None:
    """The last earlier run of the same inputs, and whether its costs are the same to the cent; None without one."""
    earlier = (
        PassageEtude.objects.filter(etat=PassageEtude.Etat.REUSSI, empreinte=passage.empreinte)
        .exclude(pk=passage.pk)
        .order_by("-fin")
        .first()
    )
    if earlier is None:
        return None

    def costs(one: PassageEtude) -> Sequence[Any]:
        rows = one.resultats.filter(origine="calcul").values_list("bloc", "graine", "variante", "cout", "statut")
        return sorted(rows)

    return {
        "passage": earlier.pk,
        "fin": earlier.fin.isoformat() if earlier.fin else "",
        "identique": costs(earlier) == costs(passage),
    }
