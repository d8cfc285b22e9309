"""Words of the road databases agents use (BD TOPO v2 and v3, ROUTE 500, OSM-like layers) -> ours. Pure module.

Sources: IGN, « BD TOPO version 3.3, descriptif de contenu », classe Tronçon de route; « BD TOPO version 2.2 »;
« ROUTE 500 version 3.0, descriptif de contenu », classe Tronçon de route.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from geodata.classes import CLASSE_PAR_HIGHWAY, Classe, Gestion, gestion_of

#: Our column -> names it has in the databases, searched in this order, whatever the case.
COLONNES_CONNUES: dict[str, tuple[str, ...]] = {
    "id": ("cleabs", "id_rte500", "link_id", "id", "osm_id", "osmid"),
    "source": ("source", "noeud_source", "u"),
    "cible": ("cible", "target", "noeud_cible", "v"),
    "ref": ("ref", "numero", "cpx_numero", "num_route"),
    "nom": ("nom", "name", "nom_voie_g", "nom_1_gauche", "nom_collaboratif_gauche", "nom_voie_ban_gauche"),
    "classe": ("classe", "cl_admin", "cpx_classement_administratif", "class_adm", "highway", "fclass"),
    "nature": ("nature", "vocation"),
    "importance": ("importance",),
    "etat": ("etat_de_l_objet",),
    "sens": ("sens", "sens_de_circulation", "direction", "oneway"),
    "vmax": ("vmax", "maxspeed"),
    "largeur": ("largeur", "largeur_de_chaussee", "width"),
    "voies": ("nb_voies", "nombre_de_voies", "lanes"),
    "tonnage": ("restriction_de_poids_total", "tonnage_max", "maxweight"),
    "hauteur": ("restriction_de_hauteur", "hauteur_max", "maxheight"),
    "acces": ("acces_vehicule_leger", "acces", "access"),
    "prive": ("prive",),
    "urbain": ("urbain",),
    "franchissement": ("franchisst",),
    "position_sol": ("pos_sol", "position_par_rapport_au_sol"),
    "pont": ("pont", "bridge"),
    "tunnel": ("tunnel",),
    "revetement": ("revetement", "surface"),
}


def normalize(valeur: object) -> str:
    """Lower case, without accents, "" for nothing and for the databases' own words for nothing."""
    if valeur is None or valeur != valeur:
        return ""
    texte = unicodedata.normalize("NFKD", str(valeur)).encode("ascii", "ignore").decode().strip().lower()
    return "" if texte in ("nc", "nr", "n/a", "sans objet", "null", "none", "nan", "non concerne", "inconnu") else texte


_OUI = frozenset({"oui", "yes", "true", "1", "vrai", "t", "o"})


def is_yes(valeur: object) -> bool:
    """Whether a value says yes (oui, vrai, true, 1...)."""
    return normalize(valeur) in _OUI


_SENS: dict[str, int] = {
    "": 0, "0": 0, "0.0": 0, "double": 0, "double sens": 0, "b": 0, "both": 0, "no": 0, "non": 0, "false": 0,
    "1": 1, "1.0": 1, "direct": 1, "sens direct": 1, "sens unique": 1, "unique": 1, "f": 1, "ft": 1, "yes": 1,
    "oui": 1, "true": 1,
    "-1": -1, "-1.0": -1, "inverse": -1, "sens inverse": -1, "t": -1, "tf": -1, "reverse": -1,
}  # fmt: skip


def direction_of(valeur: object) -> int | None:
    """1 along the line, -1 against it, 0 both ways, None = unknown word."""
    return _SENS.get(normalize(valeur))


#: Access words that close the road to motor vehicles, and those that keep it for a few.
ACCES_FERME = frozenset({"physiquement impossible", "interdit", "interdit aux vehicules", "no", "non", "a pied"})
ACCES_PRIVE = frozenset({"restreint aux ayants droit", "restreint", "private", "prive", "destination", "customers"})
EN_SERVICE = frozenset({"", "en service"})

_NON_CARROSSABLE = frozenset(
    {
        "chemin", "sentier", "escalier", "piste cyclable", "bac auto", "bac pieton", "bac ou liaison maritime",
        "voie verte", "non_carrossable", "track", "track_grade1", "track_grade2", "track_grade3", "track_grade4",
        "track_grade5", "path", "footway", "cycleway", "steps", "pedestrian", "bridleway", "corridor", "construction",
        "proposed", "ferry",
    }
)  # fmt: skip

