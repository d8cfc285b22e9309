"""Cartes scolaires as they are published: every fault is read, told, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from collèges.carte_scolaire import (
    CarteIllisible,
    CarteScolaire,
    CollegePublic,
    compare,
    enumerate_names,
    read_colleges,
    read_enrolments,
    read_sectors,
    valid_uai,
)

ENTETE = "code_insee,libelle_commune,Type_et_Libelle,No_de_voie_debut,No_de_voie_fin,Parite,Code_RNE,Secteur_unique"
A, B, C = "0350001L", "0350002M", "0350003N"


def carte(tmp_path: Path, *lignes: str, entete: str = ENTETE, codage: str = "utf-8") -> CarteScolaire:
    fichier = tmp_path / "carte.csv"
    fichier.write_bytes("\n".join([entete, *lignes, ""]).encode(codage))
    return read_sectors(fichier)


def faute(lue: CarteScolaire, mot: str) -> str:
    (trouvee,) = [phrase for phrase in lue.fautes if mot in phrase]
    return trouvee


def test_the_letter_of_a_uai_checks_its_figures() -> None:
    assert [valid_uai(code) for code in (A, B, C, "0352167R")] == [True] * 4
    assert not any(valid_uai(code) for code in ("0350001A", "0350001", "035000AL", "", "0350001l"))


def test_whole_communes_without_fault(tmp_path: Path) -> None:
    lue = carte(tmp_path, f"35002,Bé,,,,,{B},O", f"35001,Acigné,,,,,{A},O")
    assert [(c.code, c.nom, c.colleges, c.par_rues) for c in lue.communes] == [
        ("35001", "Acigné", (A,), False),
        ("35002", "Bé", (B,), False),
    ]
    assert lue.fautes == ()
    assert lue.colleges == (A, B)


@pytest.mark.parametrize("codage", ["utf-8-sig", "cp1252"])
def test_other_separators_and_encodings(tmp_path: Path, codage: str) -> None:
    entete = ENTETE.replace(",", ";")
    lue = carte(tmp_path, f"35001;Acigné;;;;;{A};O", entete=entete, codage=codage)
    assert lue.communes[0].nom == "Acigné"


def test_each_fault_is_told(tmp_path: Path) -> None:
    lue = carte(
        tmp_path,
        f"35001,Partagée,,,,,{A},O",
        f"35001,Partagée,,,,,{B},O",
        *[f"35002,Trois,,,,,{uai},O" for uai in (A, B, C)],
        f"35003,Rues,RUE HAUTE,1,9999,PI,{A},N",
        f"35003,Rues,RUE BASSE,1,9999,PI,{B},N",
        f"35004,Mixte,,,,,{A},O",
        f"35004,Mixte,RUE HAUTE,1,9999,PI,{B},N",
        f"35005,Double,,,,,{A},O",
        f"35005,Double,,,,,{A},O",
        "35006,Faux,,,,,0350001A,O",
        f",Sans code,,,,,{A},O",
        "35007,Sans collège,,,,,,O",
        f"35008,Contraire,RUE HAUTE,1,9,PI,{A},O",
        f"35009,Envers,RUE HAUTE,9,1,PI,{A},N",
    )
    assert "(1) : Partagée (35001)" in faute(lue, "secteur partagé entre deux")
    assert "Trois (35002, 3 collèges)" in faute(lue, "plus de deux")
    assert "(4) : Rues (35003, 2 collèges), Mixte (35004, 2 collèges), Contraire (35008, 1 collège)" in faute(
        lue, "découpées par rues"
    )
    assert "Mixte (35004)" in faute(lue, "à la fois entières et par rues")
    assert "Double (0350001L)" in faute(lue, "plusieurs fois pour le même collège")
    assert "0350001A" in faute(lue, "UAI mal formés")
    assert "ligne 14, ligne 15" in faute(lue, "sans code de commune ou sans collège")
    assert "ligne 16 (Contraire)" in faute(lue, "se contredisent")
    assert "ligne 17 (Envers, RUE HAUTE)" in faute(lue, "à l'envers")


@pytest.mark.parametrize(
    ("une", "autre", "contredit"),
    [
        ("1,9999,PI", "1,9999,PI", True),
        ("1,9,PI", "10,20,PI", False),
        ("1,9,PI", "9,20,PI", True),
        ("1,99,I", "2,98,P", False),
        ("1,99,I", "2,98,PI", True),
        ("1,9,I", "8,20,I", True),
        # 10 is the only number in common, and even.
        ("1,10,I", "10,20,I", False),
        ("1,10,P", "10,20,PI", True),
    ],
)
def test_streets_of_two_collèges(tmp_path: Path, une: str, autre: str, contredit: bool) -> None:
    lue = carte(tmp_path, f"35001,Ville,RUE HAUTE,{une},{A},N", f"35001,Ville,RUE HAUTE,{autre},{B},N")
    assert any("plusieurs secteurs à la fois (1) : Ville : 1" in phrase for phrase in lue.fautes) == contredit


def test_the_same_stretch_twice(tmp_path: Path) -> None:
    lue = carte(tmp_path, *[f"35001,Ville,RUE HAUTE,1,9,PI,{A},N"] * 3)
    assert faute(lue, "tronçons de rue écrits plusieurs fois").endswith(": 2")


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CarteIllisible, match=r"carte\.csv : colonne absente « Code_RNE »"):
        carte(tmp_path, "x", entete=ENTETE.replace("Code_RNE", "UAI"))


def college(uai: str, **changes: object) -> CollegePublic:
    valeurs = {
        "uai": uai, "nom": f"Collège {uai}", "secteur": "Public", "commune": "35001", "departement": "35",
        "lon": -1.6, "lat": 48.1, "effectif": 400.0, "ips": 100.0,
    }  # fmt: skip
    return CollegePublic(**(valeurs | changes))  # type: ignore[arg-type]


def test_faults_against_the_other_files(tmp_path: Path) -> None:
    lue = carte(
        tmp_path,
        f"35001,Une,,,,,{A},O",
        f"35002,Deux,,,,,{B},O",
        f"35003,Trois,,,,,{C},O",
        "35004,Quatre,,,,,0350004P,O",
    )
    autre = "0350005R"
    colleges = {
        A: college(A, secteur="Privé", effectif=None),
        B: college(B, lat=None, departement="22"),
        C: college(C),
        autre: college(autre),
    }
    phrases = compare(lue, colleges, {"35001": "Une", "35002": "Deux", "35009": "Neuf"}, "35")
    assert phrases == [
        "UAI de la carte scolaire inconnus du fichier des collèges (1) : 0350004P",
        f"secteurs d'un collège privé (1) : {A}",
        f"collèges sans coordonnées (1) : {B}",
        f"collèges sans effectif connu (1) : {A}",
        f"collèges d'un autre département (1) : {B}",
        f"collèges publics sans aucun secteur (1) : Collège {autre} ({autre})",
        "communes de la carte scolaire absentes du fichier des communes (fusions) (2) : Trois (35003), Quatre (35004)",
        "communes sans secteur (1) : Neuf (35009)",
    ]


def test_long_lists_are_cut() -> None:
    assert enumerate_names([str(k) for k in range(12)]).endswith("10, 11")
    assert enumerate_names([str(k) for k in range(15)]).endswith("10, 11 et 3 autres")


def test_colleges_and_enrolments(tmp_path: Path) -> None:
    fichier = tmp_path / "colleges.csv"
    fichier.write_text(
        "uai,nom,secteur,code_insee,code_departement,latitude,longitude,effectifs_2022_2023,ips_2022_2023\n"
        f"{A},Collège Un,Public,35001,35,48.1,-1.6,412.0,101.5\n"
        f"{B},Collège Deux,Privé,35002,35,,,,\n"
        f"{C},Collège Trois,Public,35003,35,nan,inf,NS,-\n"
    )
    lus = read_colleges(fichier)
    assert lus[A] == CollegePublic(A, "Collège Un", "Public", "35001", "35", -1.6, 48.1, 412.0, 101.5)
    for uai in (B, C):
        assert (lus[uai].lon, lus[uai].lat, lus[uai].effectif, lus[uai].ips) == (None,) * 4
    effectifs = tmp_path / "effectifs.csv"
    total = "Nombre d'élèves total (hors dispositifs)"
    colonnes = "Rentrée scolaire,Numéro du collège,Dénomination principale,Patronyme,Secteur"
    effectifs.write_text(
        f'{colonnes},"{total}",Nombre total de 6èmes\n'
        f"2019,{A},COLLEGE,UN,PUBLIC,412,100\n2020,{A},LYCEE,UN,PUBLIC,,99\n2021,{B},LYCEE,DEUX,PRIVE,30,8\n"
    )
    assert [(e.uai, e.annee, e.total, e.sixiemes, e.est_college) for e in read_enrolments(effectifs)] == [
        (A, 2019, 412.0, 100.0, True),
        (B, 2021, 30.0, 8.0, False),
    ]
