"""Déchetteries from agents' files: row by row, all or nothing.

Reading gives plain rows and a report; writing happens in one transaction, and only of rows without a single error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction

from geodata.graphe_cache import ReseauAbsent
from territoires.models import Collectivite, Commune
from territoires.rapport import Rapport
from territoires.tableur import Ligne, normalise, read_table

from .localisation import Ici, close_pairs, communes_of, far_from_roads
from .models import Dechetterie

#: Two sites nearer than this are taken for one written twice (m).
DOUBLON_M = 50.0
#: A site farther than this from any road of the network named is refused (m).
ROUTE_MAX_M = 5_000.0

CODE = ("code", "code_dechetterie", "code_centre", "code_site")
IDENTIFIANT = ("id", "identifiant", "numero", "n", "fid_site")
NOM = ("nom", "name", "libelle", "nom_dechetterie", "dechetterie", "centre", "site", "intitule")
PROPRIETAIRE = (
    "proprietaire",
    "epci",
    "siren",
    "code_epci",
    "siren_epci",
    "gestionnaire",
    "maitre_d_ouvrage",
    "syndicat",
)
INSEE = ("code_insee", "insee", "commune_insee", "insee_com", "depcom")
#: Columns « oui/non », one a kind of waste, where there is no list: normalised name -> how it is said.
DECHETS = {
    "amiante": "amiante", "bois": "bois", "batteries": "batteries", "cartons": "cartons", "carton": "cartons",
    "deee": "appareils électriques", "d3e": "appareils électriques", "encombrants": "encombrants",
    "ferraille": "métaux", "gravats": "gravats", "huiles": "huiles", "huile": "huiles", "metaux": "métaux",
    "mobilier": "mobilier", "papiers": "papiers", "piles": "piles", "plastiques": "plastiques", "platre": "plâtre",
    "pneus": "pneus", "produits_dangereux": "produits dangereux", "dechets_dangereux": "produits dangereux",
    "textiles": "textiles", "tout_venant": "encombrants", "vegetaux": "végétaux", "dechets_verts": "végétaux",
    "verre": "verre",
}  # fmt: skip


@dataclass
class CentreLu:
    """A centre as read. ``proprietaire`` is a primary key; ``ligne`` the row it comes from."""

    code: str
    nom: str
    proprietaire: int
    x: float
    y: float
    ligne: int | None = None
    adresse: str = ""
    capacite_visites_an: int | None = None
    capacite_t_an: int | None = None
    cout_fixe_an: Decimal | None = None
    horaires: str = ""
    dechets: list[str] = field(default_factory=list)
    fictif: bool = False
    hypothese: bool = False
    active: bool = True


@dataclass(frozen=True)
class Origine:
    """Where rows come from, kept with each."""

    source: str = ""
    edition: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Bilan:
    """What was written; ``conserves`` counts values kept because they had been corrected by hand."""

    crees: int
    mis_a_jour: int
    conserves: int = 0
    retires: int = 0


def read_centres(path: Path, rapport: Rapport, *, couche: str | None = None, srid: int | None = None) -> list[CentreLu]:
    """Centres of a CSV, workbook, GeoJSON or GeoPackage; whatever is wrong goes to the report.

    The owner is a collectivité's code or name; where it is not said, the EPCI of the commune (a warning says so).
    """
    tableau = read_table(path, rapport, couche=couche, srid=srid)
    if not tableau.lignes:
        return []
    tableau.require(NOM)
    colonnes_dechets = [c for c in tableau.colonnes if normalise(c) in DECHETS]
    lus: list[tuple[Ligne, str, float, float]] = []
    for ligne in tableau.lignes:
        nom = ligne.text(*NOM, required=tableau.has(*NOM), maximum=200)
        point = ligne.point(required=True)
        if nom is not None and point is not None:
            lus.append((ligne, nom, point.x, point.y))
    ici = communes_of(np.array([x for *_, x, _ in lus]), np.array([y for *_, y in lus]))
    autorites = Collectivites()
    insee_connus = _known_insee(tableau.lignes)
    centres = []
    for (ligne, nom, x, y), commune in zip(lus, ici, strict=True):
        _check_insee(ligne, commune, insee_connus)
        proprietaire = _owner(ligne, commune, autorites)
        centre = _centre(ligne, nom, x, y, proprietaire, colonnes_dechets)
        if centre is not None:
            centre.code = _code(ligne, autorites, centre, commune)
            centres.append(centre)
    return centres


def _centre(
    ligne: Ligne, nom: str, x: float, y: float, proprietaire: int | None, dechets: Sequence[str]
) -> CentreLu | None:
    visites = ligne.integer("capacite_visites_an", "visites_an", "visites", "capacite_visites", minimum=0)
    tonnes = ligne.integer("capacite_t_an", "tonnes_an", "tonnage", "capacite_tonnes", minimum=0)
    cout = ligne.number("cout_fixe_an", "cout_fixe", "cout_fixe_eur_an", minimum=0)
    liste = ligne.text("dechets", "dechets_acceptes", "accepte")
    acceptes = [d.strip()[:60] for d in liste.replace(";", ",").split(",") if d.strip()] if liste else []
    if not acceptes:
        acceptes = list(dict.fromkeys(DECHETS[normalise(c)] for c in dechets if ligne.boolean(c)))
    ouverte = ligne.boolean("ouverte", "active", "en_service")
    adresse = ", ".join(t for t in (ligne.text("adresse", "address"), ligne.text("ville", "city")) if t)
    if proprietaire is None:
        return None
    return CentreLu(
        code="",
        nom=nom,
        proprietaire=proprietaire,
        x=x,
        y=y,
        ligne=ligne.numero,
        adresse=adresse[:300],
        capacite_visites_an=visites,
        capacite_t_an=tonnes,
        cout_fixe_an=None if cout is None else Decimal(str(round(cout, 2))),
        horaires=ligne.text("horaires", "horaires_ouverture", "opening_hours", "hours") or "",
        dechets=acceptes,
        fictif=bool(ligne.boolean("fictif")),
        active=ouverte is not False,
    )


class Collectivites:
    """Every collectivité by code and by name, read once."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.par_cle: dict[str, list[int]] = {}
        for pk, type_, code, nom in Collectivite.objects.order_by("type", "code").values_list(
            "pk", "type", "code", "nom"
        ):
            self.codes[pk] = code
            # A number alone names an EPCI or syndicat before a département.
            self.par_cle.setdefault(code, []).insert(0 if type_ in ("epci", "syndicat") else len(self.codes), pk)
            self.par_cle.setdefault(normalise(nom), []).append(pk)

    def find(self, texte: str) -> list[int]:
        """Primary keys that a code or a name may mean."""
        return self.par_cle.get(texte) or self.par_cle.get(normalise(texte)) or []