_NATURE: dict[str, Classe] = {
    "autoroute": Classe.AUTOROUTE,
    "type autoroutier": Classe.AUTOROUTE,
    "quasi-autoroute": Classe.VOIE_RAPIDE,
    "liaison principale": Classe.PRIMAIRE,
    "liaison regionale": Classe.SECONDAIRE,
    "liaison locale": Classe.TERTIAIRE,
    "route empierree": Classe.DESSERTE,
}
_IMPORTANCE: dict[str, Classe] = {
    "1": Classe.PRIMAIRE,
    "2": Classe.PRIMAIRE,
    "3": Classe.SECONDAIRE,
    "4": Classe.TERTIAIRE,
    "5": Classe.LOCALE,
    "6": Classe.DESSERTE,
}
_CLASSEMENT: dict[str, tuple[Classe, Gestion]] = {
    "autoroute": (Classe.AUTOROUTE, Gestion.AUTOROUTE),
    "nationale": (Classe.PRIMAIRE, Gestion.NATIONALE),
    "route nationale": (Classe.PRIMAIRE, Gestion.NATIONALE),
    "departementale": (Classe.SECONDAIRE, Gestion.DEPARTEMENTALE),
    "route departementale": (Classe.SECONDAIRE, Gestion.DEPARTEMENTALE),
    "metropolitaine": (Classe.SECONDAIRE, Gestion.METROPOLITAINE),
    "route metropolitaine": (Classe.SECONDAIRE, Gestion.METROPOLITAINE),
    "intercommunale": (Classe.TERTIAIRE, Gestion.COMMUNALE),
    "route intercommunale": (Classe.TERTIAIRE, Gestion.COMMUNALE),
    "communale": (Classe.LOCALE, Gestion.COMMUNALE),
    "voie communale": (Classe.LOCALE, Gestion.COMMUNALE),
    "chemin rural": (Classe.DESSERTE, Gestion.COMMUNALE),
}
_PAR_GESTION: dict[Gestion, Classe] = {
    Gestion.AUTOROUTE: Classe.AUTOROUTE,
    Gestion.NATIONALE: Classe.PRIMAIRE,
    Gestion.DEPARTEMENTALE: Classe.SECONDAIRE,
    Gestion.METROPOLITAINE: Classe.SECONDAIRE,
    Gestion.COMMUNALE: Classe.LOCALE,
}
_PAR_NOM = {c.name.lower().replace("_", " "): c for c in Classe}
_SANS_CLASSE = frozenset({"", "autre", "autres", "bretelle", "rond-point", "route a 1 chaussee", "route a 2 chaussees"})


@dataclass(frozen=True)
class Categorie:
    """What the words of one road say. ``inconnue``: a word told as class or nature that we do not know, "" = none."""

    classe: Classe
    gestion: Gestion
    bretelle: bool
    deux_chaussees: bool
    carrossable: bool
    inconnue: str


def categorize(nature: object, classement: object, importance: object, ref: str) -> Categorie:
    """Category of a road from its nature (or vocation), administrative class, importance and number, each optional."""
    n, c, i = normalize(nature), normalize(classement).replace("_link", ""), normalize(importance)
    gestion = _CLASSEMENT[c][1] if c in _CLASSEMENT else gestion_of(ref)
    classe: Classe | None = None
    if n == "type autoroutier" and c in _CLASSEMENT and c != "autoroute":
        classe = Classe.VOIE_RAPIDE
    elif n in _NATURE:
        classe = _NATURE[n]
    elif c in _CLASSEMENT and c != "departementale":
        classe = _CLASSEMENT[c][0]
    elif i in _IMPORTANCE:
        classe = _IMPORTANCE[i]
    elif c in _CLASSEMENT:
        classe = _CLASSEMENT[c][0]
    else:
        classe = CLASSE_PAR_HIGHWAY.get(c, _PAR_NOM.get(c.replace("_", " ")))
    inconnue = next((mot for mot in (n, c) if classe is None and mot not in _SANS_CLASSE | _NON_CARROSSABLE), "")
    return Categorie(
        classe=classe if classe is not None else _PAR_GESTION[gestion],
        gestion=gestion,
        bretelle=n == "bretelle" or normalize(classement).endswith("_link"),
        deux_chaussees=n == "route a 2 chaussees",
        carrossable=not ({n, c} & _NON_CARROSSABLE),
        inconnue=inconnue,
    )
