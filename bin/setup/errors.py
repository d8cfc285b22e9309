"""Failures as the user reads them: one French sentence saying what to do."""

from __future__ import annotations

import errno
import re


class SetupError(Exception):
    """Stops the command; its text is the only thing shown."""


#: What shows in the output of apt, pip, npm or PostgreSQL, and the sentence it deserves.
_CAUSES = [
    (r"No space left on device|ENOSPC|enough free space", "Le disque est plein : libérez de la place."),
    (
        r"name resolution|Could not resolve|Temporary failure resolving|Network is unreachable|Connection refused"
        r"|Failed to establish a new connection|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|[Tt]imed? ?out",
        "Le réseau ne répond pas : vérifiez la connexion (et le mandataire, s'il y en a un).",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT",
        "Le certificat du serveur n'est pas reconnu : indiquez l'autorité de votre réseau "
        "(variables PIP_CERT et NODE_EXTRA_CA_CERTS).",
    ),
    (r"Could not get lock|is held by process", "Un autre programme installe des paquets : attendez qu'il ait fini."),
    (r"dpkg was interrupted", "Une installation a été interrompue : lancez « sudo dpkg --configure -a »."),
    (r"DO NOT MATCH THE HASHES|EINTEGRITY", "Un fichier téléchargé n'a pas l'empreinte attendue : relancez."),
    (r"No matching distribution|No candidate version", "Un paquet demandé n'existe pas pour ce système ou ce Python."),
    (r"[Pp]ermission denied|EACCES", "Ce compte n'a pas le droit d'écrire ou de lire un fichier nécessaire."),
]


def system_cause(error: OSError) -> str:
    """French sentence for a refusal of the system itself; empty for one that is a fault of the program."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Le disque est plein : libérez de la place, puis relancez."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Ce compte n'a pas le droit d'écrire ou de lire {error.filename or 'un fichier nécessaire'}."
    return ""


def cause(output: str) -> str:
    """French sentence for a known cause seen in a tool's output; empty where none is known."""
    for pattern, sentence in _CAUSES:
        if re.search(pattern, output):
            return sentence
    return ""
