"""Layers of road lines into arrays: columns, words, directions, nodes, and what cannot be read."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.classes import Acces, Classe, Gestion
from geodata.erreurs import ImportImpossible
from geodata.lecture_routes import (
    LIGNES,
    OMIS_NON_CARROSSABLE,
    OMIS_PROJET,
    OMIS_SANS_GEOMETRIE,
    read_lines,
)
from geodata.reseau import validate

Z, A, B, C = (800_000.0, 6_500_000.0), (800_100.0, 6_500_000.0), (800_200.0, 6_500_000.0), (800_100.0, 6_500_100.0)


def layer(
    chemin: Path, lignes: list[Any], srid: int | None = 2154, couche: str = "route", **colonnes: list[Any]
) -> Path:
    geom = [shapely.LineString(li) if isinstance(li, list) else li for li in lignes]
    gdf = gpd.GeoDataFrame(colonnes, geometry=geom, crs=2154)
    gdf.to_file(chemin, layer=couche, engine="pyogrio")
    return chemin


def test_nodes_are_the_ends(tmp_path: Path) -> None:
    reseau = read_lines(layer(tmp_path / "r.gpkg", [[Z, A], [A, B], [(A[0] + 0.004, A[1]), C]], x=[1, 2, 3]))
    validate(reseau)
    assert (reseau.n_noeuds, reseau.srid) == (4, 2154), "ends 4 mm apart are one node"
    assert reseau.source[1] == reseau.source[2] == reseau.cible[0]
    # Metres on the ground, not of the projection (which shortens or stretches by some 1e-4).
    assert reseau.longueur_m[0] == pytest.approx(100, rel=3e-3)
    assert reseau.lus[LIGNES] == 3 and not reseau.omis
    assert np.all(reseau.noeud_id > 0)


def test_z_is_ignored(tmp_path: Path) -> None:
    reseau = read_lines(layer(tmp_path / "r.gpkg", [shapely.LineString([(*Z, 500.0), (*A, 9999.0)])], x=[1]))
    assert reseau.longueur_m[0] == pytest.approx(100, rel=3e-3)


def test_bdtopo_v3_words(tmp_path: Path) -> None:
    reseau = read_lines(
        layer(
            tmp_path / "r.gpkg",
            [[Z, A], [A, B], [B, C], [C, Z], [Z, B], [A, C], [Z, C], [B, A]],
            cleabs=[f"TRONROUT000000000000{i}" for i in range(8)],
            nature=["Type autoroutier", "Bretelle", "Route à 1 chaussée", "Rond-point", "Chemin", "Route empierrée",
                    "Type autoroutier", "Route à 1 chaussée"],
            importance=["1", "1", "3", "4", "5", "6", "1", "5"],
            cpx_numero=["A47", None, "D500", "D12", None, None, "N88", None],
            cpx_classement_administratif=["Autoroute", None, "Départementale", "Départementale", None, None,
                                          "Nationale", None],
            sens_de_circulation=["Sens direct", "Sens inverse", "Double sens", "Sens direct", "Sans objet", None,
                                 "Sens direct", "Double sens"],
            etat_de_l_objet=["En service"] * 7 + ["En projet"],
            largeur_de_chaussee=[10.5, 4.0, 6.0, None, 3.0, 0.0, 7.0, 5.0],
            nombre_de_voies=["3", "1", "2", "1", None, None, "2", "2"],
            restriction_de_hauteur=[None, None, "3,5", None, None, None, None, None],
            restriction_de_poids_total=[None, None, "19", None, None, None, None, None],
            acces_vehicule_leger=["A péage", "Libre", "Libre", "Restreint aux ayants droit", "Libre",
                                  "Physiquement impossible", "Libre", "Libre"],
            position_par_rapport_au_sol=["0", "1", "-1", "0", "0", "0", "0", "0"],
            urbain=[False, False, True, False, False, False, False, False],
            prive=[False] * 8,
        )
    )  # fmt: skip
    validate(reseau)
    assert reseau.omis == {OMIS_NON_CARROSSABLE: 1, OMIS_PROJET: 1}
    assert reseau.lus[LIGNES] == 6
    assert reseau.classe.tolist() == [
        Classe.AUTOROUTE, Classe.PRIMAIRE, Classe.SECONDAIRE, Classe.TERTIAIRE, Classe.DESSERTE, Classe.VOIE_RAPIDE
    ]  # fmt: skip
    assert reseau.bretelle.tolist() == [False, True, False, False, False, False]
    assert reseau.gestion.tolist()[:4] == [
        Gestion.AUTOROUTE, Gestion.COMMUNALE, Gestion.DEPARTEMENTALE, Gestion.DEPARTEMENTALE
    ]  # fmt: skip
    assert reseau.sens_unique.tolist() == [True, True, False, True, False, True]
    # « Sens inverse »: drawn from B to A in the file, driven from C... to its start.
    assert (reseau.geom_x[reseau.geom_debut[1]], reseau.geom_x[reseau.geom_debut[2] - 1]) == (B[0], A[0])
    assert reseau.hauteur_max_m[2] == 3.5 and reseau.tonnage_max_t[2] == 19
    assert reseau.largeur_m[0] == 10.5 and np.isnan(reseau.largeur_m[3]) and np.isnan(reseau.largeur_m[4])
    assert reseau.voies.tolist() == [3, 1, 2, 1, 0, 2]
    assert reseau.pont.tolist()[1] and reseau.tunnel.tolist()[2]
    assert Acces.PRIVE in Acces(int(reseau.acces[3])) and Acces.VOITURE not in Acces(int(reseau.acces[4]))
    assert reseau.vmax_aller.tolist()[:4] == [130, 70, 50, 80]
    assert [reseau.textes[i] for i in reseau.ref] == ["A47", "", "D500", "D12", "", "N88"]
    assert len(set(reseau.voie_id.tolist())) == 6 and reseau.voie_id[2] == 2


def test_route_500_words(tmp_path: Path) -> None:
    reseau = read_lines(
        layer(
            tmp_path / "TRONCON_ROUTE.shp",
            [[Z, A], [A, B], [B, C], [C, Z]],
            ID_RTE500=[1, 2, 3, 4],
            VOCATION=["Type autoroutier", "Liaison principale", "Liaison régionale", "Bretelle"],
            SENS=["Sens unique", "Double sens", "Sens inverse", "Double sens"],
            NUM_ROUTE=["A72", "N82", "D3", None],
            CLASS_ADM=["Autoroute", "Nationale", "Départementale", "Sans objet"],
            ACCES=["A péage", "Libre", "Libre", "Interdit aux véhicules"],
        )
    )
    assert reseau.classe.tolist() == [Classe.AUTOROUTE, Classe.PRIMAIRE, Classe.SECONDAIRE, Classe.LOCALE]
    assert reseau.sens_unique.tolist() == [True, False, True, False]
    assert Acces.VOITURE not in Acces(int(reseau.acces[3]))
    assert reseau.srid == 2154


def test_zipped_shapefile(tmp_path: Path) -> None:
    dossier = tmp_path / "couche"
    dossier.mkdir()
    layer(dossier / "routes.shp", [[Z, A], [A, B]], NUMERO=["D1", "D2"])
    archive = shutil.make_archive(str(tmp_path / "routes"), "zip", dossier)
    reseau = read_lines(Path(archive))
    assert [reseau.textes[i] for i in reseau.ref] == ["D1", "D2"] and reseau.srid == 2154


def test_columns_told_by_the_agent(tmp_path: Path) -> None:
    chemin = layer(
        tmp_path / "r.gpkg",
        [[Z, A], [A, B]],
        NUMERO_RD=["RD 500", "RD 12"],
        numero=["faux", "faux"],
        VIT=["70 km/h", "vite"],
    )
    reseau = read_lines(chemin, columns={"ref": "numero_rd", "vmax": "VIT"})
    assert [reseau.textes[i] for i in reseau.ref] == ["RD 500", "RD 12"]
    assert reseau.gestion.tolist() == [Gestion.DEPARTEMENTALE] * 2 and reseau.classe.tolist() == [Classe.SECONDAIRE] * 2
    assert reseau.vmax_aller.tolist() == [70, 80] and reseau.vmax_ecrite.tolist() == [True, False]
    assert reseau.lus["champ « VIT » illisible, ignoré (ligne 2 : « vite »...)"] == 1
    sans = read_lines(chemin, columns={"ref": ""})
    assert sans.textes == ("",)


def test_identifiers_of_nodes(tmp_path: Path) -> None:
    chemin = layer(tmp_path / "r.gpkg", [[Z, A], [A, B], [A, C]], source=["n1", "n2", "n2"], target=["n2", "n3", "n4"])
    reseau = read_lines(chemin)
    assert reseau.noeud_id.tolist() == [1, 2, 3, 4]
    # A bridge: told apart by its identifier although it ends at the same place.
    pont = read_lines(
        layer(tmp_path / "p.gpkg", [[Z, A], [A, B], [A, C]], source=[1, 2, 9], target=[2, 3, 4], direction=[0, -1, 1])
    )
    assert pont.n_noeuds == 5 and pont.sens_unique.tolist() == [False, True, True]
    assert pont.noeud_id[pont.source].tolist() == [1, 3, 9] and pont.noeud_id[pont.cible].tolist() == [2, 2, 4]
    with pytest.raises(ImportImpossible, match="vont ensemble"):
        read_lines(chemin, columns={"source": "source", "cible": ""})


def test_repeated_identifiers_are_pieces_of_one_way(tmp_path: Path) -> None:
    reseau = read_lines(layer(tmp_path / "r.gpkg", [[Z, A], [A, B], [B, C]], id=[7, 8, 7]))
    assert list(zip(reseau.voie_id.tolist(), reseau.rang.tolist(), strict=True)) == [(7, 0), (8, 0), (7, 1)]


def test_lines_in_parts(tmp_path: Path) -> None:
    jointe = shapely.MultiLineString([[Z, A], [A, B]])
    separee = shapely.MultiLineString([[Z, C], [B, (900_000.0, 6_500_000.0)]])
    reseau = read_lines(layer(tmp_path / "r.gpkg", [jointe, separee], id=[1, 2]))
    assert reseau.n_troncons == 3
    assert list(zip(reseau.voie_id.tolist(), reseau.rang.tolist(), strict=True)) == [(1, 0), (2, 0), (2, 1)]
    assert reseau.lus["parties de lignes séparées"] == 2


def test_rows_without_geometry_are_counted(tmp_path: Path) -> None:
    reseau = read_lines(layer(tmp_path / "r.gpkg", [[Z, A], None, shapely.LineString()], id=[1, 2, 3]))
    assert reseau.n_troncons == 1 and reseau.omis == {OMIS_SANS_GEOMETRIE.format(ligne=2): 2}


def test_unreadable_wkt_is_told_with_its_row(tmp_path: Path) -> None:
    chemin = tmp_path / "r.csv"
    chemin.write_text('id;wkt\n1;"LINESTRING (4 45.5, 4.1 45.5)"\n2;"LINESTRIN (4 45.5"\n3;\n')
    assert read_lines(chemin, srid=4326).omis == {OMIS_SANS_GEOMETRIE.format(ligne=3): 2}


def test_unknown_words_are_told(tmp_path: Path) -> None:
    chemin = layer(tmp_path / "r.gpkg", [[Z, A], [A, B]], classe=["Truc", "Nationale"], sens=["oblique", "Double"])
    reseau = read_lines(chemin)
    assert reseau.lus["classe inconnue « truc » (d'après le numéro)"] == 1
    assert reseau.lus["champ « sens » illisible, pris à double sens (ligne 1 : « oblique »...)"] == 1
    assert reseau.classe.tolist() == [Classe.LOCALE, Classe.PRIMAIRE]


@pytest.mark.parametrize("encodage", ["utf-8", "cp1252"])
@pytest.mark.parametrize("separateur", [",", ";"])
def test_csv_with_wkt(tmp_path: Path, encodage: str, separateur: str) -> None:
    chemin = tmp_path / "r.csv"
    lignes = [
        ["id", "nom", "largeur", "direction", "wkt"],
        ["1", "Rue de l'Église", '"5,5"', "0", '"LINESTRING (4.0 45.5,4.001 45.5)"'],
        ["2", "Chaussée", "", "-1", '"LINESTRING (4.001 45.5,4.001 45.501,4.002 45.501)"'],
    ]
    chemin.write_text("\n".join(separateur.join(li) for li in lignes) + "\n", encoding=encodage)
    reseau = read_lines(chemin, srid=4326)
    assert [reseau.textes[i] for i in reseau.nom] == ["Rue de l'Église", "Chaussée"]
    assert reseau.largeur_m[0] == 5.5 and np.isnan(reseau.largeur_m[1])
    assert reseau.sens_unique.tolist() == [False, True] and reseau.cible[1] == reseau.cible[0]
    assert reseau.srid == 4326


def test_compressed_csv_and_its_row_numbers(tmp_path: Path) -> None:
    lignes = ["id;vmax;wkt"] + [f'{i};{v};"LINESTRING (4.{i} 45.5, 4.{i} 45.6)"' for i, v in enumerate((50, "x", "y"))]
    chemin = tmp_path / "r.csv.gz"
    chemin.write_bytes(gzip.compress("\n".join(lignes).encode()))
    reseau = read_lines(chemin, srid=4326)
    assert reseau.vmax_ecrite.tolist() == [True, False, False]
    assert reseau.lus["champ « vmax » illisible, ignoré (ligne 3 : « x »...)"] == 2
    chemin.write_bytes(chemin.read_bytes()[:-20])
    with pytest.raises(ImportImpossible, match=r"r\.csv\.gz : fichier compressé abîmé"):
        read_lines(chemin, srid=4326)


def test_other_projections_come_in_degrees(tmp_path: Path) -> None:
    cc45 = gpd.GeoSeries([shapely.LineString([Z, A])], crs=2154).to_crs(3945)
    chemin = tmp_path / "r.gpkg"
    gpd.GeoDataFrame({"id": [1]}, geometry=cc45).to_file(chemin, layer="r")
    reseau = read_lines(chemin)
    attendu = gpd.GeoSeries([shapely.Point(Z)], crs=2154).to_crs(4326)[0]
    assert reseau.srid == 4326
    assert (reseau.geom_x[0], reseau.geom_y[0]) == pytest.approx((attendu.x, attendu.y), abs=1e-8)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    bon = layer(tmp_path / "r.gpkg", [[Z, A]], id=[1])
    with pytest.raises(ImportImpossible, match=r"r\.gpkg : couche « rue » absente. Couches du fichier : route"):
        read_lines(bon, "rue")
    with pytest.raises(ImportImpossible, match=r"r\.gpkg, couche « route » : colonne « VITESSE » absente .*vmax.*id"):
        read_lines(bon, columns={"vmax": "VITESSE"})
    with pytest.raises(ImportImpossible, match=r"Colonne inconnue : vitesse\. Colonnes possibles : id, source"):
        read_lines(bon, columns={"vitesse": "id"})
    with pytest.raises(ImportImpossible, match="fichier introuvable"):
        read_lines(tmp_path / "nul.gpkg")
    vide = tmp_path / "vide.gpkg"
    vide.touch()
    with pytest.raises(ImportImpossible, match=r"vide\.gpkg : fichier vide"):
        read_lines(vide)
    abime = tmp_path / "abime.gpkg"
    abime.write_bytes(b"pas un GeoPackage" * 100)
    with pytest.raises(ImportImpossible, match=r"abime\.gpkg : fichier illisible"):
        read_lines(abime)
    layer(bon, [[Z, B]], couche="autre", id=[1])
    with pytest.raises(ImportImpossible, match=r"plusieurs couches \(route, autre\). Précisez --couche"):
        read_lines(bon)
    points = tmp_path / "points.gpkg"
    gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.Point(Z)], crs=2154).to_file(points, layer="p")
    with pytest.raises(ImportImpossible, match=r"points\.gpkg, couche « p » : ce ne sont pas des lignes"):
        read_lines(points)
    sentiers = layer(tmp_path / "s.gpkg", [[Z, A]], nature=["Sentier"])
    with pytest.raises(ImportImpossible, match=r"s\.gpkg : aucune route carrossable"):
        read_lines(sentiers)


def test_wrong_reference_is_told(tmp_path: Path) -> None:
    sans = tmp_path / "sans.csv"
    sans.write_text('id,wkt\n1,"LINESTRING (4.0 45.5,4.001 45.5)"\n')
    with pytest.raises(ImportImpossible, match=r"sans\.csv : projection inconnue. Précisez --srid"):
        read_lines(sans)
    with pytest.raises(ImportImpossible, match="en degrés alors que la projection dite est"):
        read_lines(sans, srid=2154)
    metres = layer(tmp_path / "m.gpkg", [[Z, A]], id=[1])
    with pytest.raises(ImportImpossible, match="impossibles en degrés"):
        read_lines(metres, srid=4326)
    with pytest.raises(ImportImpossible, match="projection incompréhensible"):
        read_lines(metres, srid=999_999)
