"""The forecast against the three published years of Ille-et-Vilaine: what it is wrong by, beside "as last year"."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.cas_reels import forecast_35

pytestmark = pytest.mark.reel


@pytest.mark.parametrize("secteur", ["PUBLIC", "PRIVE"])
def test_2021_from_2019_and_2020(donnees: Path, secteur: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No figure of its own: at most a tenth worse than last year's count, hardly biased, mostly in the range."""
    erreurs = forecast_35(donnees, secteur)
    lignes = [f"\n{secteur}, rentrée 2021 prévue depuis 2019 et 2020"]
    for nom, e in erreurs.items():
        couverture = "" if e.couverture is None else f", {e.couverture:.0%} entre bas et haut"
        lignes.append(
            f"  {nom} : MAPE {e.mape:.1f} %, biais {e.biais:+.1f} %, "
            f"{e.ecart_moyen:.0f} élèves par collège en moyenne, {e.ecart_max:.0f} au pire{couverture}"
        )
    with capsys.disabled():
        sys.stdout.write("\n".join(lignes) + "\n")
    cohortes, naif = erreurs["total, cohortes"], erreurs["total, comme l'an dernier"]
    assert cohortes.n == naif.n > 40
    assert cohortes.mape < 1.1 * naif.mape
    assert abs(cohortes.biais) < 3.0
    assert erreurs["6e, prévision"].mape < 1.1 * erreurs["6e, comme l'an dernier"].mape
    # Eight out of ten by construction, if the rates were the same every year.
    assert cohortes.couverture is not None
    assert 0.6 < cohortes.couverture < 1.0
