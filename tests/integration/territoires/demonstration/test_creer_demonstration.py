"""The command creer_demonstration on two imaginary départements: all is made, marked fictif, and made once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
import pytest
import shapely
from django.contrib.gis.geos import Point
from django.core.management import CommandError, call_command
from django.test import Client
from django.test.utils import CaptureQueriesContext

from déchetteries.models import Dechetterie, RegleAcces
from geodata import graphe_cache
from geodata.classes import Classe
from geodata.models import ImportReseau, PointPassage, Reseau, Troncon
from territoires.creation_demonstration import RESEAU, RESEAU_OSM
from territoires.demonstration.routes import generate_roads
from territoires.droits import may_create_etude, may_read, may_write_donnees, may_write_etude
from territoires.importation.ecriture import refresh_contours, to_geos
from territoires.limites import refresh_limites
from territoires.models import Collectivite, Commune, Etude, PassageEtude, Utilisateur, ZoneLimitrophe
from tests.integration.geodata.overpass import FauxOverpass, serve
from tests.unit.territoires.fabrique_demonstration import chequerboard

COMMUNES = chequerboard(8, 4)


@dataclass
class Demonstration:
    """Runs the command with its file of accounts; ``texte`` is what it said last."""

    comptes: Path
    texte: str = ""

    def __call__(self, *mots: str) -> str:
        said = io.StringIO()
        call_command(
            "creer_demonstration", "--departements", "01", "02", "--comptes", str(self.comptes), *mots,
            stdout=said, stderr=said, verbosity=0,
        )  # fmt: skip
        self.texte = said.getvalue()
        return self.texte

    def passwords(self) -> dict[str, str]:
        lines = [line.split() for line in self.comptes.read_text().splitlines() if not line.startswith("#")]
        return {words[0]: words[1] for words in lines}


@pytest.fixture(autouse=True)
def own_settings(settings: Any) -> Iterator[None]:
    """No graph of another test; passwords hashed at once, which is not what is tried here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    graphe_cache.clear()
    yield
    graphe_cache.clear()


