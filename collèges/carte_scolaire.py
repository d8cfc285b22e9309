"""Reads a published carte scolaire, the collèges and their pupils, and lists what is wrong or odd in them.

Pure module: text files in, dataclasses and French sentences out. The layouts are those of the ministry's open data:
sectors by commune or by side of a street (``fr-en-carte-scolaire-colleges-publics``), collèges with place, pupils and
IPS, pupils by year (``fr-en-college-effectifs-niveau-sexe-lv``). Nothing is refused but a file that is not one of
them: a real carte scolaire always has faults, and a plan of today must load however faulty it is.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Letters of the last character of a UAI: the number modulo 23.
_CLES = "ABCDEFGHJKLMNPRSTUVWXYZ"
#: Words that do not tell one commune from another.
_MOTS_VIDES = frozenset(
    ["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "saint", "sainte", "sur"]
)
#: More names than this in one sentence are counted, not listed.
NOMS_MAX = 12


class CarteIllisible(ValueError):
    """The file is not of the layout; the message (French) names file and column."""


@dataclass(frozen=True)
class CollegePublic:
    """One collège as published: lon, lat in degrees (None = unknown); pupils and IPS of the last known year."""

    uai: str
    nom: str
    secteur: str
    commune: str
    departement: str
    lon: float | None
    lat: float | None
    effectif: float | None
    ips: float | None


@dataclass(frozen=True)
class SecteurCommune:
    """What the carte scolaire says of one commune: rows by collège, and whether the commune is whole (or cut by
    streets)."""

    code: str
    nom: str
    colleges: tuple[str, ...]
    lignes: tuple[int, ...]
    par_rues: bool


@dataclass(frozen=True)
class CarteScolaire:
    """All the sectors of a file, in the order of the INSEE codes, and its faults, French sentences."""

    communes: tuple[SecteurCommune, ...]
    lignes: int
    fautes: tuple[str, ...]

    @property
    def colleges(self) -> tuple[str, ...]:
        """Every UAI that is named, sorted."""
        return tuple(sorted({uai for commune in self.communes for uai in commune.colleges}))


def valid_uai(code: str) -> bool:
    """Seven figures and the letter that checks them."""
    return bool(re.fullmatch(r"\d{7}[A-Z]", code)) and _CLES[int(code[:7]) % 23] == code[7]


def _rows(path: Path, wanted: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV whose separator and encoding are guessed; raises `CarteIllisible` where a column lacks."""
    brut = path.read_bytes()
    for codage in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            texte = brut.decode(codage)
            break
        except UnicodeDecodeError:
            continue
    entete = texte.split("\n", 1)[0]
    lecteur = csv.DictReader(io.StringIO(texte), delimiter=max(",;\t", key=entete.count))
    absentes = [nom for nom in wanted if nom not in (lecteur.fieldnames or ())]
    if absentes:
        raise CarteIllisible(f"{path.name} : colonne absente « {absentes[0]} »")
    return [{nom: (valeur or "").strip() for nom, valeur in ligne.items() if nom} for ligne in lecteur]


def _number(texte: str) -> float | None:
    try:
        valeur = float(texte.replace(",", "."))
    except ValueError:
        return None
    # Not a number is not a number either.
    return valeur if abs(valeur) < float("inf") else None


def enumerate_names(noms: Sequence[str]) -> str:
    """``a, b, c`` or, beyond `NOMS_MAX`, the first ones and how many more."""
    if len(noms) <= NOMS_MAX:
        return ", ".join(noms)
    return f"{', '.join(noms[:NOMS_MAX])} et {len(noms) - NOMS_MAX} autres"


# --- collèges ---------------------------------------------------------------------------------------------


def read_colleges(path: Path) -> dict[str, CollegePublic]:
    """Every collège of the file by its UAI. Raises `CarteIllisible`."""
    colonnes = ("uai", "nom", "secteur", "code_insee", "code_departement", "latitude", "longitude")
    pupils, ips = "effectifs_2022_2023", "ips_2022_2023"
    trouves = {}
    for ligne in _rows(path, (*colonnes, pupils, ips)):
        trouves[ligne["uai"]] = CollegePublic(
            uai=ligne["uai"],
            nom=ligne["nom"],
            secteur=ligne["secteur"],
            commune=ligne["code_insee"],
            departement=ligne["code_departement"],
            lon=_number(ligne["longitude"]),
            lat=_number(ligne["latitude"]),
            effectif=_number(ligne[pupils]),
            ips=_number(ligne[ips]),
        )
    return trouves


