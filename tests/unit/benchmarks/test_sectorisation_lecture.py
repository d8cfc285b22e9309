"""Districts and county graphs as they are published: read by their numbers, whatever the order, or refused by place."""

from __future__ import annotations

import gzip
import heapq
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.sectorisation_lecture import (
    Comtes,
    District,
    find,
    known_values,
    read_district,
    read_graph,
)
from benchmarks.sectorisation_tables import JeuInvalide
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN
from collèges.resultat import Plan

#: A map whose numbers are never their positions; A-D touch at a point, C-D hardly more (1 m).
ZONES = {"A": (0.0, 0.0), "B": (3.0, 0.0), "C": (3.0, 4.0), "D": (0.0, 4.0), "E": (6.0, 4.0)}
BORDS = {("A", "B"): 900.5, ("C", "B"): 70.0, ("D", "A"): 0.0, ("C", "D"): 1.0, ("E", "C"): 1.1, ("D", "B"): 5.0}
ELEVES = {"A": 30, "B": 20, "C": 45, "D": 10, "E": 5}
ACTUEL = {"A": "21", "B": "21", "C": "4", "D": "4", "E": "4"}
#: School: code, name, zone, places.
ECOLES = {"21": ("VIE", "La Vieille", "B", 60.0), "4": ("NEU", "La Neuve", "C", 100.0)}
MINUTES = {z: {"21": 3.0 + 2 * i, "4": 12.5 - i} for i, z in enumerate(ZONES)}


def table(chemin: Path, entete: str, lignes: list[Any]) -> None:
    texte = "\n".join([entete, *(",".join(str(v) for v in ligne) for ligne in lignes)]) + "\n"
    if chemin.suffix == ".gz":
        chemin.write_bytes(gzip.compress(texte.encode()))
    else:
        chemin.write_text(texte, encoding="utf-8")


def real(dossier: Path, niveau: str = "mid") -> District:
    """The form of the real district: several levels, no minutes."""
    dossier.mkdir(parents=True, exist_ok=True)
    table(dossier / "zones.csv", "zone,area_km2,x_km,y_km", [(z, 1.0, x, y) for z, (x, y) in ZONES.items()])
    table(dossier / "adjacency.csv", "zone_a,zone_b,shared_border_m", [(a, b, m) for (a, b), m in BORDS.items()])
    ecoles = [(e, code, nom, z, *ZONES[z], places) for e, (code, nom, z, places) in ECOLES.items()]
    table(dossier / f"schools_{niveau}.csv", "school,code,name,zone,x_km,y_km,capacity", ecoles)
    lignes = [(z, ELEVES[z], ACTUEL[z]) for z in ZONES]
    table(dossier / f"assignment_{niveau}.csv", "zone,pupils,current_school", lignes)
    return District("jeu", dossier, niveau)


def made(dossier: Path) -> District:
    """The form of the made cases: one level, minutes, borders without length."""
    dossier.mkdir(parents=True, exist_ok=True)
    zones = [(z, x, y, ELEVES[z], ACTUEL[z]) for z, (x, y) in ZONES.items()]
    table(dossier / "zones.csv", "zone,x_km,y_km,pupils,current_school", zones)
    table(dossier / "adjacency.csv", "zone_a,zone_b", [paire for paire, metres in BORDS.items() if metres > 1])
    table(dossier / "schools.csv", "school,zone,capacity", [(e, z, p) for e, (_, _, z, p) in ECOLES.items()])
    minutes = [(z, *MINUTES[z].values()) for z in ZONES]
    table(dossier / "minutes.csv.gz", "zone," + ",".join(f"s{e}" for e in ECOLES), minutes)
    return District("jeu", dossier, "")


