"""etude_dechetteries on real data: from files to the comparison, with what must hold whatever the figures."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from déchetteries.construction import build_problem
from déchetteries.importation import import_centres
from déchetteries.importation_annexe import import_points
from déchetteries.models import Dechetterie, PointDemande
from déchetteries.operation import OPERATION
from déchetteries.resultat import Resultat, decode
from territoires.calcul import COUT
from territoires.models import Collectivite, Commune, Etude, PassageEtude
from territoires.rapport import DonneesRefusees
from territoires.resultats import CLOISONNE, MUTUALISE, Resultats

pytestmark = [pytest.mark.reel, pytest.mark.django_db]


def _study(*args: Any, **options: Any) -> tuple[str, Resultats]:
    """Run the command; what it printed, and the results it stored."""
    sortie = io.StringIO()
    call_command("etude_dechetteries", *args, stdout=sortie, stderr=io.StringIO(), verbosity=0, **options)
    passage = PassageEtude.objects.latest("pk")
    assert passage.etat == PassageEtude.Etat.REUSSI
    return sortie.getvalue(), Resultats(passage)


def _minutes(blocs: list[Resultat]) -> dict[str, float]:
    """Minutes of each point's trips, by code (one centre each: no capacity)."""
    trouvees = {}
    for r in blocs:
        for i, minutes in zip(r.courant.point.tolist(), r.courant.minutes.tolist(), strict=True):
            trouvees[r.point_code[i]] = minutes
    return trouvees


def _invariants(resultats: Resultats) -> tuple[list[Resultat], list[Resultat]]:
    """What holds of any study: nobody goes farther, nobody is lost, figures add up."""
    lignes = resultats.avec_solutions()
    avant, apres = ([decode(r.solution) for r in lignes[nom]] for nom in (CLOISONNE, MUTUALISE))
    m0, m1 = _minutes(avant), _minutes(apres)
    assert set(m0) <= set(m1)
    assert all(m1[code] <= m0[code] for code in m0)
    for blocs in (avant, apres):
        total = sum(r.visites.sum() for r in blocs)
        servies = sum(r.courant.visites.sum() + r.courant.sans_centre.sum() for r in blocs)
        assert servies == pytest.approx(total)
        for r in blocs:
            dehors = {r.groupes[g] for g in r.centre_groupe if g >= 0} - set(r.groupes)
            assert not dehors
    couts = {nom: regime.bornes.cout for nom, regime in resultats.regimes.items()}
    assert couts[MUTUALISE] <= couts[CLOISONNE]
    by_code = {ligne.indicateur.code: ligne for ligne in resultats.lignes}
    assert by_code[COUT].ensemble.apres == pytest.approx(float(couts[MUTUALISE]), abs=0.05)
    assert by_code["population"].ensemble.avant == by_code["population"].ensemble.apres
    partage = resultats.partager({"shapley": 1.0})
    assert all(part.gain_total is not None and part.gain_total >= 0 for part in partage.lignes)
    for tableau in OPERATION.tables(lignes):
        assert all(len(ligne) == len(tableau.colonnes) for ligne in tableau.lignes)
    return avant, apres


def test_liechtenstein_with_its_own_recycling_centres(donnees: Path) -> None:
    texte, resultats = _study(osm=donnees / "osm" / "liechtenstein-2021-05.osm.pbf", niveaux="6,8")
    avant, apres = _invariants(resultats)
    assert resultats.codes == ["oberland", "unterland"]
    assert Dechetterie.objects.count() == 4
    assert {d.licence for d in Dechetterie.objects.all()} == {"ODbL 1.0"}
    assert [len(r.point_code) for r in avant] == [6, 5]
    # 38,000 people live there; every commune's centre is within a quarter of an hour of a recycling centre.
    assert 30_000 < sum(r.population.sum() for r in apres) < 45_000
    assert max(_minutes(apres).values()) < 20
    assert "Oberland" in texte and "Les quatre questions" in texte


def test_liechtenstein_when_a_centre_closes(donnees: Path, tmp_path: Path) -> None:
    """Unterland's only centre closed: alone it has none, together its inhabitants cross the border."""
    osm = donnees / "osm" / "liechtenstein-2021-05.osm.pbf"
    _study(osm=osm, niveaux="6,8")
    unterland = Dechetterie.objects.get(proprietaire__code="unterland")
    essai = tmp_path / "essai.txt"
    essai.write_text(f"fermer ; {unterland.code}\n", encoding="utf-8")
    texte, resultats = _study(zone=resultats_zone(), modifications=essai)
    avant, apres = _invariants(resultats)
    unter = next(r for r in avant if r.groupes == ("unterland",))
    assert unter.courant.sans_centre.sum() == pytest.approx(unter.visites.sum())
    assert sum(r.courant.sans_centre.sum() for r in apres) == 0
    by_code = {ligne.indicateur.code: ligne for ligne in resultats.lignes}
    assert by_code["visites_limite"].par_collectivite["unterland"].apres == pytest.approx(unter.visites.sum())
    assert "Aucun centre autorisé et joignable" in texte