def _owner(ligne: Ligne, commune: Ici | None, autorites: Collectivites) -> int | None:
    if commune is None:
        ligne.error(
            "le point n'est dans aucune commune connue (en mer, à l'étranger, ou territoire à importer d'abord).",
            "position",
        )
    dit = ligne.text(*PROPRIETAIRE)
    if dit is None:
        if commune is None:
            return None
        ligne.warn(f"propriétaire non dit : {'EPCI' if commune.epci else 'collectivité'} de {commune.nom} retenu.")
        return commune.autorite
    trouves = autorites.find(dit)
    if not trouves:
        ligne.error("collectivité inconnue (code SIREN ou nom attendu).", PROPRIETAIRE[0], dit)
        return None
    if len(trouves) > 1 and not dit.isdigit():
        codes = ", ".join(autorites.codes[pk] for pk in trouves)
        ligne.error(f"plusieurs collectivités portent ce nom ({codes}) : écrivez le code.", PROPRIETAIRE[0], dit)
        return None
    return trouves[0]


def _known_insee(lignes: Iterable[Ligne]) -> set[str]:
    """Codes INSEE of the file that exist."""
    vus = {code for ligne in lignes if (code := _raw_insee(ligne))}
    return set(Commune.objects.filter(code__in=vus).values_list("code", flat=True)) if vus else set()


def _raw_insee(ligne: Ligne) -> str | None:
    """The code as written, for the look-up (the report speaks in `_check_insee`)."""
    muet = Ligne(ligne.numero, ligne.valeurs, Rapport(), ligne.geom, ligne.titres)
    return muet.insee(*INSEE)


def _check_insee(ligne: Ligne, commune: Ici | None, connus: set[str]) -> None:
    code = ligne.insee(*INSEE)
    if code is None:
        return
    if code not in connus:
        ligne.error("code INSEE inconnu.", INSEE[0], code)
    elif commune is not None and commune.code != code:
        ligne.warn(f"le point est à {commune.nom} ({commune.code}).", INSEE[0], code)


def _code(ligne: Ligne, autorites: Collectivites, centre: CentreLu, commune: Ici | None) -> str:
    """The code written, else the owner's code and the number written, else the owner's code and the name."""
    code = ligne.text(*CODE, maximum=40)
    if code:
        return code
    numero = ligne.text(*IDENTIFIANT, maximum=20)
    suite = numero or (f"{commune.code if commune else ''}-{normalise(centre.nom).replace('_', '-')}")
    return f"{autorites.codes[centre.proprietaire]}-{suite}"[:40].rstrip("-")


