"""Forecasts by what must hold of them whatever the counts, and the published formula on a case by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collèges.prevision import (
    NIVEAUX,
    Logements,
    Modele,
    PrevisionImpossible,
    Taux,
    errors,
    fit,
    fit_two_counts,
    forecast,
    level_of,
    shrunk_rates,
    split_classes,
)
from collèges.probleme import F64

EFFECTIFS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 400).map(float))


def steady(zones: int, taux: float = 1.0) -> Modele:
    """A model of exact rates, the same everywhere."""
    commun = Taux(np.full(zones, taux), np.zeros(zones), np.zeros(zones), taux, 0.0)
    return Modele(commun, (commun, commun, commun))


def counts(seed: int, zones: int, annees: int) -> F64:
    return np.random.default_rng(seed).integers(0, 200, (annees, zones, len(NIVEAUX))).astype(float)


def test_the_published_formula_by_hand() -> None:
    """Two zones of 100 pupils, 80 and 120 of whom are found again: m = 1, s2 = 0.04, A = 0.04 - 0.01, w = 0.75."""
    taux = shrunk_rates(np.array([100.0, 100.0]), np.array([80.0, 120.0]))
    assert taux.moyenne == pytest.approx(1.0)
    assert taux.dispersion == pytest.approx(0.03)
    assert taux.poids == pytest.approx([0.75, 0.75])
    assert taux.valeur == pytest.approx([0.85, 1.15])
    assert taux.variance == pytest.approx([0.0075, 0.0075])


def test_chance_alone_leaves_the_rate_of_the_departement() -> None:
    taux = shrunk_rates(np.array([100.0, 100.0]), np.array([95.0, 105.0]))
    assert taux.poids.tolist() == [0.0, 0.0]
    assert taux.valeur == pytest.approx([1.0, 1.0])


@given(EFFECTIFS, st.integers(0, 2**32 - 1))
def test_rates_lie_between_the_zone_s_and_the_departement_s(avant: F64, seed: int) -> None:
    apres = np.random.default_rng(seed).integers(0, 400, len(avant)).astype(float)
    if avant.sum() == 0:
        with pytest.raises(PrevisionImpossible, match="aucun élève"):
            shrunk_rates(avant, apres)
        return
    taux = shrunk_rates(avant, apres)
    x = np.where(avant > 0, apres / np.where(avant > 0, avant, 1.0), taux.moyenne)
    assert np.all(taux.valeur >= np.minimum(x, taux.moyenne) - 1e-9)
    assert np.all(taux.valeur <= np.maximum(x, taux.moyenne) + 1e-9)
    assert np.all((taux.poids >= 0) & (taux.poids < 1) & (taux.variance >= 0))
    assert taux.poids[avant == 0].tolist() == [0.0] * int(np.sum(avant == 0))
    # The more pupils, the more the zone speaks for itself.
    ordre = np.argsort(avant)
    assert np.all(np.diff(taux.poids[ordre]) >= -1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 6))
def test_scenarios_are_in_order_and_never_negative(seed: int, zones: int, annees: int) -> None:
    passe = counts(seed, zones, 3) + 1.0
    prevision = forecast(fit(passe[:2, :, 0], passe), passe[-1], level_of(passe[:, :, 0], annees))
    assert prevision.central.shape == (annees, zones, 4)
    assert np.all((prevision.bas >= 0) & (prevision.bas <= prevision.central) & (prevision.central <= prevision.haut))
    totaux = prevision.totals()
    assert np.all((totaux["bas"] >= 0) & (totaux["bas"] <= totaux["central"]) & (totaux["central"] <= totaux["haut"]))
    np.testing.assert_allclose(totaux["central"], prevision.central.sum(axis=2))
    # Classes err one by one: their sum varies less than the sum of their ranges.
    assert np.all(totaux["haut"] - totaux["central"] <= (prevision.haut - prevision.central).sum(axis=2) + 1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_rates_of_one_move_each_cohort_up_unchanged(seed: int, zones: int) -> None:
    depart, entrants = counts(seed, zones, 1)[0], counts(seed + 1, zones, 5)[:, :, 0]
    central = forecast(steady(zones), depart, entrants).central
    np.testing.assert_array_equal(central[0], np.column_stack([entrants[0], depart[:, :3]]))
    for h in range(4):
        np.testing.assert_array_equal(central[h + 1][:, 1:], central[h][:, :-1])
    # Four years later nobody of today is left.
    np.testing.assert_array_equal(central[4], entrants[4:0:-1].T)


def test_a_past_that_repeats_itself_is_forecast_as_it_is() -> None:
    classe = np.array([[40.0, 36, 36, 30], [400.0, 360, 360, 300]])
    passe = np.stack([classe, classe, classe])
    modele = fit(passe[:2, :, 0] * 2.0, passe)
    assert modele.entree.moyenne == pytest.approx(0.5)
    np.testing.assert_allclose(forecast(modele, classe, np.array([[80.0, 800.0]])).central[0], classe)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_pupils_double_where_those_before_do(seed: int, facteur: float) -> None:
    passe = counts(seed, 5, 3) + 1.0
    modele = fit(passe[:2, :, 0], passe)
    une, autre = (forecast(modele, passe[-1] * k, passe[:2, :, 0] * k).central for k in (1.0, facteur))
    np.testing.assert_allclose(autre, une * facteur, rtol=1e-9)


def test_housing_adds_its_pupils_every_year() -> None:
    """200 dwellings of 0.2 pupil each: 40 pupils the first year and all those after.

    They do not melt away as the first ones leave 3e: the households that live there go on having children, so the 6e
    of each year has its share of them, whatever the rates of those who were there before.
    """
    depart, entrants = np.full((2, 4), 50.0), np.full((7, 2), 50.0)
    for taux in (1.0, 0.9):
        sans = forecast(steady(2, taux), depart, entrants).central
        plus = forecast(steady(2, taux), depart, entrants, [Logements(1, 1, 200, 0.2)]).central - sans
        assert not plus[0].any()
        assert not plus[:, 0].any()
        np.testing.assert_allclose(plus[1:, 1], np.full((6, 4), 10.0))


def test_housing_whose_pupils_are_young_first() -> None:
    """Shares of the classes that are told; lots add up, so a yield that ages is several of them."""
    depart, entrants = np.full((1, 4), 50.0), np.full((3, 1), 50.0)
    lots = [Logements(0, 0, 100, 0.3, (0.4, 0.3, 0.2, 0.1)), Logements(0, 2, -50, 0.3)]
    plus = forecast(steady(1), depart, entrants, lots).central - forecast(steady(1), depart, entrants).central
    np.testing.assert_allclose(plus[0, 0], [12.0, 9.0, 6.0, 3.0])
    np.testing.assert_allclose(plus[1, 0], plus[0, 0])
    np.testing.assert_allclose(plus[2, 0], plus[0, 0] - 3.75)


def test_housing_widens_the_range() -> None:
    """Forty more pupils are forty more draws of chance."""
    depart, entrants = np.full((1, 4), 50.0), np.full((2, 1), 50.0)
    sans = forecast(steady(1), depart, entrants).ecart
    avec = forecast(steady(1), depart, entrants, [Logements(0, 0, 200, 0.2)]).ecart
    np.testing.assert_allclose(avec**2 - sans**2, 40.0)


def test_pulling_down_takes_no_more_than_there_is() -> None:
    central = forecast(steady(1), np.full((1, 4), 5.0), np.full((1, 1), 5.0), [Logements(0, 0, -1000, 0.2)]).central
    assert central.tolist() == [[[0.0] * 4]]


def unsure(variance: float) -> Taux:
    """A rate of 1 in one zone, estimated with an error of that variance."""
    return Taux(np.ones(1), np.full(1, variance), np.ones(1), 1.0, variance)


@pytest.mark.parametrize(
    ("qui", "incertains"),
    [
        ("one rate for the three passages", (None, 0, 0, 0)),
        ("three rates", (None, 0, 1, 2)),
        ("the rate of entry", (0, None, None, None)),
        ("all four", (0, 1, 2, 3)),
        ("chance alone", (None, None, None, None)),
    ],
)
def test_eight_years_out_of_ten_lie_in_the_range(qui: str, incertains: tuple[int | None, ...]) -> None:
    """True rates drawn around the estimated ones (sd 0.1), once for all the years, then Poisson's chance each year."""
    tirages, annees, effectif = 4_000, 4, 400.0
    rng = np.random.default_rng(20)
    communs = [unsure(0.01) for _ in range(4)]
    taux = [unsure(0.0) if k is None else communs[k] for k in incertains]
    prevision = forecast(Modele(taux[0], (taux[1], taux[2], taux[3])), np.full((1, 4), 400.0), np.full((4, 1), 400.0))
    totaux = prevision.totals()
    erreurs = rng.normal(0.0, 0.1, (tirages, 4))
    vrais = np.stack([np.ones(tirages) if k is None else 1.0 + erreurs[:, k] for k in incertains], axis=1)
    classes = np.full((tirages, 4), effectif)
    for h in range(annees):
        avant = np.column_stack([np.full(tirages, effectif), classes[:, :-1]])
        classes = rng.poisson(np.maximum(vrais * avant, 0.0)).astype(float)
        total = classes.sum(axis=1)
        assert prevision.ecart[h, 0] == pytest.approx(total.std(), rel=0.08), (qui, h)
        dedans = np.mean((totaux["bas"][h, 0] <= total) & (total <= totaux["haut"][h, 0]))
        assert 0.75 <= dedans <= 0.90, (qui, h, dedans)
        bas, haut = prevision.bas[h, 0], prevision.haut[h, 0]
        assert np.all(np.abs(np.mean((bas <= classes) & (classes <= haut), axis=0) - 0.8) < 0.1), (qui, h)


