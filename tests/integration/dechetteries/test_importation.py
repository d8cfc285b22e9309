"""Files of agents: what is read, what is refused, row by row, and nothing half-written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from django.core.management import call_command
from django.core.management.base import CommandError

from déchetteries.importation import import_centres
from déchetteries.importation_annexe import import_points, import_rules
from déchetteries.models import Dechetterie, PointDemande, RegleAcces
from déchetteries.placement import place_in_towns
from territoires.importation.geometrie import to_degrees
from territoires.models import Commune
from territoires.rapport import DonneesRefusees

from .conftest import COTE, Territoire, mairie

pytestmark = pytest.mark.django_db


def degrees(k: float, dy: float = 0.0) -> tuple[float, float]:
    """Longitude and latitude near the k-th mairie."""
    point = mairie(k)
    degres = to_degrees(np.array([shapely.Point(point.x, point.y + dy)], dtype=object), 2154)[0]
    return round(degres.x, 6), round(degres.y, 6)


def csv_file(dossier: Path, texte: str, nom: str = "centres.csv", encodage: str = "latin-1") -> Path:
    chemin = dossier / nom
    chemin.write_bytes(texte.encode(encodage))
    return chemin


def ligne(nom: str, k: float, *reste: str, dy: float = 1000.0) -> str:
    """A row of a CSV with decimal commas."""
    lon, lat = (str(v).replace(".", ",") for v in degrees(k, dy))
    return ";".join([nom, lon, lat, *reste])


ENTETE = "Nom;Longitude;Latitude;Propriétaire;Capacité (visites/an);Coût fixe an"


def refused(chemin: Path, **options: Any) -> str:
    """The message of an import that is refused; nothing was written."""
    avant = set(Dechetterie.objects.values_list("code", "nom"))
    with pytest.raises(DonneesRefusees) as erreur:
        import_centres(chemin, **options)
    assert set(Dechetterie.objects.values_list("code", "nom")) == avant
    return str(erreur.value)


def test_latin1_semicolons_and_decimal_commas(territoire: Territoire, tmp_path: Path) -> None:
    texte = "\r\n".join(
        [
            ENTETE,
            ligne("Déchetterie de l'Étang", 1, "200000001", "12 000", "45 300,50"),
            ligne("Sans propriétaire", 2, "", "", ""),
            ligne("Par son nom", 4, "cc 3", "800", ""),
        ]
    )
    bilan, rapport = import_centres(csv_file(tmp_path, texte))
    assert (bilan.crees, bilan.mis_a_jour) == (3, 0)
    etang = Dechetterie.objects.get(nom="Déchetterie de l'Étang")
    assert etang.proprietaire == territoire.epci["200000001"]
    assert (etang.capacite_visites_an, float(etang.cout_fixe_an or 0)) == (12_000, 45_300.5)
    assert etang.geom.distance(mairie(1)) == pytest.approx(1000, abs=1)
    assert Dechetterie.objects.get(nom="Par son nom").proprietaire == territoire.epci["200000003"]
    assert Dechetterie.objects.get(nom="Sans propriétaire").proprietaire == territoire.epci["200000002"]
    assert [str(c) for c in rapport.warnings] == [
        "centres.csv : lu en encodage Windows-1252, séparateur « ; ».",
        "centres.csv, ligne 3 : propriétaire non dit : EPCI de Commune 42003 retenu.",
    ]


def test_every_fault_is_named_with_file_row_field_and_value(territoire: Territoire, tmp_path: Path) -> None:
    texte = "\n".join(
        [
            "code;nom;longitude;latitude;proprietaire;capacite_visites_an;code_insee",
            f"A;Inconnue;{degrees(1)[0]};{degrees(1)[1]};999999999;10;42002",
            f"B;Négative;{degrees(2)[0]};{degrees(2)[1]};200000002;-5;42003",
            "C;En mer;-4.9;47.9;200000001;;",
            f"D;INSEE;{degrees(3, 500)[0]};{degrees(3, 500)[1]};200000003;;99999",
            f"D;Double;{degrees(4)[0]};{degrees(4)[1]};200000003;;43002",
            f"F;;{degrees(5, 900)[0]};{degrees(5, 900)[1]};200000004;;",
            "G;Sans position;;;200000004;;",
            f"H;Texte;{degrees(5, 2000)[0]};{degrees(5, 2000)[1]};200000004;beaucoup;",
        ]
    )
    message = refused(csv_file(tmp_path, texte))
    attendus = [
        "centres.csv, ligne 2, champ « proprietaire », valeur « 999999999 » : collectivité inconnue",
        "ligne 3, champ « capacite_visites_an », valeur « -5 » : valeur négative.",
        "ligne 4, champ « position » : le point n'est dans aucune commune connue (en mer",
        "ligne 5, champ « code_insee », valeur « 99999 » : code INSEE inconnu.",
        "ligne 6, champ « code », valeur « D » : code en double (déjà à la ligne 5).",
        "ligne 7, champ « nom » : valeur obligatoire absente.",
        "ligne 8, champ « longitude » : position absente",
        "ligne 9, champ « capacite_visites_an », valeur « beaucoup » : ce n'est pas un nombre.",
    ]
    for attendu in attendus:
        assert attendu in message, message


def test_the_same_site_twice(territoire: Territoire, tmp_path: Path) -> None:
    texte = "\n".join(["nom;longitude;latitude", ligne("Un", 1), ligne("Deux", 1, dy=1020.0)])
    assert "ligne 3, champ « position », valeur « Deux » : site en double : à 20 m de « Un » (ligne 2)." in refused(
        csv_file(tmp_path, texte)
    )
    texte = "\n".join(["nom;longitude;latitude", ligne("Autre", 0, dy=10.0)])
    assert "à 10 m de « Centre D1 », déjà dans la base sous le code D1." in refused(csv_file(tmp_path, texte))


def test_no_road_near(territoire: Territoire, tmp_path: Path) -> None:
    texte = "\n".join(["nom;longitude;latitude", ligne("Loin", 1, dy=4_000.0)])
    chemin = csv_file(tmp_path, texte)
    assert "aucune route praticable à moins de 2000 m" in refused(chemin, reseau="essai", route_max_m=2000)
    assert "Réseau « nulle-part » : inconnu" in refused(chemin, reseau="nulle-part")
    bilan, _ = import_centres(chemin, reseau="essai")
    assert bilan.crees == 1


def test_importing_twice_changes_nothing_and_hand_edits_survive(territoire: Territoire, tmp_path: Path) -> None:
    chemin = csv_file(tmp_path, "\n".join([ENTETE, ligne("Un", 1, "200000001", "100", "")]))
    import_centres(chemin)
    centre = Dechetterie.objects.get(nom="Un")
    Dechetterie.objects.filter(pk=centre.pk).update(nom="Nom corrigé", horaires="lundi", champs_manuels=["nom"])
    bilan, _ = import_centres(chemin)
    assert (bilan.crees, bilan.mis_a_jour, bilan.conserves) == (0, 1, 1)
    centre.refresh_from_db()
    assert (centre.nom, centre.horaires) == ("Nom corrigé", "")


def test_few_queries_for_many_rows(territoire: Territoire, tmp_path: Path, django_assert_max_num_queries: Any) -> None:
    lignes = [ligne(f"Centre {k}", 0.05 * k, dy=100.0 + 60 * k) for k in range(80)]
    chemin = csv_file(tmp_path, "\n".join(["nom;longitude;latitude", *lignes]))
    with django_assert_max_num_queries(12):
        bilan, _ = import_centres(chemin)
    assert bilan.crees == 80


def test_geojson_and_geopackage_with_columns_of_kinds_of_waste(territoire: Territoire, tmp_path: Path) -> None:
    point = shapely.Point(*degrees(1, 800))
    proprietes = {"id": "01", "name": "Valréas", "address": "Chemin", "city": "VILLE", "Bois": True, "Verre": False}
    contenu = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": proprietes, "geometry": shapely.geometry.mapping(point)}],
    }
    chemin = tmp_path / "centres.geojson"
    chemin.write_text(json.dumps(contenu), encoding="utf-8")
    import_centres(chemin)
    lu = Dechetterie.objects.get(nom="Valréas")
    assert (lu.code, lu.adresse, lu.dechets) == ("200000001-01", "Chemin, VILLE", ["bois"])

    metres = mairie(4)
    table = gpd.GeoDataFrame(
        {"code": ["G1"], "nom": ["Géo"]}, geometry=[shapely.Point(metres.x, metres.y + 700)], crs=2154
    )
    table.to_file(tmp_path / "centres.gpkg", layer="centres")
    import_centres(tmp_path / "centres.gpkg")
    assert Dechetterie.objects.get(code="G1").geom.distance(metres) == pytest.approx(700, abs=0.01)


def test_wrong_reference_is_said(territoire: Territoire, tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"nom": ["Géo"]}, geometry=[shapely.Point(800_000, 6_490_000)], crs=4326)
    table.to_file(tmp_path / "faux.gpkg", layer="centres")
    assert "coordonnées incompatibles" in refused(tmp_path / "faux.gpkg")


def test_a_file_that_is_no_table(territoire: Territoire, tmp_path: Path) -> None:
    (tmp_path / "vide.csv").write_bytes(b"")
    assert "vide.csv" in refused(tmp_path / "vide.csv")
    (tmp_path / "abime.gpkg").write_bytes(b"SQLite format 3\0rien")
    assert "abime.gpkg" in refused(tmp_path / "abime.gpkg")


def test_access_rules(territoire: Territoire, tmp_path: Path) -> None:
    bon = "Centre;Habitants de;Autorisé;Convention\nD3;200000002;oui;Convention de 2020\nD1;Haute-Loire;non;\n"
    bilan, _ = import_rules(csv_file(tmp_path, bon.replace("Autorisé", "autorise"), "regles.csv"))
    assert bilan.crees == 2
    assert RegleAcces.objects.get(dechetterie__code="D3").source == "Convention de 2020"
    assert not RegleAcces.objects.get(dechetterie__code="D1").autorise
    encore = csv_file(tmp_path, "centre;collectivite;autorise\nD3;200000002;non\n", "regles.csv")
    assert import_rules(encore)[0].mis_a_jour == 1

    mauvais = "centre;collectivite;autorise\nX9;43;oui\nD1;Nulle part;oui\nD1;43;peut-être\nD3;43;oui\nD3;43;non\n"
    with pytest.raises(DonneesRefusees) as erreur:
        import_rules(csv_file(tmp_path, mauvais, "regles.csv", "utf-8"))
    for attendu in (
        "ligne 2, champ « centre », valeur « X9 » : déchetterie inconnue.",
        "ligne 3, champ « collectivite », valeur « Nulle part » : collectivité inconnue",
        "ligne 4, champ « autorise », valeur « peut-être » : oui ou non est attendu.",
        "ligne 6, champ « centre », valeur « D3 » : règle en double (déjà à la ligne 5).",
    ):
        assert attendu in str(erreur.value)
    assert RegleAcces.objects.count() == 2


def test_points_of_population_replace_those_of_their_communes(territoire: Territoire, tmp_path: Path) -> None:
    lon, lat = degrees(2)
    premier = f"id;ind;lon;lat\na;12,5;{lon};{lat}\nb;3;{lon};{lat + 0.001}\n"
    bilan, _ = import_points(csv_file(tmp_path, premier, "carreaux.csv"))
    assert (bilan.crees, bilan.retires) == (2, 0)
    assert PointDemande.objects.get(code="42003-a").commune == territoire.communes["42003"]
    bilan, _ = import_points(csv_file(tmp_path, f"id;ind;lon;lat\nc;1;{lon};{lat}\n", "carreaux.csv"))
    assert (bilan.crees, bilan.retires) == (1, 2)
    with pytest.raises(DonneesRefusees, match="valeur négative"):
        import_points(csv_file(tmp_path, f"id;ind;lon;lat\nd;-1;{lon};{lat}\n", "carreaux.csv"))
    assert set(PointDemande.objects.values_list("code", flat=True)) == {"42003-c"}


def test_cells_are_taken_at_their_centre(territoire: Territoire, tmp_path: Path) -> None:
    centre = mairie(0)
    carreau = shapely.box(centre.x, centre.y, centre.x + 200, centre.y + 200)
    gpd.GeoDataFrame({"idcar_200m": ["c1"], "ind": [40.0]}, geometry=[carreau], crs=2154).to_file(tmp_path / "c.gpkg")
    import_points(tmp_path / "c.gpkg")
    assert PointDemande.objects.get().geom.x == pytest.approx(centre.x + 100, abs=0.01)


def test_centres_in_towns_are_a_rule_and_said_so(territoire: Territoire) -> None:
    bilan = place_in_towns(territoire.zone, 1)
    assert bilan.crees == 4
    codes = set(Dechetterie.objects.filter(hypothese=True).values_list("code", flat=True))
    assert codes == {"HYP-42001", "HYP-42003", "HYP-43001", "HYP-43003"}
    assert str(Dechetterie.objects.get(code="HYP-42001")).endswith("(hypothèse)")
    # The towns are those of the whole EPCI, even where the zone holds only a part of it.
    territoire.zone.communes.remove(territoire.communes["42001"])
    assert place_in_towns(territoire.zone, 1).mis_a_jour == 4
    assert place_in_towns(territoire.zone, 2).crees == 2
    assert place_in_towns(territoire.zone, 1).retires == 2
    with pytest.raises(DonneesRefusees, match="au moins 1"):
        place_in_towns(territoire.zone, 0)
    Commune.objects.update(mairie=None)
    with pytest.raises(DonneesRefusees, match="aucune commune"):
        place_in_towns(territoire.zone, 1)


def test_the_command(territoire: Territoire, tmp_path: Path) -> None:
    chemin = csv_file(tmp_path, "\n".join([ENTETE, ligne("Un", 1, "200000001", "100", "")]))
    sortie = io.StringIO()
    call_command("importer_dechetteries", chemin, stdout=sortie, source="SINOE", edition="2024")
    assert sortie.getvalue() == "1 ligne créée, 0 mise à jour.\n"
    assert Dechetterie.objects.get(nom="Un").edition == "2024"
    with pytest.raises(CommandError, match="Fichier introuvable"):
        call_command("importer_dechetteries", tmp_path / "absent.csv")
    faux = csv_file(tmp_path, "nom;longitude;latitude\nUn;-4.9;47.9", "faux.csv")
    with pytest.raises(CommandError, match="rien n'a été écrit"):
        call_command("importer_dechetteries", faux)


def test_metres_are_read_too(territoire: Territoire, tmp_path: Path) -> None:
    point = mairie(1)
    texte = f"nom;x;y\nMètres;{point.x + COTE / 4};{point.y}"
    import_centres(csv_file(tmp_path, texte))
    assert Dechetterie.objects.get(nom="Mètres").geom.x == pytest.approx(point.x + COTE / 4)