@dataclass(frozen=True)
class EffectifAnnuel:
    """Pupils of one collège in one year: all classes, and 6e."""

    uai: str
    nom: str
    secteur: str
    annee: int
    total: float
    sixiemes: float
    #: A collège proper (and not classes of a lycée or of an EREA).
    est_college: bool


def read_enrolments(path: Path) -> list[EffectifAnnuel]:
    """Pupils by collège and year; rows that do not say how many are left out. Raises `CarteIllisible`."""
    annee, uai, sorte, patronyme = "Rentrée scolaire", "Numéro du collège", "Dénomination principale", "Patronyme"
    sixiemes = "Nombre total de 6èmes"
    lignes = _rows(path, (annee, uai, sorte, patronyme, "Secteur", sixiemes))
    total = next((nom for nom in (lignes[0] if lignes else {}) if nom.startswith("Nombre d'élèves total (")), None)
    if total is None:
        raise CarteIllisible(f"{path.name} : colonne absente « Nombre d'élèves total »")
    lus = []
    for ligne in lignes:
        tous, entrants = _number(ligne[total]), _number(ligne[sixiemes])
        if tous is not None and entrants is not None and ligne[annee].isdigit():
            lus.append(
                EffectifAnnuel(
                    uai=ligne[uai],
                    nom=ligne[patronyme],
                    secteur=ligne["Secteur"].upper(),
                    annee=int(ligne[annee]),
                    total=tous,
                    sixiemes=entrants,
                    est_college=ligne[sorte].upper().startswith("COLL"),
                )
            )
    return lus


# --- sectors ----------------------------------------------------------------------------------------------


def read_sectors(path: Path) -> CarteScolaire:
    """The sectors of a carte scolaire with its own faults (see `compare` for those against other files).

    Raises `CarteIllisible` for another layout.
    """
    commune, nom, uai, unique = "code_insee", "libelle_commune", "Code_RNE", "Secteur_unique"
    voie, debut, fin, parite = "Type_et_Libelle", "No_de_voie_debut", "No_de_voie_fin", "Parite"
    lignes = _rows(path, (commune, nom, uai, unique, voie, debut, fin, parite))
    entieres: dict[str, Counter[str]] = defaultdict(Counter)
    rues: dict[str, Counter[str]] = defaultdict(Counter)
    noms: dict[str, Counter[str]] = defaultdict(Counter)
    troncons: dict[tuple[str, str], list[tuple[int, int, str, str]]] = defaultdict(list)
    illisibles, faux_uai, contraires, vides = [], set(), [], []
    for rang, ligne in enumerate(lignes, start=2):
        if not re.fullmatch(r"\d[\dAB]\d{3}", ligne[commune]) or not ligne[uai]:
            illisibles.append(f"ligne {rang}")
            continue
        if not valid_uai(ligne[uai]):
            faux_uai.add(ligne[uai])
        noms[ligne[commune]][ligne[nom]] += 1
        whole = ligne[unique].upper() == "O"
        if whole == bool(ligne[voie]):
            contraires.append(f"ligne {rang} ({ligne[nom]})")
        if whole and not ligne[voie]:
            entieres[ligne[commune]][ligne[uai]] += 1
            continue
        rues[ligne[commune]][ligne[uai]] += 1
        a, b = _number(ligne[debut]), _number(ligne[fin])
        if a is None or b is None or a > b:
            vides.append(f"ligne {rang} ({ligne[nom]}, {ligne[voie]})")
        else:
            troncons[ligne[commune], ligne[voie]].append((int(a), int(b), ligne[parite].upper(), ligne[uai]))
    communes = []
    for code in sorted(entieres.keys() | rues.keys()):
        parts = entieres.get(code, Counter()) + rues.get(code, Counter())
        ordre = sorted(parts, key=lambda u: (-parts[u], u)) if code in rues else list(parts)
        communes.append(
            SecteurCommune(
                code=code,
                nom=noms[code].most_common(1)[0][0],
                colleges=tuple(ordre),
                lignes=tuple(parts[u] for u in ordre),
                par_rues=code in rues,
            )
        )
    fautes = [
        *_list("lignes sans code de commune ou sans collège", illisibles),
        *_list("UAI mal formés", sorted(faux_uai)),
        *_list("lignes où « secteur unique » et la rue se contredisent", contraires),
        *_list("numéros de rue illisibles ou à l'envers", vides),
        *_sector_faults(communes, entieres, rues),
        *_street_faults(troncons, {c.code: c.nom for c in communes}),
    ]
    return CarteScolaire(tuple(communes), len(lignes), tuple(fautes))


