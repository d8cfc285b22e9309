"""Linear and integer programs as bulk arrays, and HiGHS on them. Pure module.

`solve` runs in the child process of `collèges.processus` alone, which can be killed at any moment.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from .probleme import F64, B


class Programme(NamedTuple):
    """min cout x, ligne_bas <= A x <= ligne_haut, bas <= x <= haut, x integer where ``entier``; A by columns
    (debut (k + 1,), ligne, valeur)."""

    cout: F64
    bas: F64
    haut: F64
    ligne_bas: F64
    ligne_haut: F64
    debut: NDArray[np.int32]
    ligne: NDArray[np.int32]
    valeur: F64
    entier: B


class Reponse(NamedTuple):
    """Best point (None = none found), its objective, proven bound, duals of the rows (linear programs only)."""

    x: F64 | None
    objectif: float
    borne: float
    duales: F64 | None


def assemble(
    cout: F64,
    haut: F64,
    ligne_bas: F64,
    ligne_haut: F64,
    lignes: list[NDArray[Any]],
    colonnes: list[NDArray[Any]],
    valeurs: list[NDArray[Any]],
    entier: B,
) -> Programme:
    """A program from triplets (several arrays of each, in the same order); every ``bas`` is 0."""
    i, j, v = (np.concatenate(morceaux) for morceaux in (lignes, colonnes, valeurs))
    matrice = coo_matrix((v, (i, j)), shape=(len(ligne_bas), len(cout))).tocsc()
    return Programme(
        cout,
        np.zeros(len(cout)),
        haut,
        ligne_bas,
        ligne_haut,
        matrice.indptr.astype(np.int32),
        matrice.indices.astype(np.int32),
        matrice.data.astype(np.float64),
        entier,
    )


def new_highs(seed: int = 0) -> Any:
    """A silent HiGHS on one thread."""
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for nom, valeur in {"output_flag": False, "threads": 1, "random_seed": seed % 2**31}.items():
        highs.setOptionValue(nom, valeur)
    return highs


def to_highs(programme: Programme) -> Any:
    """The program as HiGHS takes it."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(programme.cout), len(programme.ligne_bas)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cout, programme.bas, programme.haut
    lp.row_lower_, lp.row_upper_ = programme.ligne_bas, programme.ligne_haut
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = programme.debut, programme.ligne
    lp.a_matrix_.value_ = programme.valeur
    if programme.entier.any():
        genres = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [genres[int(e)] for e in programme.entier]
    return lp


def solve(
    programme: Programme, secondes: float, noeuds: int | None, depart: F64 | None = None, seed: int = 0
) -> Reponse:
    """Solve within ``secondes`` (inf = no limit, so that the answer does not depend on the machine) and ``noeuds``
    branches; ``depart``: a point to start from."""
    import highspy

    highs = new_highs(seed)
    if np.isfinite(secondes):
        highs.setOptionValue("time_limit", max(0.01, secondes))
    entier = bool(programme.entier.any())
    if entier:
        highs.setOptionValue("mip_rel_gap", 1e-6)
        if noeuds is not None:
            highs.setOptionValue("mip_max_nodes", noeuds)
    highs.passModel(to_highs(programme))
    if depart is not None:
        point = highspy.HighsSolution()
        point.col_value = list(depart)
        highs.setSolution(point)
    highs.run()
    infos = highs.getInfo()
    fini = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    if infos.primal_solution_status != 2:
        return Reponse(None, np.inf, float(infos.mip_dual_bound) if entier else -np.inf, None)
    solution, objectif = highs.getSolution(), float(infos.objective_function_value)
    borne = float(infos.mip_dual_bound) if entier else (objectif if fini else -np.inf)
    duales = np.array(solution.row_dual) if fini and not entier else None
    return Reponse(np.array(solution.col_value), objectif, borne, duales)
