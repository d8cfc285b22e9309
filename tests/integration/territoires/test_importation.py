"""Writing a territory: all or nothing, again without loss, hand edits kept, in a constant number of queries."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from geodata.models import Reseau
from territoires.decoupage import decoupage, decoupage_touching
from territoires.importation import ecriture
from territoires.importation.ecriture import to_shapely, write
from territoires.limites import refresh_limites
from territoires.models import Collectivite, Commune, Limite, LimiteCommune
from territoires.rapport import DonneesRefusees

from .fabrique import (
    COTE,
    HAUTEUR,
    LARGEUR,
    NORD,
    SUD,
    X0,
    Y0,
    code,
    install,
    roads,
    square,
    territory,
    write_geojson,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseau(db: None) -> Reseau:
    install()
    return roads()


def test_first_import() -> None:
    bilan = write(territory())
    assert (bilan.communes_creees, bilan.communes_mises_a_jour) == (LARGEUR * HAUTEUR, 0)
    assert bilan.collectivites == {"departement": 2, "epci": 2}
    commune = Commune.objects.select_related("departement", "epci").get(code="42000")
    assert (commune.nom, commune.departement.code, commune.epci.code, commune.population) == (
        "Commune 0-0",
        "42",
        SUD,
        100,
    )
    assert (commune.edition, commune.source, commune.licence, commune.active) == ("essai 1", "essai", "essai", True)
    assert (commune.mairie.x, commune.mairie.y, commune.mairie.srid) == (X0 + COTE / 2, Y0 + COTE / 2, 2154)
    loire = Collectivite.objects.get(type="departement", code="42")
    assert loire.geom.area == pytest.approx(3 * HAUTEUR * COTE**2)
    assert loire.geom.num_geom == 1


def test_the_same_import_changes_nothing() -> None:
    write(territory())
    avant = list(Commune.objects.order_by("pk").values())
    bilan = write(territory())
    assert (bilan.communes_creees, bilan.communes_mises_a_jour) == (0, LARGEUR * HAUTEUR)
    assert list(Commune.objects.order_by("pk").values()) == avant


def test_queries_do_not_grow_with_communes() -> None:
    write(territory())
    with CaptureQueriesContext(
        connection,
    ) as peu:
        write(territory(sauf=[(i, j) for i in range(LARGEUR) for j in range(2)][:4]))
    with CaptureQueriesContext(connection) as beaucoup:
        write(territory())
    assert len(peu) == len(beaucoup) < 25
    with CaptureQueriesContext(connection) as limites:
        refresh_limites()
    assert len(limites) <= 9


def test_hand_edits_survive_and_the_rest_is_updated() -> None:
    write(territory())
    Commune.objects.filter(code="42000").update(
        nom="Nom choisi", population=7, champs_manuels=["nom", "population", "mairie"], mairie=None
    )
    Collectivite.objects.filter(code=SUD).update(nom="Sud à nous", champs_manuels=["nom"])
    bilan = write(territory(c42000={"nom": "Nom officiel", "population": 5, "epci": NORD}))
    commune = Commune.objects.select_related("epci").get(code="42000")
    assert (commune.nom, commune.population, commune.mairie) == ("Nom choisi", 7, None)
    assert commune.epci.code == NORD
    assert commune.champs_manuels == ["nom", "population", "mairie"]
    assert Collectivite.objects.get(code=SUD).nom == "Sud à nous"
    assert bilan.conserves == 3


def test_vanished_communes_become_inactive_and_leave_the_contour() -> None:
    write(territory())
    bilan = write(territory(sauf=[(0, 0)]))
    assert bilan.disparues == ["Commune 0-0 (42000)"]
    assert not Commune.objects.get(code="42000").active
    assert Collectivite.objects.get(code="42").geom.area == pytest.approx((3 * HAUTEUR - 1) * COTE**2)
    # Back in the next edition.
    write(territory())
    assert Commune.objects.get(code="42000").active


def test_networks_cut_on_an_older_contour_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, reseau: Reseau
) -> None:
    objets = [
        (square(i, j), {"INSEE_COM": code(i, j), "NOM": "x", "POPULATION": 1})
        for i in range(LARGEUR)
        for j in range(HAUTEUR)
    ]
    chemin = write_geojson(tmp_path / "c.geojson", objets)
    call_command("importer_territoire", fichier=str(chemin), verbosity=0)
    assert "réimporter" not in capsys.readouterr().out
    objets[0] = (square(0, 0).buffer(-50), objets[0][1])
    call_command("importer_territoire", fichier=str(write_geojson(chemin, objets)), verbosity=0)
    assert "Contours changés : 42. Réseaux à réimporter" in capsys.readouterr().out


def test_codes_and_boundaries_of_a_file_do_not_go_together() -> None:
    with pytest.raises(CommandError, match="Avec --osm"):
        call_command("importer_territoire", "42", osm="x.osm.pbf")


def test_an_epci_without_commune_becomes_inactive() -> None:
    write(territory())
    nord = {f"c{code(i, j)}": {"epci": SUD} for i in range(LARGEUR) for j in (2, 3)}
    write(territory(**nord))
    ancien = Collectivite.objects.get(code=NORD)
    assert (ancien.active, ancien.geom) == (False, None)
    assert Collectivite.objects.get(code=SUD).geom.area == pytest.approx(LARGEUR * HAUTEUR * COTE**2)


def test_a_source_that_is_plainly_not_complete_is_refused() -> None:
    write(territory())
    with pytest.raises(DonneesRefusees, match="--partiel"):
        write(territory(sauf=[(i, j) for i in range(3) for j in range(HAUTEUR)]))
    assert Commune.objects.filter(active=True).count() == LARGEUR * HAUTEUR


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"c42000": {"code": "42001"}}, "valeur « 42001 » : code de commune en double"),
        ({"c42000": {"population": -3}}, "valeur « -3 » : la population est négative"),
        ({"c42000": {"departement": "44"}}, "valeur « 44 » : collectivité inconnue"),
        ({"c42000": {"epci": "200000009"}}, "valeur « 200000009 » : EPCI inconnu"),
    ],
)
def test_bad_rows_are_refused_before_anything_is_written(changes: dict, message: str) -> None:
    with pytest.raises(DonneesRefusees, match=message):
        write(territory(**changes))
    assert not Collectivite.objects.exists() and not Commune.objects.exists()


def test_a_failure_in_the_middle_leaves_the_base_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    write(territory())
    avant = list(Commune.objects.order_by("pk").values())

    def fail(*_: object) -> None:
        raise OSError("disque plein")

    monkeypatch.setattr(ecriture, "refresh_contours", fail)
    with pytest.raises(OSError, match="plein"):
        write(territory(c42000={"nom": "Autre"}))
    assert list(Commune.objects.order_by("pk").values()) == avant


def test_the_database_itself_refuses_a_polygon_that_crosses_itself() -> None:
    write(territory())
    with pytest.raises(IntegrityError, match="commune_contour_valide"), transaction.atomic():
        Commune.objects.filter(code="42000").update(geom="SRID=2154;MULTIPOLYGON(((0 0, 1 1, 1 0, 0 1, 0 0)))")


def test_limits_of_both_kinds() -> None:
    install()
    departements = Limite.objects.get(collectivite_a__type="departement")
    epci = Limite.objects.get(collectivite_a__type="epci")
    assert departements.longueur_m == pytest.approx(HAUTEUR * COTE)
    assert epci.longueur_m == pytest.approx(LARGEUR * COTE)
    assert departements.geom.length == pytest.approx(HAUTEUR * COTE) and departements.geom.num_geom == 1
    touche = {
        (t.commune.code, t.collectivite.code): t.longueur_m
        for t in LimiteCommune.objects.filter(limite=departements).select_related("commune", "collectivite")
    }
    assert touche == {
        (code(i, j), "42" if i == 2 else "43"): pytest.approx(COTE) for i in (2, 3) for j in range(HAUTEUR)
    }


def test_limits_follow_the_communes_and_keep_their_rows() -> None:
    install()
    avant = dict(Limite.objects.values_list("collectivite_a__code", "pk"))
    nord = {f"c{code(i, j)}": {"epci": SUD} for i in range(LARGEUR) for j in (2, 3)}
    write(territory(**nord))
    refresh_limites()
    # The limit between EPCI is gone, the other is the same row.
    assert dict(Limite.objects.values_list("collectivite_a__code", "pk")) == {"42": avant["42"]}


def test_decoupage() -> None:
    install()
    aires = decoupage()
    assert [c for c, _ in aires] == ["42", "43"]
    assert aires[0][1].area == pytest.approx(3 * HAUTEUR * COTE**2)
    assert [c for c, _ in decoupage(["43"])] == ["43"]
    assert [c for c, _ in decoupage_touching((X0, Y0, X0 + 100, Y0 + 100))] == ["42"]
    assert decoupage_touching((0, 0, 10, 10)) == []
    with pytest.raises(DonneesRefusees, match="44"):
        decoupage(["42", "44"])


def test_contours_are_what_communes_say(django_assert_num_queries: object) -> None:
    install()
    Commune.objects.filter(code="42000").update(epci=Collectivite.objects.get(code=NORD))
    ecriture.refresh_contours(list(Collectivite.objects.filter(type="epci")))
    assert to_shapely(Collectivite.objects.get(code=NORD).geom).area == pytest.approx(13 * COTE**2)


def test_command_refuses_in_french_with_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="rien n'a été écrit") as erreur:
        call_command("importer_territoire", "42", "999", verbosity=0)
    assert "département inconnu : « 999 »" in str(erreur.value)
    assert not Commune.objects.exists()


def test_loire_and_haute_loire_from_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """The figures asked: 42/43 16 + 14 communes, 37/41 19 + 26."""
    call_command("importer_territoire", "42", "43", "37", "41", verbosity=0)
    sortie = capsys.readouterr().out
    assert "1116 communes créées" in sortie and "4 × département" in sortie
    for a, b, na, nb in (("42", "43", 16, 14), ("37", "41", 19, 26)):
        limite = Limite.objects.get(collectivite_a__code=a, collectivite_b__code=b)
        cotes = list(limite.limitecommune_set.values_list("collectivite__code", flat=True))
        assert (cotes.count(a), cotes.count(b)) == (na, nb)
        assert limite.longueur_approchee_m == 0
        assert limite.geom.length == pytest.approx(limite.longueur_m)
    assert not Limite.objects.filter(collectivite_a__code="42", collectivite_b__code="37").exists()
    # Outlines of départements leave no gap along the limit.
    loire, haute_loire = (to_shapely(Collectivite.objects.get(code=c).geom) for c in ("42", "43"))
    assert loire.intersection(haute_loire).length == pytest.approx(101_019.6, abs=1)
