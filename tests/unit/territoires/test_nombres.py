"""French numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from territoires.nombres import avec_unite, duree, euros, nombre, pourcent, typographie


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nombre(1234567), "1 234 567"),
        (nombre(-1234.5, 1), "−1 234,5"),
        (nombre(0.5), "1"),
        (nombre(Decimal("2.5"), 0, signe=True), "+3"),
        (nombre(0, signe=True), "0"),
        (nombre(float("inf")), "—"),
        (nombre(float("nan")), "—"),
        (avec_unite(12.34, "km", 1), "12,3 km"),
        (avec_unite(12, ""), "12"),
        (avec_unite(0, "habitants"), "0 habitant"),
        (avec_unite(-1.96, "habitants", 1), "−2,0 habitants"),
        (avec_unite(1.4, "visites/an"), "1 visite/an"),
        (avec_unite(2, "visites/an"), "2 visites/an"),
        (avec_unite(0, "% de sa capacité"), "0 % de sa capacité"),
        (euros(Decimal("1234.5"), centimes=True), "1 234,50 €"),
        (euros(-20, signe=True), "−20 €"),
        (pourcent(0.052), "5,2 %"),
        (duree(0.42), "0,4 s"),
        (duree(59.4), "59 s"),
        (duree(60), "1 min"),
        (duree(200), "3 min 20 s"),
        (duree(7500), "2 h 05 min"),
        (duree(float("inf")), "—"),
    ],
)
def test_written_in_french(text: str, expected: str) -> None:
    assert text.replace("\u202f", " ") == expected


def test_no_line_starts_with_a_mark() -> None:
    assert typographie("Est-ce mieux ? Oui : « là » ; enfin !") == (
        "Est-ce mieux\u202f? Oui\u00a0: «\u00a0là\u00a0»\u202f; enfin\u202f!"
    )