def walk(depart: str) -> dict[str, float]:
    """Kilometres along the borders longer than 1 m, an edge being 0.05 km and the straight distance."""
    vues: dict[str, float] = {}
    tas = [(0.0, depart)]
    while tas:
        km, zone = heapq.heappop(tas)
        if zone in vues:
            continue
        vues[zone] = km
        for (a, b), metres in BORDS.items():
            if metres > 1 and zone in (a, b):
                voisine = b if zone == a else a
                dx, dy = (ZONES[a][k] - ZONES[b][k] for k in (0, 1))
                heapq.heappush(tas, (km + 0.05 + (dx * dx + dy * dy) ** 0.5, voisine))
    return vues


def objective(plan: dict[str, str], minutes: Callable[[str, str], float]) -> float:
    """The README's, from the same numbers as the files: nothing of the solver's."""
    cout = sum(ELEVES[z] * (minutes(z, e) + (10 if e != ACTUEL[z] else 0)) for z, e in plan.items())
    for ecole, (_, _, _, places) in ECOLES.items():
        charge = sum(ELEVES[z] for z in plan if plan[z] == ecole)
        cout += 60 * (max(0.0, charge - places) + max(0.0, 0.75 * places - charge))
    return cout


def by_road(zone: str, ecole: str) -> float:
    return round(1.2 * walk(ECOLES[ecole][2])[zone] / 35 * 60 + 1, 1)


PLANS = [dict(ACTUEL), {**ACTUEL, "D": "21"}, {**ACTUEL, "A": "4", "E": "21"}]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("forme", [real, made])
def test_the_cost_is_the_one_of_the_readme(tmp_path: Path, forme: Callable[[Path], District], plan: Any) -> None:
    problem = read_district(forme(tmp_path))
    rang = list(ECOLES)
    college = np.array([(rang.index(plan[z]), AUCUN) for z in problem.zone_code], dtype=np.int32)
    minutes = by_road if forme is real else lambda z, e: MINUTES[z][e]
    assert evaluate(problem, Plan(college)).cout == pytest.approx(objective(plan, minutes))


def test_what_is_read(tmp_path: Path) -> None:
    problem = read_district(real(tmp_path))
    assert problem.zone_code == tuple(ZONES)
    assert problem.college_code == ("VIE", "NEU") and problem.college_nom == ("La Vieille", "La Neuve")
    assert problem.college_zone.tolist() == [1, 2] and problem.present[:, 0].tolist() == [0, 0, 1, 1, 1]
    assert problem.capacite.tolist() == [[60.0, 100.0]] and problem.eleves.tolist() == [[30.0, 20.0, 45.0, 10.0, 5.0]]
    assert problem.zone_x.tolist() == [0.0, 3000.0, 3000.0, 0.0, 6000.0]
    bords = {(int(a), int(b)): float(m) for (a, b), m in zip(problem.arete, problem.frontiere_m, strict=True)}
    # A point, or a border of 1 m or less, is no border.
    assert bords == {(0, 1): 900.5, (1, 2): 70.0, (0, 3): 0.0, (2, 3): 0.0, (2, 4): 1.1, (1, 3): 5.0}
    assert problem.regles.zones_propres and problem.remplissage_min.tolist() == [0.75, 0.75]
    autre = read_district(made(tmp_path / "autre"))
    assert autre.college_code == ("21", "4") and autre.college_nom == ("Collège 21", "Collège 4")


@pytest.mark.parametrize("forme", [real, made])
@pytest.mark.parametrize("graine", range(3))
def test_a_number_is_never_a_position(tmp_path: Path, forme: Callable[[Path], District], graine: int) -> None:
    """Rows of every file in any order: the same cost for the same plan, by number."""
    district = forme(tmp_path)
    alea = random.Random(graine)
    for chemin in tmp_path.iterdir():
        lire: Any = gzip.open if chemin.suffix == ".gz" else open
        with lire(chemin, "rt", encoding="utf-8") as fichier:
            entete, *lignes = fichier.read().splitlines()
        alea.shuffle(lignes)
        table(chemin, entete, [[ligne] for ligne in lignes])
    problem = read_district(district)
    noms = [
        code if forme is made else next(e for e, v in ECOLES.items() if v[0] == code) for code in problem.college_code
    ]
    minutes = by_road if forme is real else lambda z, e: MINUTES[z][e]
    for plan in PLANS:
        college = np.array([(noms.index(plan[z]), AUCUN) for z in problem.zone_code], dtype=np.int32)
        assert evaluate(problem, Plan(college)).cout == pytest.approx(objective(plan, minutes))
    assert {z: noms[problem.present[i, 0]] for i, z in enumerate(problem.zone_code)} == ACTUEL


