"""etude_dechetteries on a small territory: what it prints, stores and refuses."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from déchetteries.management.commands.etude_dechetteries import _zone_code
from déchetteries.models import Dechetterie, PointDemande, RegleAcces
from déchetteries.operation import OPERATION
from territoires.models import Collectivite, Commune, Etude, PassageEtude

from .conftest import Territoire
from .test_importation import degrees, ligne

pytestmark = pytest.mark.django_db


def _run(**options: Any) -> str:
    sortie = io.StringIO()
    call_command("etude_dechetteries", stdout=sortie, stderr=io.StringIO(), verbosity=0, **options)
    return sortie.getvalue()


def test_the_comparison_is_printed_and_stored(territoire: Territoire, tmp_path: Path) -> None:
    texte = _run(zone="essai", exports=tmp_path / "sorties", titre="Essai imprimé")
    for attendu in (
        "Essai imprimé",
        "temps moyen vers la déchetterie (aller) (min)",
        "Principaux changements de flux",
        "Qui paye quoi",
        "Les quatre questions",
        "Limites et remarques",
    ):
        assert attendu in texte
    etude = Etude.objects.get(titre="Essai imprimé")
    assert etude.partition == [["42", "43"]]
    assert etude.passages.get().etat == PassageEtude.Etat.REUSSI
    assert {f.name for f in (tmp_path / "sorties").iterdir()} == {e.nom_fichier for e in OPERATION.exports()}


def test_everything_at_once_from_files(territoire: Territoire, tmp_path: Path) -> None:
    Dechetterie.objects.all().delete()
    fichiers = {
        "centres": "code;nom;longitude;latitude;proprietaire\n"
        f"N1;{ligne('Un', 0, '200000001')}\nN2;{ligne('Deux', 4, '200000003')}\n",
        "regles": "centre;collectivite;autorise\nN2;200000002;oui\n",
        "population": "commune;population\n42003;4 500\nCommune 43003;10\n",
        "points": "id;population;lon;lat\n" + f"a;700;{degrees(1)[0]};{degrees(1)[1]}\n",
        "modifications": "fermer ; N1\n",
    }
    options = {}
    for nom, contenu in fichiers.items():
        options[nom] = tmp_path / f"{nom}.csv"
        options[nom].write_text(contenu, encoding="latin-1")
    texte = _run(zone="essai", parametre=["euro_km=0,5".replace(",", "."), "capacites=non"], **options)
    assert "2 déchetteries créées" in texte and "1 règle d’accès créée" in texte
    assert "2 communes renseignées" in texte and "1 point de population importé" in texte
    assert RegleAcces.objects.count() == PointDemande.objects.count() == 1
    commune = Commune.objects.get(code="42003")
    assert (commune.population, commune.champs_manuels) == (4500, ["population"])
    parametres = Etude.objects.latest("pk").parametres
    assert (parametres["euro_km"], parametres["capacites"], parametres["points"]) == (0.5, False, "fins")
    assert parametres["modifications"] == "fermer ; N1"
    assert "Effet des modifications essayées" in texte
    assert "Aucun centre autorisé et joignable" in texte


def test_centres_in_towns_are_called_an_assumption(territoire: Territoire) -> None:
    assert "HYPOTHÈSE : 4 déchetteries placées" in _run(zone="essai", centres_dans_les_villes=1)


def test_a_zone_is_made_where_none_is_named(territoire: Territoire) -> None:
    texte = _run(collectivites=["42", "43"], reseau="essai", partage=["42", "43"])
    assert "Zone « Loire / Haute-Loire » : 6 communes (3 en 42, 3 en 43)." in texte
    assert Etude.objects.latest("pk").partition == [["42"], ["43"]]


def test_long_names_are_cut_and_the_zones_of_other_collectivites_kept_apart(territoire: Territoire) -> None:
    Collectivite.objects.update(nom="Communauté de communes au nom qui n'en finit pas " * 4)
    _run(collectivites=["42", "43"], reseau="essai")
    assert len(Etude.objects.latest("pk").titre) == 200
    longs = [str(200000000 + rang) for rang in range(12)]
    codes = {_zone_code(longs[:nombre], " à 10 km") for nombre in range(2, 13)}
    assert len(codes) == 11
    assert all(len(code) <= 50 and code.replace("-", "").isalnum() for code in codes)


@pytest.mark.parametrize(
    ("options", "mot"),
    [
        ({}, "au moins deux collectivités"),
        ({"zone": "inconnue"}, "Zone inconnue"),
        ({"collectivites": ["42", "43"]}, "Quel réseau routier"),
        ({"collectivites": ["42", "69"], "reseau": "essai"}, "69"),
        ({"zone": "essai", "parametre": ["euro_km"]}, "nom=valeur"),
        ({"zone": "essai", "parametre": ["vitesse=3"]}, "Paramètre inconnu : vitesse"),
        ({"zone": "essai", "parametre": ["euro_km=-1"]}, "au moins 0"),
        ({"zone": "essai", "centres_dans_les_villes": 0}, "au moins 1"),
        ({"osm": Path(__file__), "niveaux": "six"}, "deux entiers"),
        ({"osm": Path(__file__)}, "OpenStreetMap"),
        ({"zone": "essai", "centres": Path("absent.csv")}, "fichier introuvable"),
        ({"zone": "essai", "centres": Path(__file__)}, "non lu"),
        ({"zone": "essai", "population": Path(__file__)}, "non lu"),
        ({"zone": "essai", "partage": ["42,43", "43"]}, "43"),
        ({"zone": "essai", "titre": "t" * 201}, "201 caractères ; 200 au plus"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_stored(
    territoire: Territoire, options: dict[str, Any], mot: str
) -> None:
    with pytest.raises(CommandError, match=mot):
        _run(**options)
    assert not Etude.objects.exists()


def test_a_study_that_cannot_be_solved_is_an_error(territoire: Territoire) -> None:
    Dechetterie.objects.update(active=False)
    with pytest.raises(CommandError, match="Aucune déchetterie ouverte"):
        _run(zone="essai")


def test_population_of_nobody_known(territoire: Territoire, tmp_path: Path) -> None:
    fichier = tmp_path / "population.csv"
    fichier.write_text("commune;population\nAilleurs;3\n42001;-4\n", encoding="utf-8")
    with pytest.raises(CommandError) as erreur:
        _run(zone="essai", population=fichier)
    assert "ligne 2, champ « commune », valeur « Ailleurs » : commune inconnue." in str(erreur.value)
    assert "ligne 3, champ « population », valeur « -4 » : valeur négative." in str(erreur.value)
    assert Commune.objects.get(code="42001").population == 5000
