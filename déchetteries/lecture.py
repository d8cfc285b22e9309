"""What a study reads of the database: places where people live, centres, explicit rules. No query in a loop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import shapely
from django.conf import settings
from django.contrib.gis.db.models import PointField
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import Exists, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from territoires.models import Commune, Etude
from territoires.operation import DonneesInsuffisantes

from .acces import AUCUN
from .models import Dechetterie, PointDemande, RegleAcces
from .parametres import Parametres
from .probleme import EXTERIEUR

#: Names quoted in a remark before the rest is only counted.
NOMS_CITES = 8


@dataclass(frozen=True, eq=False)
class Lieu:
    """A demand point as read."""

    code: str
    nom: str
    commune: str
    departement: int
    epci: int
    epci_code: str
    epci_nom: str
    groupe: int
    population: float
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Centre:
    """A centre as read, or as the study changes it."""

    code: str
    nom: str
    pk: int
    proprietaire: int
    proprietaire_code: str
    proprietaire_nom: str
    proprietaire_type: str
    groupe: int
    dans_perimetre: bool
    cout_fixe: float
    capacite: float
    fictif: bool
    x: float
    y: float
    actif: bool
    actif_base: bool


def quote(noms: Iterable[str]) -> str:
    """Names in a sentence, each once; beyond a few the rest is counted."""
    noms = list(dict.fromkeys(noms))
    reste = len(noms) - NOMS_CITES
    return ", ".join(noms[:NOMS_CITES]) + (f" et {reste} autres" if reste > 0 else "")


def read_points(etude: Etude, parametres: Parametres, rang: Mapping[int, int], remarques: list[str]) -> list[Lieu]:
    """Demand points of the study, sorted by code; what is supposed of them goes to ``remarques``."""
    communes = Commune.objects.filter(active=True)
    if parametres.perimetre == "zone":
        communes = communes.filter(zones=etude.zone)
    membre = Q(departement__in=rang) | Q(epci__in=rang)
    place = Coalesce("mairie", Func("geom", function="ST_PointOnSurface", output_field=PointField(srid=settings.SRID)))
    lignes = list(
        communes.filter(membre)
        .order_by("code")
        .values_list(
            "pk",
            "code",
            "nom",
            "population",
            "departement_id",
            "epci_id",
            "epci__code",
            "epci__nom",
            AsWKB(place),
            "mairie",
        )
    )
    if not lignes:
        raise DonneesInsuffisantes(f"Aucune commune des collectivités de l'étude dans la zone « {etude.zone.nom} ».")
    nulle_part = [nom for _, _, nom, *_, wkb, _ in lignes if wkb is None]
    if nulle_part:
        remarques.append(f"Communes sans mairie ni contour, laissées de côté : {quote(nulle_part)}.")
    sans_mairie = [nom for _, _, nom, *_, wkb, mairie in lignes if wkb is not None and mairie is None]
    if sans_mairie:
        remarques.append(f"Communes sans mairie connue, placées à l'intérieur de leur contour : {quote(sans_mairie)}.")
    sans_population = [nom for _, _, nom, population, *_ in lignes if population is None]
    if sans_population:
        remarques.append(
            f"Population inconnue, supposée de {parametres.population_defaut} habitants (hypothèse) : "
            f"{quote(sans_population)}."
        )
    lieux: list[Lieu] = []
    par_commune: dict[int, Lieu] = {}
    for pk, code, nom, population, departement, epci, epci_code, epci_nom, wkb, _ in lignes:
        if wkb is None:
            continue
        point = shapely.from_wkb(bytes(wkb))
        groupe = rang.get(epci, rang.get(departement, -1))
        habitants = float(parametres.population_defaut if population is None else population)
        lieu = Lieu(
            code, nom, code, departement, AUCUN if epci is None else epci, epci_code or "", epci_nom or "", groupe,
            habitants, point.x, point.y,
        )  # fmt: skip
        par_commune[pk] = lieu
        lieux.append(lieu)
    if parametres.points == "fins":
        lieux = _finer(par_commune, lieux, remarques)
    return lieux


def _finer(par_commune: Mapping[int, Lieu], lieux: list[Lieu], remarques: list[str]) -> list[Lieu]:
    """Communes that have points of population replaced by them."""
    fins: list[Lieu] = []
    remplacees: set[str] = set()
    lignes = PointDemande.objects.filter(commune__in=par_commune).values_list(
        "code", "commune_id", "population", AsWKB("geom")
    )
    for code, commune, population, wkb in lignes:
        point, mere = shapely.from_wkb(bytes(wkb)), par_commune[commune]
        fins.append(replace(mere, code=f"{mere.commune}/{code}", population=population, x=point.x, y=point.y))
        remplacees.add(mere.commune)
    entieres = [lieu for lieu in lieux if lieu.commune not in remplacees]
    remarques.append(
        f"{len(fins)} points de population dans {len(remplacees)} communes ; {len(entieres)} communes à leur mairie."
    )
    return sorted(fins + entieres, key=lambda lieu: lieu.code)


def read_centres(
    rang: Mapping[int, int], lieux: Sequence[Lieu], cites: Collection[str], parametres: Parametres
) -> list[Centre]:
    """Centres of the study's collectivités, others that its inhabitants have a right to, and those of the codes
    ``cites`` (named by the study's changes), sorted by code."""
    proprietaires = {*rang, *(lieu.epci for lieu in lieux)} - {AUCUN}
    habitants = proprietaires | {lieu.departement for lieu in lieux}
    perimetre = {lieu.commune for lieu in lieux}
    ici = Commune.objects.filter(active=True, geom__contains=OuterRef("geom"))
    droit = RegleAcces.objects.filter(dechetterie=OuterRef("pk"), autorise=True, collectivite__in=habitants)
    lignes = (
        Dechetterie.objects.annotate(
            lieu_departement=Subquery(ici.values("departement")[:1]),
            lieu_epci=Subquery(ici.values("epci")[:1]),
            lieu_code=Subquery(ici.values("code")[:1]),
        )
        .filter(
            Q(proprietaire__in=proprietaires)
            | Q(lieu_departement__in=rang)
            | Q(lieu_epci__in=rang)
            | Q(code__in=cites)
            | Exists(droit)
        )
        .select_related("proprietaire")
        .order_by("code")
    )
    centres = []
    for d in lignes:
        groupe = EXTERIEUR
        for cle in (d.proprietaire_id, d.lieu_epci, d.lieu_departement):
            if groupe == EXTERIEUR:
                groupe = rang.get(cle, EXTERIEUR)
        centres.append(
            Centre(
                code=d.code,
                nom=str(d),
                pk=d.pk,
                proprietaire=d.proprietaire_id,
                proprietaire_code=d.proprietaire.code,
                proprietaire_nom=d.proprietaire.nom,
                proprietaire_type=d.proprietaire.type,
                groupe=groupe,
                dans_perimetre=d.lieu_code in perimetre,
                cout_fixe=float(parametres.couts.cout_fixe if d.cout_fixe_an is None else d.cout_fixe_an),
                capacite=_capacity(d, parametres),
                fictif=d.fictif,
                x=d.geom.x,
                y=d.geom.y,
                actif=d.active,
                actif_base=d.active,
            )
        )
    return centres


def _capacity(d: Dechetterie, parametres: Parametres) -> float:
    """Visits a year, inf where not limited; tonnes become visits by the mean weight of a visit."""
    if not parametres.capacites:
        return float("inf")
    limites = [float("inf")]
    if d.capacite_visites_an is not None:
        limites.append(float(d.capacite_visites_an))
    if d.capacite_t_an is not None and parametres.couts.tonnes_hab_an > 0:
        limites.append(d.capacite_t_an * parametres.couts.visites_hab_an / parametres.couts.tonnes_hab_an)
    return min(limites)


def read_rules(centres: Sequence[Centre]) -> list[tuple[int, int, bool]]:
    """Explicit rules of these centres: (centre's key, collectivité's key, allowed)."""
    cles = [c.pk for c in centres]
    return list(
        RegleAcces.objects.filter(dechetterie__in=cles).values_list("dechetterie_id", "collectivite_id", "autorise")
    )