def resultats_zone() -> str:
    """Code of the zone of the last study."""
    code: str = Etude.objects.latest("pk").zone.code
    return code


def test_loire_and_haute_loire_on_their_main_roads(donnees: Path, tmp_path: Path) -> None:
    texte, resultats = _study(
        departements=["42", "43"],
        routes=donnees / "routes" / "reseau-principal-42-43.gpkg",
        couche="troncons",
        centres_dans_les_villes=2,
        exports=tmp_path / "exports",
    )
    avant, apres = _invariants(resultats)
    assert [len(r.point_code) for r in avant] == [320, 257]
    population = sum(r.population.sum() for r in apres)
    assert 900_000 < population < 1_100_000
    # Every EPCI with a mairie here has its two towns; all marked as an assumption.
    par_epci: dict[str, int] = defaultdict(int)
    for centre in Dechetterie.objects.select_related("proprietaire").defer("proprietaire__geom"):
        assert centre.hypothese and centre.source.startswith("Hypothèse")
        par_epci[centre.proprietaire.code] += 1
    assert set(par_epci.values()) <= {1, 2}
    assert set(par_epci) == set(Commune.objects.exclude(epci=None).values_list("epci__code", flat=True).distinct())
    assert "HYPOTHÈSE" in texte
    assert {f.name for f in (tmp_path / "exports").iterdir()} == {e.nom_fichier for e in OPERATION.exports()}
    # Some inhabitants of the border gain: the limit runs a few kilometres from Firminy and Aurec.
    by_code = {ligne.indicateur.code: ligne for ligne in resultats.lignes}
    assert 1_000 < by_code["gain_5"].ensemble.apres < 100_000
    assert by_code["temps_moyen"].ensemble.apres < by_code["temps_moyen"].ensemble.avant
    # Flows add up to the visits of all, and no flow leaves the two départements.
    flux = {t.code: t for t in OPERATION.tables(resultats.avec_solutions())}["flux"].lignes
    assert sum(ligne[3] for ligne in flux) == pytest.approx(population * 5, rel=1e-4)


def test_studies_between_epci_as_players(donnees: Path) -> None:
    """The same code with EPCI as players: the border is a parameter."""
    _study(
        departements=["42", "43"],
        routes=donnees / "routes" / "reseau-principal-42-43.gpkg",
        couche="troncons",
        centres_dans_les_villes=1,
        distance=10.0,
    )
    codes = ["244200770", "200066637", "244300307"]
    epci = list(Collectivite.objects.filter(type="epci").order_by("code").values_list("code", flat=True))
    voisins = [code for code in codes if code in epci] or epci[:3]
    _, resultats = _study(collectivites=voisins, reseau="reseau-principal-42-43")
    avant, _ = _invariants(resultats)
    assert len(avant) == len(voisins)
    assert len(resultats.partition) == 1
    _, partiel = _study(collectivites=voisins, reseau="reseau-principal-42-43", partage=[",".join(voisins[:2])])
    assert sorted(len(bloc) for bloc in partiel.partition) == [1] * (len(voisins) - 2) + [2]
    assert partiel.regimes[MUTUALISE].bornes.cout >= resultats.regimes[MUTUALISE].bornes.cout
    for r in avant:
        problem = build_problem(resultats.etude, frozenset(r.groupes))
        assert set(problem.point_epci) == set(r.groupes)
        assert np.all(problem.centre_groupe <= 0)


def test_vaucluse_list_is_read_whole(donnees: Path) -> None:
    """A published list with no owner, no capacity and no code of its own: owners come from the communes."""
    liste = donnees / "dechetteries" / "decheteries-vaucluse-84-2023-10.geojson"
    with pytest.raises(DonneesRefusees, match="aucune commune connue"):
        import_centres(liste)
    call_command("importer_territoire", "84", verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())
    bilan, rapport = import_centres(liste)
    assert bilan.crees == 25
    assert all("propriétaire non dit" in c.message for c in rapport.warnings)
    assert {d.proprietaire.type for d in Dechetterie.objects.select_related("proprietaire")} == {"epci"}
    assert "bois" in Dechetterie.objects.get(nom="Déchèterie de Valréas").dechets
    bilan, _ = import_centres(liste)
    assert (bilan.crees, bilan.mis_a_jour) == (0, 25)


def test_grid_of_population_around_olemps(donnees: Path) -> None:
    """Cells of 200 m (polygons turned by the projection), counted where their centre lies."""
    call_command("importer_territoire", "12", verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())
    bilan, _ = import_points(donnees / "bdtopo" / "olemps-12-bdtopo-v2.gpkg", couche="carreaux_200m")
    assert bilan.crees == 457
    total = sum(PointDemande.objects.values_list("population", flat=True))
    assert total == pytest.approx(29_736, abs=2)
    communes = set(PointDemande.objects.values_list("commune__code", flat=True))
    assert {"12174", "12202"} <= communes and len(communes) < 15