def check_centres(
    centres: Sequence[CentreLu], rapport: Rapport, *, reseau: str = "", route_max_m: float = ROUTE_MAX_M
) -> None:
    """Report codes and sites written twice, here or in the database under another code, and sites without road."""
    vus: dict[str, CentreLu] = {}
    for centre in centres:
        if centre.code in vus:
            premier = vus[centre.code]
            rapport.error(f"code en double (déjà à la ligne {premier.ligne}).", centre.ligne, "code", centre.code)
        vus.setdefault(centre.code, centre)
    x, y = np.array([c.x for c in centres], dtype=float), np.array([c.y for c in centres], dtype=float)
    for i, j, metres in close_pairs(x, y, DOUBLON_M):
        rapport.error(
            f"site en double : à {metres:.0f} m de « {centres[i].nom} » (ligne {centres[i].ligne}).",
            centres[j].ligne,
            "position",
            centres[j].nom,
        )
    _check_existing(centres, x, y, rapport)
    if reseau and centres:
        try:
            for k, raison in far_from_roads(x.tolist(), y.tolist(), reseau, route_max_m):
                rapport.error(f"{raison}.", centres[k].ligne, "position", centres[k].nom)
        except ReseauAbsent as error:
            rapport.error(str(error))


def _check_existing(centres: Sequence[CentreLu], x: np.ndarray, y: np.ndarray, rapport: Rapport) -> None:
    if not centres:
        return
    codes = {c.code for c in centres}
    autres = [
        (code, nom, geom.x, geom.y)
        for code, nom, geom in Dechetterie.objects.exclude(code__in=codes).values_list("code", "nom", "geom")
    ]
    n = len(centres)
    tous_x, tous_y = np.append(x, [a[2] for a in autres]), np.append(y, [a[3] for a in autres])
    for i, j, metres in close_pairs(tous_x, tous_y, DOUBLON_M):
        if i < n <= j:
            code, nom = autres[j - n][:2]
            rapport.error(
                f"site en double : à {metres:.0f} m de « {nom} », déjà dans la base sous le code {code}.",
                centres[i].ligne,
                "position",
                centres[i].nom,
            )


#: Fields an import writes, and that `champs_manuels` may hold back.
CHAMPS = (
    "nom", "proprietaire", "geom", "adresse", "capacite_visites_an", "capacite_t_an", "cout_fixe_an", "horaires",
    "dechets", "fictif", "hypothese", "active",
)  # fmt: skip
REFERENCE = ("source", "edition", "licence")


@transaction.atomic
def write_centres(centres: Sequence[CentreLu], origine: Origine = Origine()) -> Bilan:
    """Insert or update by code; fields corrected by hand keep their value. Three queries."""
    connus = {d.code: d for d in Dechetterie.objects.select_for_update().filter(code__in=[c.code for c in centres])}
    nouveaux, conserves = [], 0
    for lu in centres:
        valeurs = {nom: getattr(lu, nom) for nom in CHAMPS if nom not in ("proprietaire", "geom")}
        valeurs |= {"proprietaire": lu.proprietaire, "geom": Point(lu.x, lu.y, srid=settings.SRID)}
        valeurs |= {nom: getattr(origine, nom) for nom in REFERENCE}
        ancien = connus.get(lu.code)
        objet = ancien or Dechetterie(code=lu.code)
        for nom, valeur in valeurs.items():
            if nom in objet.champs_manuels:
                conserves += 1
            else:
                setattr(objet, "proprietaire_id" if nom == "proprietaire" else nom, valeur)
        if ancien is None:
            nouveaux.append(objet)
    Dechetterie.objects.bulk_create(nouveaux)
    Dechetterie.objects.bulk_update(connus.values(), [*CHAMPS, *REFERENCE])
    return Bilan(len(nouveaux), len(connus), conserves)


def import_centres(
    path: Path,
    *,
    couche: str | None = None,
    srid: int | None = None,
    reseau: str = "",
    route_max_m: float = ROUTE_MAX_M,
    origine: Origine | None = None,
) -> tuple[Bilan, Rapport]:
    """A file of centres into the database. Raises `DonneesRefusees` with every error; nothing is written then."""
    rapport = Rapport(path.name)
    centres = read_centres(path, rapport, couche=couche, srid=srid)
    check_centres(centres, rapport, reseau=reseau, route_max_m=route_max_m)
    rapport.raise_if_errors()
    return write_centres(centres, origine or Origine(source=path.name)), rapport