def _colleges(combien: int) -> str:
    return f"{combien} collège" + ("s" if combien > 1 else "")


def _list(quoi: str, noms: Sequence[str]) -> list[str]:
    return [f"{quoi} ({len(noms)}) : {enumerate_names(noms)}"] if noms else []


def _sector_faults(
    communes: Sequence[SecteurCommune], entieres: dict[str, Counter[str]], rues: dict[str, Counter[str]]
) -> list[str]:
    partages = [f"{c.nom} ({c.code})" for c in communes if not c.par_rues and len(c.colleges) == 2]
    plusieurs = [
        f"{c.nom} ({c.code}, {len(c.colleges)} collèges)" for c in communes if not c.par_rues and len(c.colleges) > 2
    ]
    coupees = [f"{c.nom} ({c.code}, {_colleges(len(c.colleges))})" for c in communes if c.par_rues]
    mixtes = [f"{c.nom} ({c.code})" for c in communes if entieres.get(c.code) and rues.get(c.code)]
    doubles = [
        f"{c.nom} ({uai})" for c in communes for uai, fois in entieres.get(c.code, Counter()).items() if fois > 1
    ]
    return [
        *_list("communes entières dans un secteur partagé entre deux collèges", partages),
        *_list("communes entières rattachées à plus de deux collèges", plusieurs),
        *_list("communes découpées par rues", coupees),
        *_list("communes données à la fois entières et par rues", mixtes),
        *_list("communes écrites plusieurs fois pour le même collège", doubles),
    ]


def _street_faults(troncons: dict[tuple[str, str], list[tuple[int, int, str, str]]], noms: dict[str, str]) -> list[str]:
    """Streets of which some numbers belong to two collèges at once, or are written twice."""
    contradictoires: Counter[str] = Counter()
    doubles = 0
    for (commune, _), morceaux in sorted(troncons.items()):
        doubles += len(morceaux) - len(set(morceaux))
        contradictoires[commune] += any(
            a[3] != b[3] and a[0] <= b[1] and b[0] <= a[1] and _same_side(a, b)
            for k, a in enumerate(morceaux)
            for b in morceaux[k + 1 :]
        )
    fautes = []
    if contradictoires.total():
        ou = [f"{noms.get(code, code)} : {fois}" for code, fois in contradictoires.most_common() if fois]
        fautes.append(
            f"rues dont des numéros sont dans plusieurs secteurs à la fois ({contradictoires.total()}) : "
            f"{enumerate_names(ou)}"
        )
    if doubles:
        fautes.append(f"tronçons de rue écrits plusieurs fois : {doubles}")
    return fautes


def _same_side(a: tuple[int, int, str, str], b: tuple[int, int, str, str]) -> bool:
    """Whether two stretches whose numbers overlap have a number in common (I odd, P even, PI both)."""
    cotes = {"I", "P"} if a[2] not in ("I", "P") else {a[2]}
    cotes &= {"I", "P"} if b[2] not in ("I", "P") else {b[2]}
    bas, haut = max(a[0], b[0]), min(a[1], b[1])
    return any((n % 2 == 1) == (cote == "I") for cote in cotes for n in range(bas, min(haut, bas + 1) + 1))