def test_blanks_pairs_both_ways_and_a_byte_order_mark(tmp_path: Path) -> None:
    """No school today, no road; a list of borders that gives each pair twice; what spreadsheets write first."""
    district = made(tmp_path)
    zones = [(z, x, y, ELEVES[z], "" if z == "E" else ACTUEL[z]) for z, (x, y) in ZONES.items()]
    table(tmp_path / "zones.csv", "\ufeffzone,x_km,y_km,pupils,current_school", zones)
    table(tmp_path / "adjacency.csv", "zone_a,zone_b", [p for a, b in BORDS for p in ((a, b), (b, a))])
    (tmp_path / "minutes.csv.gz").unlink()
    table(tmp_path / "minutes.csv", "21,zone,4", [(m["21"], z, "" if z == "A" else m["4"]) for z, m in MINUTES.items()])
    problem = read_district(district)
    assert problem.present[:, 0].tolist() == [0, 0, 1, 1, AUCUN]
    assert len(problem.arete) == len(BORDS) and set(problem.frontiere_m) == {1000.0}
    assert np.isinf(problem.minutes).tolist() == [[False, True], *[[False, False]] * 4]


@pytest.mark.parametrize(("retour", "longueur"), [(70.1, 70.05), (71.0, 70.5), (71.1, None), (7.0, None)])
def test_a_border_given_both_ways(tmp_path: Path, retour: float, longueur: float | None) -> None:
    """Rounded otherwise on the way back: the mean; another length altogether: refused."""
    district = real(tmp_path)
    lignes = [(a, b, m) for (a, b), m in BORDS.items()]
    table(tmp_path / "adjacency.csv", "zone_a,zone_b,shared_border_m", [*lignes, ("B", "C", retour)])
    if longueur is None:
        with pytest.raises(JeuInvalide, match=r"ligne 8 : couple déjà donné avec une autre longueur \(B, C\)"):
            read_district(district)
        return
    problem = read_district(district)
    bords = {(int(a), int(b)): float(m) for (a, b), m in zip(problem.arete, problem.frontiere_m, strict=True)}
    assert len(bords) == len(BORDS) and bords[1, 2] == pytest.approx(longueur)