def test_two_counts_are_a_case_of_the_four_classes() -> None:
    """With equal classes and one rate everywhere, both fits say the same."""
    classe = np.array([[100.0, 90, 81, 72.9], [200.0, 180, 162, 145.8]])
    total = np.stack([classe.sum(axis=1)] * 2)
    modele = fit_two_counts(np.stack([classe[:, 0]] * 2), total)
    autres = classe[0, 1:].sum()
    assert modele.passages[0].moyenne == pytest.approx(autres / (100 + autres * 2 / 3))
    np.testing.assert_allclose(split_classes(classe[:, 0], total[0]).sum(axis=1), total[0])
    reparti = forecast(modele, split_classes(classe[:, 0], total[0]), level_of(np.stack([classe[:, 0]] * 2), 1))
    np.testing.assert_allclose(reparti.central.sum(axis=2)[0], total[0])


def test_errors_by_hand() -> None:
    vues = errors(
        np.array([110.0, 90, 5]), np.array([100.0, 100, 0]), np.array([100.0, 95, 0]), np.array([120.0, 99, 9])
    )
    assert (vues.n, vues.mape, vues.biais, vues.ecart_moyen, vues.ecart_max) == (2, 10.0, 0.0, 10.0, 10.0)
    assert vues.couverture == 0.5