def compare(
    carte: CarteScolaire, colleges: dict[str, CollegePublic], communes: dict[str, str], departement: str
) -> list[str]:
    """Faults of a carte scolaire against the collèges and the communes (code -> name) of the département."""
    cites = set(carte.colleges)
    inconnus = sorted(cites - colleges.keys())
    prives = [u for u in sorted(cites & colleges.keys()) if colleges[u].secteur != "Public"]
    sans_lieu = [u for u in sorted(cites & colleges.keys()) if colleges[u].lon is None or colleges[u].lat is None]
    sans_eleves = [u for u in sorted(cites & colleges.keys()) if not colleges[u].effectif]
    ailleurs = [u for u in sorted(cites & colleges.keys()) if colleges[u].departement != departement]
    oublies = [
        f"{c.nom} ({uai})"
        for uai, c in sorted(colleges.items())
        if c.departement == departement and c.secteur == "Public" and uai not in cites
    ]
    absentes = [f"{c.nom} ({c.code})" for c in carte.communes if c.code not in communes]
    dites = {c.code for c in carte.communes}
    muettes = [f"{nom} ({code})" for code, nom in sorted(communes.items()) if code not in dites]
    return [
        *_list("UAI de la carte scolaire inconnus du fichier des collèges", inconnus),
        *_list("secteurs d'un collège privé", prives),
        *_list("collèges sans coordonnées", sans_lieu),
        *_list("collèges sans effectif connu", sans_eleves),
        *_list("collèges d'un autre département", ailleurs),
        *_list("collèges publics sans aucun secteur", oublies),
        *_list("communes de la carte scolaire absentes du fichier des communes (fusions)", absentes),
        *_list("communes sans secteur", muettes),
    ]


# --- merged communes ----------------------------------------------------------------------------------------


def _words(nom: str) -> list[str]:
    """Words of a name that tell it from another, without accents or capitals."""
    lettres = unicodedata.normalize("NFD", nom.casefold())
    mots = re.findall(r"[a-z]+", "".join(c for c in lettres if not unicodedata.combining(c)))
    return [mot for mot in mots if mot not in _MOTS_VIDES]


def merged_by_name(carte: CarteScolaire, communes: dict[str, str]) -> dict[str, str]:
    """Commune of today (code) of each former commune (code) of the carte scolaire, where names tell.

    ``communes``: today's names by code. A merged commune often keeps a word of each of its parts (La Chapelle-Janson
    and Fleurigné: La Chapelle-Fleurigné). It is the one of the same département whose name has gained the first word
    of the former one's since the carte scolaire was written, where there is one only; never a guess between several.
    """
    avant = {c.code: set(_words(c.nom)) for c in carte.communes}
    gagnes = {code: set(_words(nom)) - avant.get(code, set()) for code, nom in communes.items()}
    trouvees = {}
    for ancienne in carte.communes:
        mots = _words(ancienne.nom)
        if ancienne.code in communes or not mots:
            continue
        suites = [code for code, gagne in gagnes.items() if mots[0] in gagne and code[:2] == ancienne.code[:2]]
        if len(suites) == 1:
            trouvees[ancienne.code] = suites[0]
    return trouvees


def sectors_of_today(
    carte: CarteScolaire, communes: dict[str, str], fusions: dict[str, str] | None = None
) -> tuple[dict[str, SecteurCommune], list[str]]:
    """Sectors by code of the communes of today (code -> name), those of their former communes added, and remarks.

    ``fusions``: commune of today of each former one; None = `merged_by_name`. A commune whose former communes have
    different collèges is shared by them: nothing says where the former limit was.
    """
    suites = merged_by_name(carte, communes) if fusions is None else fusions
    secteurs = {c.code: c for c in carte.communes if c.code in communes}
    partages: dict[str, list[str]] = {}
    perdues = []
    for ancienne in carte.communes:
        if ancienne.code in communes:
            continue
        code = suites.get(ancienne.code)
        if code is None or code not in communes:
            perdues.append(f"{ancienne.nom} ({ancienne.code}, {', '.join(ancienne.colleges)})")
            continue
        lui = secteurs.get(code, SecteurCommune(code, communes[code], (), (), False))
        lignes = dict(zip(lui.colleges, lui.lignes, strict=True))
        for uai, fois in zip(ancienne.colleges, ancienne.lignes, strict=True):
            lignes[uai] = lignes.get(uai, 0) + fois
        if lui.colleges and set(lignes) != set(lui.colleges):
            partages.setdefault(code, [f"{lui.nom} {', '.join(lui.colleges)}"])
            partages[code].append(f"{ancienne.nom} {', '.join(ancienne.colleges)}")
        secteurs[code] = SecteurCommune(
            code, communes[code], tuple(lignes), tuple(lignes.values()), lui.par_rues or ancienne.par_rues
        )
    dits = [f"{communes[code]} ({code} : {' ; '.join(parts)})" for code, parts in partages.items()]
    return secteurs, [
        *_list("communes nouvelles dont les anciennes communes ont des collèges différents, partagées entre eux", dits),
        *_list("anciennes communes dont on ne sait pas la commune d'aujourd'hui, secteur non reporté", perdues),
    ]