FAUTES = [
    ("zones.csv", "x_km", "est_km", "zones.csv : colonne x_km absente"),
    ("zones.csv", "C,1.0,3.0", "C,1.0,3;0", "zones.csv, ligne 4, x_km : « 3;0 » (nombre attendu)"),
    ("zones.csv", "C,1.0,3.0", "C,1.0,nan", "zones.csv, ligne 4, x_km : « nan » (nombre attendu)"),
    ("zones.csv", "C,1.0", "B,1.0", "zones.csv, ligne 4, zone : « B » vide ou en double"),
    ("zones.csv", "C,1.0", ",1.0", "zones.csv, ligne 4, zone : «  » vide ou en double"),
    ("zones.csv", "E,1.0,6.0,4.0", "E,1.0,6.0,4.0,8", "zones.csv, ligne 6 : plus de valeurs que de colonnes"),
    ("zones.csv", "E,1.0,6.0,4.0", "E,1.0,6.0", "zones.csv, ligne 6, y_km : «  » (nombre attendu)"),
    ("adjacency.csv", "zone_b", "b", "adjacency.csv : colonne zone_b absente"),
    ("adjacency.csv", "C,B,", "C,F,", "adjacency.csv, ligne 3, zone_b : zone « F » inconnue"),
    ("adjacency.csv", "C,B,70.0", "C,B,-7",
     "adjacency.csv, ligne 3, shared_border_m : « -7 » (nombre positif attendu)"),
    ("adjacency.csv", "C,B,", "B,B,", "adjacency.csv, ligne 3 : zone voisine d'elle-même (B, B)"),
    ("adjacency.csv", "C,B,", "B,A,", "adjacency.csv, ligne 3 : couple déjà donné avec une autre longueur (B, A)"),
    ("schools_mid.csv", "capacity", "places", "schools_mid.csv : colonne capacity absente"),
    ("schools_mid.csv", "100.0", "cent", "schools_mid.csv, ligne 3, capacity : « cent » (nombre positif attendu)"),
    ("schools_mid.csv", "100.0", "inf", "schools_mid.csv, ligne 3, capacity : « inf » (nombre positif attendu)"),
    ("schools_mid.csv", "La Neuve,C", "La Neuve,Z", "schools_mid.csv, ligne 3, zone : zone « Z » inconnue"),
    ("schools_mid.csv", "La Neuve,C", "La Neuve,", "schools_mid.csv, ligne 3, zone : zone «  » inconnue"),
    ("schools_mid.csv", "4,NEU", "21,NEU", "schools_mid.csv, ligne 3, school : « 21 » vide ou en double"),
    ("schools_mid.csv", "4,NEU", "4,VIE", "jeu : college_code : code « VIE » en double"),
    ("assignment_mid.csv", "current_school", "school", "assignment_mid.csv : colonne current_school absente"),
    ("assignment_mid.csv", "B,20,21", "B,20,0", "assignment_mid.csv, ligne 3, current_school : école « 0 » inconnue"),
    ("assignment_mid.csv", "B,20,21", "B,-2,21",
     "assignment_mid.csv, ligne 3, pupils : « -2 » (nombre positif attendu)"),
    ("assignment_mid.csv", "B,20,21", "1,20,21", "assignment_mid.csv, ligne 3, zone : zone « 1 » inconnue"),
    ("assignment_mid.csv", "B,20,21", "A,20,21", "assignment_mid.csv, ligne 3, zone : « A » vide ou en double"),
    ("assignment_mid.csv", "B,20,21\n", "", "assignment_mid.csv : zone B absente"),
]  # fmt: skip


@pytest.mark.parametrize(("fichier", "juste", "faux", "phrase"), FAUTES)
def test_a_faulty_file_is_named(tmp_path: Path, fichier: str, juste: str, faux: str, phrase: str) -> None:
    district = real(tmp_path)
    texte = (tmp_path / fichier).read_text(encoding="utf-8")
    assert texte.count(juste) == 1
    (tmp_path / fichier).write_text(texte.replace(juste, faux), encoding="utf-8")
    with pytest.raises(JeuInvalide) as faute:
        read_district(district)
    assert str(faute.value) == phrase


@pytest.mark.parametrize(
    ("entete", "ligne", "phrase"),
    [
        ("zone,s21,s4", "B,1,2,3", "minutes.csv.gz, ligne 3 : plus de valeurs que de colonnes"),
        ("zone,s21,s4", "B,1,deux", "minutes.csv.gz, ligne 3, s4 : « deux » (nombre positif attendu)"),
        ("zone,s21,s4", "B,-1,2", "minutes.csv.gz, ligne 3, s21 : « -1 » (nombre positif attendu)"),
        ("zone,s21,s4", "Z,1,2", "minutes.csv.gz, ligne 3, zone : zone « Z » inconnue"),
        ("zone,s0,s1", "B,1,2", "minutes.csv.gz : colonne de l'école 21 absente"),
        ("zone,s21", "B,1", "minutes.csv.gz : colonne de l'école 4 absente"),
        ("z,s21,s4", "B,1,2", "minutes.csv.gz : colonne zone absente"),
    ],
)
def test_faulty_minutes_are_named(tmp_path: Path, entete: str, ligne: str, phrase: str) -> None:
    district = made(tmp_path)
    autres = [(z, *([5.0] * entete.count("s"))) for z in ZONES]
    table(tmp_path / "minutes.csv.gz", entete, [autres[0], [ligne], *autres[2:]])
    with pytest.raises(JeuInvalide) as faute:
        read_district(district)
    assert str(faute.value) == phrase