@pytest.fixture
def demonstration(db: None, tmp_path: Path) -> Demonstration:
    """Two départements of 16 communes, two EPCI in each."""
    departements = {
        code: Collectivite.objects.create(type="departement", code=code, nom=nom)
        for code, nom in (("01", "Amont"), ("02", "Aval"))
    }
    epci = {k: Collectivite.objects.create(type="epci", code=f"20000000{k}", nom=f"CC des {k} ponts") for k in range(4)}
    Commune.objects.bulk_create(
        Commune(
            code=c.code, nom=c.nom, departement=departements[c.departement], epci=epci[k // 8],
            population=c.population, geom=to_geos(shapely.multipolygons([c.contour])),
            mairie=Point(c.x, c.y, srid=2154), edition="essai",
        )
        for k, c in enumerate(COMMUNES)
    )  # fmt: skip
    refresh_contours([*departements.values(), *epci.values()])
    refresh_limites()
    return Demonstration(tmp_path / "comptes.txt")


def test_all_is_made_and_marked(demonstration: Demonstration) -> None:
    demonstration()
    reseau = Reseau.objects.get(code=RESEAU)
    assert reseau.fictif
    assert "fictif" in reseau.nom and "fictif" in reseau.attribution
    assert reseau.import_courant is not None
    troncons = Troncon.objects.filter(import_reseau=reseau.import_courant_id)
    assert troncons.count() == reseau.import_courant.lus["tronçons"] > 500
    assert not troncons.exclude(nom__endswith="(fictif)").exists()
    assert set(troncons.values_list("departement", flat=True)) >= {"01", "02"}
    assert PointPassage.objects.filter(import_reseau=reseau.import_courant_id).count() > 5

    zone, par_epci = ZoneLimitrophe.objects.order_by("pk")
    assert zone.fictif and par_epci.fictif
    assert "fictives" in zone.nom and "fictives" in par_epci.nom
    assert zone.reseau == par_epci.reseau == reseau
    assert set(zone.collectivites.values_list("code", flat=True)) == {"01", "02"}
    assert set(zone.communes.values_list("departement__code", flat=True)) == {"01", "02"}
    assert set(par_epci.collectivites.values_list("type", flat=True)) == {"epci"}

    centres = Dechetterie.objects.select_related("proprietaire")
    assert {c.proprietaire.code for c in centres} == {f"20000000{k}" for k in range(4)}
    assert all(c.fictif and str(c).endswith("(fictif)") for c in centres)
    assert not RegleAcces.objects.exclude(source__contains="fictive").exists()


def test_centres_stand_on_roads(demonstration: Demonstration) -> None:
    demonstration()
    importation = Reseau.objects.get(code=RESEAU).import_courant_id
    for centre in Dechetterie.objects.all():
        road = Troncon.objects.filter(import_reseau=importation, geom__dwithin=(centre.geom, 0.5))
        assert road.filter(classe__gte=int(Classe.SECONDAIRE)).exists()


def test_second_call_changes_nothing_and_asks_little(
    demonstration: Demonstration, django_assert_max_num_queries: Any
) -> None:
    demonstration()
    before = {
        model: list(model.objects.order_by("pk").values_list("pk", flat=True))
        for model in (ImportReseau, ZoneLimitrophe, Dechetterie, RegleAcces, Utilisateur, Etude, PassageEtude)
    }
    passwords = demonstration.passwords()
    with django_assert_max_num_queries(45):
        assert "déjà en place" in demonstration()
    for model, keys in before.items():
        assert list(model.objects.order_by("pk").values_list("pk", flat=True)) == keys, model
    assert demonstration.passwords() == passwords


def test_queries_do_not_grow_with_communes(demonstration: Demonstration) -> None:
    from django.db import connection

    demonstration()
    with CaptureQueriesContext(connection) as all_there:
        demonstration()
    Dechetterie.objects.all().delete()
    with CaptureQueriesContext(connection) as without_centres:
        demonstration()
    # Ten centres and their rules cost a few queries, not one each.
    assert len(without_centres) - len(all_there) < 16


def test_what_an_agent_corrected_stays(demonstration: Demonstration) -> None:
    demonstration()
    centre = Dechetterie.objects.order_by("code")[0]
    centre.capacite_visites_an = 1
    centre.save()
    demonstration()
    centre.refresh_from_db()
    assert centre.capacite_visites_an == 1


def test_studies_run_and_say_that_data_are_fictive(demonstration: Demonstration) -> None:
    demonstration()
    assert Etude.objects.count() == 2
    call_command("lancer_etudes", stdout=io.StringIO(), stderr=io.StringIO())
    for etude in Etude.objects.all():
        assert "fictives" in etude.titre
        passage = etude.passages.get()
        assert passage.etat == PassageEtude.Etat.REUSSI, passage.journal
        assert passage.provenance["fictif"] and passage.provenance["reseau"]["fictif"]
        assert any("fictives" in phrase for phrase in passage.synthese["limites"])
        assert float(passage.synthese["couts"]["mutualise"]) <= float(passage.synthese["couts"]["cloisonne"])
    demonstration()
    assert PassageEtude.objects.count() == 2


def test_other_populations_give_other_roads_and_a_new_run(demonstration: Demonstration) -> None:
    demonstration()
    first = Reseau.objects.get(code=RESEAU).import_courant_id
    PassageEtude.objects.update(etat=PassageEtude.Etat.ECHOUE)
    Commune.objects.filter(code=COMMUNES[0].code).update(population=30_000)
    demonstration()
    assert Reseau.objects.get(code=RESEAU).import_courant_id != first
    assert all(etude.passages.count() == 2 for etude in Etude.objects.all())


def test_accounts_open_and_have_the_rights_of_their_side(demonstration: Demonstration) -> None:
    demonstration()
    passwords = demonstration.passwords()
    assert set(passwords) == {"agent-amont", "elu-amont", "agent-aval", "elu-aval", "animation", "administration"}
    assert len(set(passwords.values())) == len(passwords)
    for name, password in passwords.items():
        assert name in demonstration.texte and password in demonstration.texte
        assert Client().login(username=name, password=password)
    assert demonstration.comptes.stat().st_mode & 0o077 == 0
    users = {user.username: user for user in Utilisateur.objects.all()}
    assert all(user.demonstration and user.last_name == "(démonstration)" for user in users.values())
    etude = Etude.objects.order_by("pk")[0]
    for side in ("amont", "aval"):
        assert may_write_etude(users[f"agent-{side}"], etude)
        assert not may_write_donnees(users[f"agent-{side}"])
    assert may_read(users["animation"]) and not may_create_etude(users["animation"])
    assert not may_write_etude(users["animation"], etude)
    assert may_write_donnees(users["administration"])


def test_lost_passwords_are_drawn_again(demonstration: Demonstration) -> None:
    demonstration()
    old = demonstration.passwords()
    demonstration.comptes.unlink()
    demonstration()
    new = demonstration.passwords()
    assert set(new) == set(old) and new != old
    assert Client().login(username="agent-aval", password=new["agent-aval"])
    assert not Client().login(username="agent-aval", password=old["agent-aval"])


def test_passwords_of_another_database_are_not_believed(demonstration: Demonstration) -> None:
    demonstration()
    for user in Utilisateur.objects.all():
        user.set_password("autre")
        user.save()
    demonstration()
    assert Client().login(username="agent-aval", password=demonstration.passwords()["agent-aval"])


def test_a_real_account_is_never_taken_over(demonstration: Demonstration) -> None:
    real = Utilisateur.objects.create_user("agent-aval", password="secret")
    with pytest.raises(CommandError, match="agent-aval"):
        demonstration()
    real.refresh_from_db()
    assert real.check_password("secret") and not real.demonstration


def test_unknown_departement_and_lone_departement_are_refused(demonstration: Demonstration) -> None:
    with pytest.raises(CommandError, match="au moins deux"):
        call_command("creer_demonstration", "--departements", "01", "01")
    with pytest.raises(CommandError, match="77777"):
        call_command("creer_demonstration", "--departements", "01", "77777", stdout=io.StringIO(), stderr=io.StringIO())
    assert not Reseau.objects.exists()


def write_osm(path: Path, west_only: bool = False) -> Path:
    """The roads of the imaginary communes as an OpenStreetMap extract."""
    highway = {2: "primary", 3: "secondary", 4: "tertiary", 5: "unclassified"}
    r = generate_roads([c for c in COMMUNES if not west_only or c.departement == "01"], seed=9)
    with osmium.SimpleWriter(str(path), overwrite=True) as out:
        for k in range(r.n_noeuds):
            out.add_node(osmium.osm.mutable.Node(id=k + 1, location=(r.noeud_x[k], r.noeud_y[k])))
        for k in range(r.n_troncons):
            tags = {"highway": highway.get(int(r.classe[k]), "residential"), "ref": r.textes[r.ref[k]]}
            nodes = [int(r.source[k]) + 1, int(r.cible[k]) + 1]
            out.add_way(osmium.osm.mutable.Way(id=k + 1, nodes=nodes, tags=tags))
    return path


def test_real_roads_from_a_file_with_fictive_services(demonstration: Demonstration, tmp_path: Path) -> None:
    extract = write_osm(tmp_path / "vrai.osm")
    demonstration("--osm", str(extract))
    assert not Reseau.objects.filter(code=RESEAU).exists()
    reseau = Reseau.objects.get(code=RESEAU_OSM)
    assert not reseau.fictif and "OpenStreetMap" in reseau.attribution
    for zone in ZoneLimitrophe.objects.all():
        assert zone.reseau == reseau
        assert zone.fictif and "fictives" in zone.nom
    assert Dechetterie.objects.exists() and not Dechetterie.objects.exclude(fictif=True).exists()
    assert "déjà en place" in demonstration("--osm", str(extract))
    # And back: the same zones and studies, on the fictive roads again.
    studies = set(Etude.objects.values_list("pk", flat=True))
    demonstration()
    assert set(ZoneLimitrophe.objects.values_list("reseau__code", flat=True)) == {RESEAU}
    assert set(Etude.objects.values_list("pk", flat=True)) == studies


def test_real_roads_are_downloaded_for_the_zone_once(
    demonstration: Demonstration, tmp_path: Path, settings: Any
) -> None:
    settings.BASE_DIR = tmp_path
    overpass = FauxOverpass(write_osm(tmp_path / "monde.osm"))
    with serve(overpass) as url:
        settings.OVERPASS_URL = url
        demonstration("--osm")
        asked = len(overpass.requetes)
        assert asked > 0
        assert "déjà téléchargées" in demonstration("--osm")
        assert len(overpass.requetes) == asked
    reseau = Reseau.objects.get(code=RESEAU_OSM)
    assert not reseau.fictif and reseau.nom == "Amont / Aval, OpenStreetMap"
    assert set(ZoneLimitrophe.objects.values_list("reseau__code", flat=True)) == {RESEAU_OSM}
    assert Etude.objects.count() == 2


def test_a_server_that_does_not_answer_is_said(demonstration: Demonstration, settings: Any) -> None:
    settings.OVERPASS_URL = "http://127.0.0.1:9/api"
    with pytest.raises(CommandError, match="Téléchargement impossible"):
        demonstration("--osm")
    assert not Reseau.objects.exists() and not Dechetterie.objects.exists()


def test_an_extract_of_one_side_only_is_refused(demonstration: Demonstration, tmp_path: Path) -> None:
    extract = write_osm(tmp_path / "ouest.osm", west_only=True)
    with pytest.raises(CommandError, match=r"ouest\.osm : aucune route n'y franchit la limite"):
        demonstration("--osm", str(extract))
    assert not ZoneLimitrophe.objects.exists()


def test_a_missing_or_broken_extract_is_said(demonstration: Demonstration, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent\.osm\.pbf : fichier introuvable"):
        demonstration("--osm", str(tmp_path / "absent.osm.pbf"))
    broken = tmp_path / "casse.osm.pbf"
    broken.write_bytes(b"rien de bon")
    with pytest.raises(CommandError, match=r"casse\.osm\.pbf"):
        demonstration("--osm", str(broken))
