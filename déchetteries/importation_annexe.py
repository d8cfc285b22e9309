"""Access rules and points of population from agents' files: row by row, all or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction

from territoires.rapport import Rapport
from territoires.tableur import Ligne, read_table

from .importation import CODE, REFERENCE, Bilan, Collectivites, Origine
from .localisation import communes_of
from .models import Dechetterie, PointDemande, RegleAcces

#: Columns that may hold the code of a point of population; its commune's code is put before it.
CODE_POINT = ("code", "id", "idcar_200m", "id_car2010", "idinspire", "id_carreau")


@transaction.atomic
def import_rules(path: Path, *, source: str = "") -> tuple[Bilan, Rapport]:
    """Access rules: columns centre, collectivite, autorise (oui/non), source. Raises `DonneesRefusees`."""
    rapport = Rapport(path.name)
    tableau = read_table(path, rapport)
    tableau.require(("centre", *CODE), ("collectivite", "habitants_de", "epci", "siren"), ("autorise", "acces"))
    rapport.raise_if_errors()
    centres = dict(Dechetterie.objects.values_list("code", "pk"))
    autorites = Collectivites()
    regles: dict[tuple[int, int], RegleAcces] = {}
    lignes: dict[tuple[int, int], int] = {}
    for ligne in tableau.lignes:
        code = ligne.text("centre", *CODE, required=True)
        dit = ligne.text("collectivite", "habitants_de", "epci", "siren", required=True)
        autorise = ligne.boolean("autorise", "acces", required=True)
        trouves = autorites.find(dit) if dit else []
        if code and code not in centres:
            ligne.error("déchetterie inconnue.", "centre", code)
        if dit and not trouves:
            ligne.error("collectivité inconnue (code ou nom attendu).", "collectivite", dit)
        if code not in centres or not trouves or autorise is None:
            continue
        cle = (centres[code], trouves[0])
        if cle in regles:
            ligne.error(f"règle en double (déjà à la ligne {lignes[cle]}).", "centre", code)
        lignes.setdefault(cle, ligne.numero)
        texte = ligne.text("source", "convention", "reglement", maximum=300) or source or path.name
        regles[cle] = RegleAcces(dechetterie_id=cle[0], collectivite_id=cle[1], autorise=autorise, source=texte[:300])
    rapport.raise_if_errors()
    avant = RegleAcces.objects.count()
    RegleAcces.objects.bulk_create(
        regles.values(),
        update_conflicts=True,
        unique_fields=["dechetterie", "collectivite"],
        update_fields=["autorise", "source"],
    )
    crees = RegleAcces.objects.count() - avant
    return Bilan(crees, len(regles) - crees), rapport


@transaction.atomic
def import_points(
    path: Path, *, couche: str | None = None, srid: int | None = None, origine: Origine | None = None
) -> tuple[Bilan, Rapport]:
    """Points of population (for instance cells of the INSEE grid, taken at their centre): the communes that the file
    covers get these points and lose those they had. Raises `DonneesRefusees`."""
    rapport = Rapport(path.name)
    tableau = read_table(path, rapport, couche=couche, srid=srid)
    population = ("population", "habitants", "ind", "ind_c", "pop", "nb_habitants")
    if tableau.lignes:
        tableau.require(population)
    lus: list[tuple[Ligne, str, float, float, float]] = []
    vus: dict[str, int] = {}
    for ligne in tableau.lignes:
        habitants = ligne.number(*population, required=True, minimum=0)
        if ligne.geom is not None and ligne.geom.geom_type != "Point":
            ligne.geom = ligne.geom.centroid
        point = ligne.point(required=True)
        code = ligne.text(*CODE_POINT, maximum=48) or str(ligne.numero)
        if code in vus:
            ligne.error(f"code en double (déjà à la ligne {vus[code]}).", "code", code)
        vus.setdefault(code, ligne.numero)
        if habitants is not None and point is not None:
            lus.append((ligne, code, habitants, point.x, point.y))
    ici = communes_of(np.array([p[3] for p in lus], dtype=float), np.array([p[4] for p in lus], dtype=float))
    for (ligne, *_), commune in zip(lus, ici, strict=True):
        if commune is None:
            ligne.error("le point n'est dans aucune commune connue.", "position")
    rapport.raise_if_errors()
    reference = origine or Origine(source=path.name)
    couvertes = {commune.pk for commune in ici if commune is not None}
    retires, _ = PointDemande.objects.filter(commune__in=couvertes).delete()
    points = [
        PointDemande(
            code=f"{commune.code}-{code}"[:60], commune_id=commune.pk, population=habitants,
            geom=Point(x, y, srid=settings.SRID),
            **{nom: getattr(reference, nom) for nom in REFERENCE},
        )
        for (_, code, habitants, x, y), commune in zip(lus, ici, strict=True)
        if commune is not None
    ]  # fmt: skip
    PointDemande.objects.bulk_create(points, batch_size=5000)
    return Bilan(len(points), 0, retires=retires), rapport