def test_files_that_do_not_open(tmp_path: Path) -> None:
    district = made(tmp_path)
    (tmp_path / "minutes.csv.gz").write_bytes(b"zone,s21,s4\n")
    with pytest.raises(JeuInvalide, match=r"^minutes\.csv\.gz : fichier illisible"):
        read_district(district)
    (tmp_path / "adjacency.csv").write_bytes("zone_a,zone_b\nÉ,B\n".encode("latin-1"))
    with pytest.raises(JeuInvalide, match=r"^adjacency\.csv : fichier illisible"):
        read_district(district)
    (tmp_path / "adjacency.csv").unlink()
    with pytest.raises(JeuInvalide, match=r"^adjacency\.csv : fichier illisible"):
        read_district(district)


# --- folders ----------------------------------------------------------------------------------------------

GRAPHE = {
    "districts": 2,
    "pop_min": 19,
    "pop_max": 21,
    "population": [10, 10, 10, 10],
    "edges": [[0, 1], [1, 2], [2, 3], [3, 0]],
}


def test_every_set_of_a_folder_at_any_depth(tmp_path: Path) -> None:
    racine = tmp_path / "tout"
    real(racine / "nord" / "ville", "mid")
    real(racine / "nord" / "ville", "elem")
    for nom in ("10", "2"):
        made(racine / "sud" / nom)
    (racine / "cantons").mkdir()
    (racine / "cantons" / "x.json").write_text(json.dumps(GRAPHE))
    (racine / "cantons" / "notes.json").write_text("{}")
    (racine / "cantons" / "faux.json").write_text("{")
    (racine / "cantons" / "liste.json").write_text("[1]")
    districts, comtes = find(racine)
    assert [d.nom for d in districts] == ["nord_ville_elem", "nord_ville_mid", "sud_2", "sud_10"]
    assert [c.nom for c in comtes] == ["cantons_x"]
    # One set alone: its own name.
    assert [d.nom for d in find(racine / "nord" / "ville")[0]] == ["ville_elem", "ville_mid"]
    assert [d.nom for d in find(racine / "sud" / "2")[0]] == ["2"]
    assert [c.nom for c in find(racine / "cantons")[1]] == ["cantons_x"]
    assert all(read_district(d).n_zones == 5 for d in districts)


def test_known_values_lie_in_the_folder_beside_it_or_are_named(tmp_path: Path) -> None:
    racine = tmp_path / "tout"
    (racine / "cantons").mkdir(parents=True)
    table(racine / "cantons" / "optima.csv", "instance,min_cut_edges", [("x", 3), ("y", "")])
    table(tmp_path / "voisine.csv", "case,reference", [("ville_mid", 120.5), ("x", 9)])
    table(tmp_path / "autre.csv", "zone,pupils", [("x", 9)])
    (tmp_path / "latin.csv").write_bytes("é,case\n1,2\n".encode("latin-1"))
    assert known_values(racine, None) == {"x": 3.0, "ville_mid": 120.5}
    table(tmp_path / "ici.txt", "case,best_known", [("ville_mid", 119)])
    assert known_values(racine, tmp_path / "ici.txt") == {"x": 3.0, "ville_mid": 119.0}
    with pytest.raises(JeuInvalide, match=r"autre\.csv : colonnes case ou instance, reference ou"):
        known_values(racine, tmp_path / "autre.csv")


