"""Life of a study: create, copy, ask for a run, cancel it. What pages, commands and tasks call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from .lots import takeable
from .models import Collectivite, Etude, LotCalcul, PassageEtude, Utilisateur, ZoneLimitrophe
from .operation import Operation, operations
from .partitions import PartitionInvalide, as_lists, blocks_to_solve, chunks, make_partition, mutualise

#: Coalitions that only cost sharing needs, by job: enough to pay the start of a child process once for many.
COALITIONS_PAR_LOT = 64

#: Characters a title may have.
TITRE_MAX = int(Etude._meta.get_field("titre").max_length or 0)


class EtudeInvalide(ValueError):
    """The study cannot be created or run; ``erreurs`` maps a field ("" = whole form) to French messages."""

    def __init__(self, erreurs: Mapping[str, Sequence[str]]) -> None:
        self.erreurs = {field: list(messages) for field, messages in erreurs.items()}
        super().__init__(
            " ; ".join(
                f"{field} : {message}" if field else message
                for field, messages in self.erreurs.items()
                for message in messages
            )
        )


def operation_of(etude: Etude) -> Operation:
    """The operation of a study. Raises `EtudeInvalide` when it is no longer installed."""
    try:
        return operations()[etude.operation]
    except KeyError:
        raise EtudeInvalide({"operation": [f"L'opération « {etude.operation} » n'est pas installée."]}) from None


def partition_of(etude: Etude) -> tuple[frozenset[str], ...]:
    """The study's partition; its codes are those of the study."""
    codes = [code for block in etude.partition for code in block]
    return make_partition(etude.partition, codes)


@transaction.atomic
def creer_etude(
    titre: str,
    operation: str,
    zone: ZoneLimitrophe,
    collectivites: Iterable[Collectivite],
    *,
    partition: Iterable[Collection[str]] | None = None,
    parametres: Mapping[str, Any] | None = None,
    auteur: Utilisateur | None = None,
    proprietaire: Collectivite | None = None,
    origine: Etude | None = None,
) -> Etude:
    """Create a study; ``partition`` in collectivité codes (default: all in one block).

    ``parametres`` are checked by the operation's form over its initial values, so that only what differs from them
    need be given. Raises `EtudeInvalide`.
    """
    members = sorted(set(collectivites), key=lambda item: item.code)
    errors: dict[str, list[str]] = {}
    codes = [member.code for member in members]
    if len(members) < 2:
        errors["collectivites"] = ["Choisissez au moins deux collectivités."]
    if len(set(codes)) != len(codes):
        errors["collectivites"] = ["Deux collectivités de types différents portent le même code."]
    if not titre.strip():
        errors["titre"] = ["Donnez un titre à l'étude."]
    elif len(titre.strip()) > TITRE_MAX:
        errors["titre"] = [f"Le titre compte {len(titre.strip())} caractères ; {TITRE_MAX} au plus."]
    found = operations().get(operation)
    if found is None:
        raise EtudeInvalide({**errors, "operation": [f"L'opération « {operation} » n'est pas installée."]})
    blocks = None
    try:
        blocks = make_partition(mutualise(codes) if partition is None else partition, codes)
    except PartitionInvalide as error:
        errors["partition"] = [str(error)]
    form = bound_form(found, zone, members, parametres or {})
    if not form.is_valid():
        for field, messages in form.errors.items():
            label = form.fields[field].label or field if field in form.fields else ""
            errors.setdefault(str(label), []).extend(str(message) for message in messages)
    if errors or blocks is None:
        raise EtudeInvalide(errors)
    etude = Etude.objects.create(
        titre=titre.strip(),
        operation=operation,
        zone=zone,
        partition=as_lists(blocks),
        parametres=form.parametres(),
        auteur=auteur,
        proprietaire=proprietaire or (auteur.collectivite if auteur else None),
        origine=origine,
    )
    etude.collectivites.set(members)
    return etude


def bound_form(
    operation: Operation, zone: ZoneLimitrophe, collectivites: Sequence[Collectivite], parametres: Mapping[str, Any]
) -> Any:
    """The operation's form filled with its initial values and ``parametres`` over them."""
    blank = operation.form_class(zone=zone, collectivites=collectivites)
    unknown = sorted(set(parametres) - set(blank.fields))
    if unknown:
        raise EtudeInvalide({"": [f"Paramètre inconnu : {', '.join(unknown)}."]})
    data = {name: blank.get_initial_for_field(field, name) for name, field in blank.fields.items()}
    data = {name: value for name, value in {**data, **parametres}.items() if value is not None and value is not False}
    return operation.form_class(data, zone=zone, collectivites=collectivites)


@transaction.atomic
def demander_passage(
    etude: Etude,
    *,
    auteur: Utilisateur | None = None,
    graine: int = 1,
    nb_graines: int = 1,
    limite_s: float = 60.0,
    limite_iterations: int | None = None,
    avec_coalitions: bool = True,
    enfile: bool = True,
) -> PassageEtude:
    """Ask for a run: its row, its lots, and one job a lot (unless ``enfile`` is false: `run_etude` does them then).

    Raises `EtudeInvalide` when a run of this study is already waiting or going on.
    """
    partition = partition_of(etude)
    regimes, others = blocks_to_solve(partition, avec_coalitions)
    try:
        with transaction.atomic():
            passage = PassageEtude.objects.create(
                etude=etude,
                auteur=auteur,
                graine=graine,
                nb_graines=nb_graines,
                limite_s=limite_s,
                limite_iterations=limite_iterations,
                avec_coalitions=avec_coalitions,
                message="En attente d'un calculateur",
            )
    except IntegrityError as error:
        if "passage_un_seul_en_cours" in str(error):
            raise EtudeInvalide({"": ["Un calcul de cette étude est déjà en cours."]}) from error
        raise
    pieces = [([block], True) for block in regimes]
    pieces += [(chunk, False) for chunk in chunks(others, COALITIONS_PAR_LOT)]
    lots = LotCalcul.objects.bulk_create(
        LotCalcul(passage=passage, numero=number, blocs=as_lists(blocks), regime=regime)
        for number, (blocks, regime) in enumerate(pieces, 1)
    )
    if enfile:
        from .taches import enfiler

        enfiler([lot.pk for lot in lots])
    return passage


@transaction.atomic
def annuler_passage(passage: PassageEtude) -> PassageEtude:
    """Ask a run to stop: at once when no living worker has it, else within about a second. Finished runs stay."""
    passage = PassageEtude.objects.select_for_update().get(pk=passage.pk)
    if passage.termine:
        return passage
    passage.annulation = True
    passage.lots.filter(takeable()).update(etat=PassageEtude.Etat.ANNULE, message="Annulé", jeton=None)
    if not passage.lots.filter(etat=PassageEtude.Etat.EN_COURS).exists():
        passage.etat = PassageEtude.Etat.ANNULE
        passage.message = "Annulé avant la fin du calcul"
        passage.fin = timezone.now()
        passage.resultats.all().delete()
    else:
        passage.message = "Annulation demandée"
    passage.save(update_fields=["annulation", "etat", "message", "fin"])
    return passage
