"""The demonstration in the database: territory, fictive roads, zones, services, accounts, studies.

Every step looks first whether it is done, so that the whole may be asked again at any time and costs little then.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.text import slugify

from geodata.importation import ATTRIBUTION_OSM, LICENCE_OSM, Progres, Source, import_network, osm_source
from geodata.models import ImportReseau, PointPassage, Reseau

from .decoupage import decoupage
from .demonstration.routes import ATTRIBUTION, LICENCE, VERSION_DESSIN, generate_roads
from .demonstration.semis import CommuneSource
from .etudes import creer_etude, demander_passage
from .importation.ecriture import to_shapely
from .models import Collectivite, Commune, Etude, PassageEtude, Utilisateur, ZoneLimitrophe
from .models.etude import Etat
from .operation import operations
from .rapport import DonneesRefusees
from .zones import DemandeZone, create_zone

RESEAU, RESEAU_OSM = "demonstration", "demonstration-osm"
GRAINE = 1
DISTANCE_M = 15_000.0
#: EPCI of the second study: cost sharing asks for every coalition of them (511 for 9).
EPCI_MAX = 9
SUFFIXE = "(données fictives)"
NOM_DE_FAMILLE = "(démonstration)"

Dessin = Callable[[float, str], None]


def departements(codes: Sequence[str]) -> list[Collectivite]:
    """The départements of the demonstration, in the order asked. Raises `DonneesRefusees` where one is absent."""
    found = {
        c.code: c
        for c in Collectivite.objects.filter(code__in=codes, active=True)
        .exclude(type=Collectivite.Type.EPCI)
        .defer("geom")
    }
    if missing := [code for code in codes if code not in found]:
        raise DonneesRefusees(f"collectivité absente de la base : {', '.join(missing)}.")
    return [found[code] for code in codes]


def territory_is_there(codes: Sequence[str]) -> bool:
    """True where every département asked has communes."""
    present = Commune.objects.filter(active=True, departement__code__in=codes).values("departement__code").distinct()
    return present.count() == len(set(codes))


def draw_network(codes: Sequence[str], dessin: Dessin, progres: Progres) -> ImportReseau | None:
    """Generate and import the fictive network; None where the same one is already there."""
    communes = _communes(codes)
    parametres = {"graine": GRAINE, "dessin": VERSION_DESSIN, "communes": _digest(communes)}
    current = Reseau.objects.select_related("import_courant").filter(code=RESEAU).first()
    if current is not None and current.import_courant is not None and current.import_courant.parametres == parametres:
        return None
    noms = " / ".join(c.nom for c in departements(codes))
    source = Source(
        format="généré",
        libelle=f"Réseau fictif dessiné entre les mairies (graine {GRAINE})",
        lire=lambda _avance: generate_roads(_with_outlines(communes), GRAINE, dessin),
        parametres=parametres,
        edition=lambda: f"dessin {VERSION_DESSIN}",
    )
    return import_network(
        RESEAU,
        source,
        decoupage(codes),
        nom=f"{noms}, réseau fictif",
        attribution=ATTRIBUTION,
        licence=LICENCE,
        fictif=True,
        progres=progres,
    )


def network_name(codes: Sequence[str]) -> str:
    """Name of the network of real roads."""
    return f"{' / '.join(c.nom for c in departements(codes))}, OpenStreetMap"


def import_osm(codes: Sequence[str], fichier: Path, progres: Progres) -> ImportReseau:
    """Real roads from a file. Raises `ImportImpossible`, or `DonneesRefusees` where they do not cross the limit."""
    importation = import_network(
        RESEAU_OSM,
        osm_source([fichier]),
        decoupage(codes),
        nom=network_name(codes),
        attribution=ATTRIBUTION_OSM,
        licence=LICENCE_OSM,
        progres=progres,
    )
    check_osm(codes, fichier.name)
    return importation


def check_osm(codes: Sequence[str], libelle: str) -> None:
    """Raise `DonneesRefusees` unless the real network crosses the limit between the départements."""
    current = Reseau.objects.filter(code=RESEAU_OSM).values("import_courant")
    points = PointPassage.objects.filter(import_reseau__in=current, departement_a__in=codes, departement_b__in=codes)
    if not points.exists():
        raise DonneesRefusees(
            f"{libelle} : aucune route n'y franchit la limite entre {' et '.join(codes)} ; "
            "donnez un extrait OpenStreetMap qui couvre les deux côtés."
        )


def create_zones(codes: Sequence[str], reseau: str) -> list[ZoneLimitrophe]:
    """The zone between the départements, by distance from their limit, and the one of its most populated EPCI."""
    first = _zone(_main_zone(codes, reseau))
    epci = _main_epci(first)
    if len(epci) < 2:
        return [first]
    noms = " / ".join(c.nom for c in departements(codes))
    chosen = first.communes.filter(epci__code__in=epci).order_by("code").values_list("code", flat=True)
    second = _zone(
        DemandeZone(
            nom=f"{noms}, {len(epci)} EPCI de la limite {SUFFIXE}",
            code=f"{first.code[:44]}-epci",
            mode=ZoneLimitrophe.Mode.LISTE,
            communes=list(chosen),
            collectivites=epci,
            type=Collectivite.Type.EPCI,
            reseau=reseau,
            fictif=True,
        )
    )
    return [first, second]


def zone_to_download(codes: Sequence[str]) -> ZoneLimitrophe:
    """The zone between the départements, made without roads where there is none yet."""
    demande = _main_zone(codes, "")
    return ZoneLimitrophe.objects.filter(code=demande.code).first() or create_zone(demande)[0]


def _main_zone(codes: Sequence[str], reseau: str) -> DemandeZone:
    members = departements(codes)
    types = {c.type for c in members}
    return DemandeZone(
        nom=f"{' / '.join(c.nom for c in members)} {SUFFIXE}",
        code=slugify("demo-" + "-".join(c.nom for c in members))[:50],
        mode=ZoneLimitrophe.Mode.DISTANCE,
        distance_m=DISTANCE_M,
        collectivites=codes,
        type=types.pop() if len(types) == 1 else "",
        reseau=reseau,
        fictif=True,
    )


def _zone(demande: DemandeZone) -> ZoneLimitrophe:
    """The zone of that code as it is, computed again only where its network or its collectivités are others."""
    zone = ZoneLimitrophe.objects.select_related("reseau").filter(code=demande.code).first()
    if zone is not None and zone.reseau is not None and zone.reseau.code == demande.reseau:
        here = set(zone.collectivites.values_list("code", flat=True))
        if here == set(demande.collectivites) and zone.nom == demande.nom:
            return zone
    return create_zone(demande)[0]


def _main_epci(zone: ZoneLimitrophe) -> list[str]:
    """Codes of the EPCI with most inhabitants in a zone, at least one on each side, `EPCI_MAX` at most."""
    rows = list(
        zone.communes.filter(epci__isnull=False)
        .order_by()
        .values("epci__code", "departement__code")
        .annotate(habitants=Sum("population"))
    )
    total: dict[str, int] = {}
    for row in rows:
        total[row["epci__code"]] = total.get(row["epci__code"], 0) + (row["habitants"] or 0)
    order = sorted(total, key=lambda code: (-total[code], code))
    chosen: list[str] = []
    for side in sorted({row["departement__code"] for row in rows}):
        mine = {row["epci__code"] for row in rows if row["departement__code"] == side}
        chosen += [code for code in order if code in mine and code not in chosen][:1]
    chosen += [code for code in order if code not in chosen][: max(0, EPCI_MAX - len(chosen))]
    return sorted(chosen[:EPCI_MAX])


def create_services(zone: ZoneLimitrophe) -> dict[str, int]:
    """Fictive sites of every operation that can make some: title -> how many there are."""
    out: dict[str, int] = {}
    for operation in operations().values():
        create = getattr(operation, "creer_demonstration", None)
        if create is not None:
            out[operation.titre] = create(zone)
    return out


@dataclass(frozen=True)
class Compte:
    """A demonstration account: ``mot_de_passe`` is what its user types."""

    identifiant: str
    mot_de_passe: str
    role: str


def create_accounts(members: Sequence[Collectivite], fichier: Path) -> list[Compte]:
    """The demonstration accounts, with passwords drawn at their creation and kept in ``fichier`` alone.

    Accounts that are there and written in the file stay as they are; otherwise all get new passwords.
    """
    wanted = _wanted_accounts(members)
    there = {user.username: user for user in Utilisateur.objects.filter(username__in=wanted, demonstration=True)}
    kept = _read_accounts(fichier)
    first = next(iter(wanted))
    # One password tried tells a file written for another database.
    if set(there) == set(wanted) == set(kept) and there[first].check_password(kept[first]):
        return [Compte(name, kept[name], found.role) for name, found in wanted.items()]
    taken = Utilisateur.objects.filter(username__in=wanted, demonstration=False).values_list("username", flat=True)
    if taken:
        raise DonneesRefusees(
            f"comptes déjà pris par de vrais utilisateurs : {', '.join(sorted(taken))} ; renommez-les d'abord."
        )
    comptes = [Compte(name, _password(), found.role) for name, found in wanted.items()]
    with transaction.atomic():
        for compte in comptes:
            found = wanted[compte.identifiant]
            user, _ = Utilisateur.objects.get_or_create(username=compte.identifiant, defaults={"demonstration": True})
            user.first_name, user.last_name = found.prenom, NOM_DE_FAMILLE
            user.collectivite = found.collectivite
            user.is_staff = user.is_superuser = found.admin
            user.set_password(compte.mot_de_passe)
            user.save()
        _write_accounts(fichier, comptes)
    return comptes


@dataclass(frozen=True)
class _Role:
    prenom: str
    role: str
    collectivite: Collectivite | None = None
    admin: bool = False


def _wanted_accounts(members: Sequence[Collectivite]) -> dict[str, _Role]:
    out: dict[str, _Role] = {}
    for member in members:
        slug = slugify(member.nom)
        out[f"agent-{slug}"] = _Role("Agent", f"agent, {member.nom}", member)
        out[f"elu-{slug}"] = _Role("Élu", f"élu, {member.nom}", member)
    out["animation"] = _Role("Animation", "animateur neutre, lecture seule")
    out["administration"] = _Role("Administration", "administration des données", admin=True)
    return out


def _password() -> str:
    """Four syllables and two digits: easily read out, drawn at random."""
    syllables = [secrets.choice("bdfglmnprstvz") + secrets.choice("aeiou") for _ in range(4)]
    return f"{''.join(syllables)}-{secrets.randbelow(90) + 10}"


_SEPARATEUR = "  "


def _read_accounts(fichier: Path) -> dict[str, str]:
    """Identifier -> password, as written by `_write_accounts`; empty without a file."""
    if not fichier.is_file():
        return {}
    lines = [line.split() for line in fichier.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")]
    return {words[0]: words[1] for words in lines if len(words) >= 2}


def _write_accounts(fichier: Path, comptes: Iterable[Compte]) -> None:
    comptes = list(comptes)
    width = max(len(c.identifiant) for c in comptes)
    lines = ["# Comptes de démonstration : identifiant, mot de passe, rôle."]
    lines += [_SEPARATEUR.join([c.identifiant.ljust(width), c.mot_de_passe, c.role]) for c in comptes]
    fichier.parent.mkdir(parents=True, exist_ok=True)
    fichier.touch(mode=0o600)
    fichier.write_text("\n".join(lines) + "\n", encoding="utf-8")


def create_studies(zones: Sequence[ZoneLimitrophe], auteur: Utilisateur | None) -> list[Etude]:
    """One study of each operation with fictive services on each zone; a run is asked where none is up to date."""
    out = []
    for operation in operations().values():
        if not hasattr(operation, "creer_demonstration"):
            continue
        for zone in zones:
            titre = f"{operation.titre} : {zone.nom}"[:200]
            etude = Etude.objects.filter(titre=titre, operation=operation.code, zone=zone).order_by("pk").first()
            members = list(zone.collectivites.defer("geom"))
            if etude is None or {m.pk for m in members} != set(etude.collectivites.values_list("pk", flat=True)):
                etude = creer_etude(titre, operation.code, zone, members, auteur=auteur)
            if not _is_up_to_date(etude):
                demander_passage(etude, auteur=auteur, enfile=False)
            out.append(etude)
    return out


def _is_up_to_date(etude: Etude) -> bool:
    """A run waits, goes on, or has succeeded on the network the zone has now."""
    last: PassageEtude | None = etude.passages.order_by("-pk").first()
    if last is None:
        return False
    if last.etat in (Etat.EN_ATTENTE, Etat.EN_COURS):
        return True
    current: Mapping[str, Any] = last.provenance.get("import", {})
    reseau = etude.zone.reseau
    return last.etat == Etat.REUSSI and reseau is not None and current.get("id") == reseau.import_courant_id


def _communes(codes: Sequence[str]) -> list[CommuneSource]:
    """Communes of the départements without outlines, sorted by code; a mairie not known is a point inside."""
    rows = Commune.objects.filter(active=True, departement__code__in=codes, mairie__isnull=False).order_by("code")
    out = [
        CommuneSource(code, nom, departement, population or 0, mairie.x, mairie.y)
        for code, nom, departement, population, mairie in rows.values_list(
            "code", "nom", "departement__code", "population", "mairie"
        )
    ]
    without = Commune.objects.filter(
        active=True, departement__code__in=codes, mairie__isnull=True, geom__isnull=False
    ).select_related("departement")
    for commune in without:
        inside = commune.geom.point_on_surface
        out.append(
            CommuneSource(
                commune.code, commune.nom, commune.departement.code, commune.population or 0, inside.x, inside.y
            )
        )
    return sorted(out, key=lambda c: c.code)


def _with_outlines(communes: Sequence[CommuneSource]) -> list[CommuneSource]:
    outlines = dict(Commune.objects.filter(code__in=[c.code for c in communes]).values_list("code", "geom"))
    return [
        CommuneSource(c.code, c.nom, c.departement, c.population, c.x, c.y, to_shapely(outlines[c.code]))
        for c in communes
    ]


def _digest(communes: Iterable[CommuneSource]) -> str:
    text = "\n".join(f"{c.code} {c.nom} {c.departement} {c.population} {c.x:.1f} {c.y:.1f}" for c in communes)
    return hashlib.sha256(text.encode()).hexdigest()