def test_a_faulty_known_value_stops_nothing_but_its_own_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that happens to lie there is named and left; the one that is asked for is refused."""
    racine = tmp_path / "tout"
    (racine / "dossier.csv").mkdir(parents=True)
    table(racine / "optima.csv", "instance,min_cut_edges", [("x", "trois"), ("y", 4)])
    table(tmp_path / "autres.csv", "case,reference", [("z", "nan"), ("t", 5)])
    assert known_values(racine, None) == {"y": 4.0, "t": 5.0}
    dit = capsys.readouterr().err
    assert "optima.csv, ligne 2, min_cut_edges : « trois »" in dit and "autres.csv, ligne 2, reference : « nan »" in dit
    assert "dossier.csv : fichier illisible" in dit
    with pytest.raises(JeuInvalide, match=r"^optima\.csv, ligne 2, min_cut_edges : « trois »"):
        known_values(racine, racine / "optima.csv")
    with pytest.raises(JeuInvalide, match=r"^absente\.csv : fichier illisible"):
        known_values(racine, tmp_path / "absente.csv")


# --- graphs -----------------------------------------------------------------------------------------------


def graph(tmp_path: Path, **changes: Any) -> Comtes:
    (tmp_path / "x.json").write_text(json.dumps(GRAPHE | changes))
    return Comtes("x", tmp_path / "x.json")


def test_a_graph(tmp_path: Path) -> None:
    lu = read_graph(graph(tmp_path))
    assert (lu.parties, lu.bas, lu.haut) == (2, 19.0, 21.0)
    assert lu.population.tolist() == [10.0] * 4 and lu.arete.tolist() == GRAPHE["edges"]


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"districts": None}, "x.json : districts absent, ou n'est pas un nombre (None)"),
        ({"pop_max": "21"}, "x.json : pop_max absent, ou n'est pas un nombre ('21')"),
        ({"districts": 2.7}, "x.json : districts : 2.7 (entier positif attendu)"),
        ({"districts": 0}, "x.json : districts : 0 (entier positif attendu)"),
        ({"districts": 5}, "x.json : districts : 5 pour 4 sommets"),
        ({"districts": math.nan}, "x.json : districts absent, ou n'est pas un nombre (nan)"),
        ({"districts": math.inf}, "x.json : districts absent, ou n'est pas un nombre (inf)"),
        ({"districts": True}, "x.json : districts absent, ou n'est pas un nombre (True)"),
        ({"pop_min": math.nan}, "x.json : pop_min absent, ou n'est pas un nombre (nan)"),
        ({"pop_min": 22}, "x.json : pop_min : 22 supérieur à pop_max"),
        ({"population": None}, "x.json : population : None (liste attendue)"),
        ({"population": 5}, "x.json : population : 5 (liste attendue)"),
        ({"population": [10, math.inf, 10, 10]}, "x.json : population, sommet 1 : inf"),
        ({"population": [10, math.nan, 10, 10]}, "x.json : population, sommet 1 : nan"),
        ({"population": [10, 10**400, 10, 10]}, f"x.json : population, sommet 1 : {10**400}"),
        ({"edges": None}, "x.json : edges : None (liste attendue)"),
        ({"edges": [[0, 1], [1, True]]}, "x.json : edges, n° 1 : [1, True] (4 sommets)"),
        ({"population": [10, -1, 10, 10]}, "x.json : population, sommet 1 : -1"),
        ({"population": [10, "a", 10, 10]}, "x.json : population, sommet 1 : 'a'"),
        ({"edges": [[0, 1], [1, 4]]}, "x.json : edges, n° 1 : [1, 4] (4 sommets)"),
        ({"edges": [[0, 1], [1, -1]]}, "x.json : edges, n° 1 : [1, -1] (4 sommets)"),
        ({"edges": [[0, 1], [2, 2]]}, "x.json : edges, n° 1 : [2, 2] (4 sommets)"),
        ({"edges": [[0, 1], 3]}, "x.json : edges, n° 1 : 3 (4 sommets)"),
        ({"edges": [[0, 1], [1, 0]]}, "x.json : edges, n° 1 : [1, 0] donnée plusieurs fois"),
    ],
)
def test_a_faulty_graph_is_named(tmp_path: Path, changes: dict[str, Any], phrase: str) -> None:
    with pytest.raises(JeuInvalide) as faute:
        read_graph(graph(tmp_path, **changes))
    assert str(faute.value) == phrase