@pytest.mark.parametrize(
    ("appel", "mot"),
    [
        (lambda: shrunk_rates(np.array([-1.0]), np.array([1.0])), "négative"),
        (lambda: shrunk_rates(np.array([1.0]), np.array([np.nan])), "absente"),
        (lambda: shrunk_rates(np.ones(2), np.ones(3)), "formes"),
        (lambda: fit(np.ones((1, 2)), np.ones((1, 2, 4))), "2 années"),
        (lambda: fit(np.ones((2, 2)), np.ones((2, 2, 4))), "une année de moins"),
        (lambda: fit_two_counts(np.ones((1, 2)), np.ones((1, 2))), "2 années"),
        (lambda: fit_two_counts(np.full((2, 2), 3.0), np.ones((2, 2))), "inférieur"),
        (lambda: forecast(steady(2), np.ones((3, 4)), np.ones((1, 2))), "départ"),
        (lambda: forecast(steady(2), -np.ones((2, 4)), np.ones((1, 2))), "négative"),
        (lambda: forecast(steady(2), np.ones((2, 4)), np.ones((1, 3))), "entrants"),
        (lambda: forecast(steady(2), np.ones((2, 4)), -np.ones((1, 2))), "entrants"),
        (lambda: forecast(steady(2), np.ones((2, 4)), np.ones((1, 2)), [Logements(2, 0, 1, 1)]), "logements"),
        (lambda: forecast(steady(2), np.ones((2, 4)), np.ones((1, 2)), [Logements(0, 0, 1, -1)]), "logements"),
        (lambda: forecast(steady(1), np.ones((1, 4)), np.ones((1, 1)), [Logements(0, 0, 1, np.inf)]), "impossible"),
        (
            lambda: forecast(steady(1), np.ones((1, 4)), np.ones((1, 1)), [Logements(0, 0, 1, 1, (1, 1, 0, 0))]),
            "somme 1",
        ),
        (
            lambda: forecast(steady(1), np.ones((1, 4)), np.ones((1, 1)), [Logements(0, 0, 1, 1, (2, -1, 0, 0))]),
            "somme 1",
        ),
        (lambda: errors(np.ones(2), np.zeros(2)), "aucun"),
    ],
)
def test_what_is_no_history_is_refused(appel: object, mot: str) -> None:
    with pytest.raises(PrevisionImpossible, match=mot):
        appel()  # type: ignore[operator]
