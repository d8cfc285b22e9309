"""Blocks of one regime brought together: nothing lost, nothing counted twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from déchetteries import regime
from déchetteries.probleme import EXTERIEUR
from déchetteries.resultat import Resultat, make_resultat
from déchetteries.solveur import solve
from déchetteries.texte import paragraph, table, title
from territoires.calcul import Arret

from .fabrique import make_problem
from .test_solveur import problems


def resolved(problem: Any) -> Resultat:
    return make_resultat(problem, solve(problem, Arret()))


@settings(deadline=None)
@given(problems(capacity=True, groups=3))
def test_sums(problem: Any) -> None:
    r = resolved(problem)
    communes, centres, flux = regime.communes([r]), regime.centres([r]), regime.flows([r])
    assert sum(c.population for c in communes.values()) == pytest.approx(r.population.sum())
    assert sum(c.visites for c in centres.values()) == pytest.approx(r.courant.visites.sum())
    assert sum(f.visites for f in flux) == pytest.approx(r.courant.visites.sum())
    assert sum(f.visites for f in flux if f.franchit) == pytest.approx(sum(c.voisins for c in centres.values()))
    for collectivite in (None, *r.groupes):
        bandes = regime.bands([r], collectivite)
        ici = [c for c in communes.values() if collectivite in (None, c.collectivite)]
        assert sum(bandes.habitants) + bandes.sans == pytest.approx(sum(c.population for c in ici))


@settings(deadline=None)
@given(problems(capacity=False, groups=2))
def test_transfers_of_every_key_add_up_to_nothing(problem: Any) -> None:
    parts = regime.contributions([resolved(problem)])
    for cle in regime.CLES:
        montants = [p.transferts[cle] for p in parts if cle in p.transferts]
        if montants:
            assert sum(montants) == pytest.approx(0, abs=1e-4)
            assert all(p.contributions[cle] >= 0 for p in parts)


def test_touraine_s_rule_and_use() -> None:
    # 42 has two centres and everybody goes to the one of 43.
    problem = make_problem(
        [[900.0, 800.0, 300.0], [np.inf, np.inf, 300.0]],
        population=[300, 100],
        point_groupe=[0, 1],
        centre_groupe=[0, 0, 1],
        cout_fixe=[1000.0, 1000.0, 1000.0],
    )
    parts = {p.code: p for p in regime.contributions([resolved(problem)])}
    depense = 3 * 1000 + 2000 * 5
    assert parts["E0"].depenses == 2000
    assert parts["E0"].contributions["centres"] == pytest.approx(depense * 2 / 3)
    assert parts["E0"].contributions["habitants"] == pytest.approx(depense * 3 / 4)
    # Its two empty centres, and three quarters of the one it uses.
    assert parts["E0"].contributions["usage"] == pytest.approx(2000 + 11_000 * 3 / 4)


def test_an_owner_out_of_the_study_has_no_part() -> None:
    problem = make_problem([[300.0, 900.0]], centre_groupe=[0, EXTERIEUR], cout_fixe=[1000.0, 0.0])
    assert [p.code for p in regime.contributions([resolved(problem)])] == ["E0"]


def test_a_centre_seen_from_two_blocks_is_one() -> None:
    chez_lui = resolved(make_problem([[300.0]], groupes=("43",), capacite=[4000.0]))
    voisin = resolved(
        make_problem(
            [[600.0]],
            groupes=("42",),
            centre_groupe=[EXTERIEUR],
            cout_fixe=[0.0],
            capacite=[1000.0],
            autorise_seul=[[True]],
        )
    )
    for ordre in ([chez_lui, voisin], [voisin, chez_lui]):
        (centre,) = regime.centres(ordre).values()
        assert (centre.collectivite, centre.compte) == ("43", True)
        assert (centre.visites, centre.voisins, centre.capacite) == (1000.0, 500.0, 5000.0)
        assert centre.depenses == 1000 + 1000 * 5
        assert centre.charge == pytest.approx(0.2)


def test_tables_for_a_terminal_line_up() -> None:
    texte = table(["Indicateur long à lire", "unité en deux mots"], [["a", "1"], ["b b b", "−22"]], titre=10, reste=8)
    lignes = texte.splitlines()
    assert lignes[0].startswith("Indicateur") and lignes[1].startswith("long à")
    assert len({len(ligne) for ligne in lignes[-2:]}) == 1
    assert lignes[-1].endswith("−22")
    assert set(lignes[-3]) == {"─"}
    assert title("Titre") == "Titre\n═════"
    assert all(len(ligne) <= 110 for ligne in paragraph("mot " * 80, "  · ").splitlines())
    assert paragraph("mot " * 80, "  · ").splitlines()[1].startswith("    mot")
