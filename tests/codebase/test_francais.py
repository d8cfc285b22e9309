"""What people read is French, accents included: messages of errors and commands, labels, templates."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

from tests.codebase.arbre import RACINE, python_files, relative, tracked_files

ANGLAIS = re.compile(
    r"\b(the|with|from|must|should|cannot|not|and|are|this|that|missing|unknown|invalid|failed|expected|please)\b",
    flags=re.IGNORECASE,
)
#: Trade words whose accent a keyboard forgets; an identifier (after a hyphen, a quote, a dot...) may lack it.
SANS_ACCENT = re.compile(
    r"(?<![\w\-./«`'\"=%])(departements?|collectivites?|dechetteries?|reseaux?|troncons?|etudes?|numeros?|durees?"
    r"|echecs?|deja|probleme|parametres?|resultats? (?:calcule|obtenu)s?|perimetre|metres|kilometres|acces|capacite"
    r"|population legale|coutent?|interets?|beneficiaires?|regimes? cloisonne)\b(?![\w\-.=_]|\s*=)"
)
#: Where identifiers may stand: between quotes, or in a list of columns.
NOMS = re.compile(r"«[^»]*»|\((?:\w+, )+\w+\)|\bcolonnes? (?:\w+, )*\w+")
_LISIBLES = {"help", "verbose_name", "verbose_name_plural", "help_text", "label", "description", "hint", "titre"}


def _text(node: ast.expr) -> str:
    """Literal part of a string or f-string; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "…".join(_text(part) for part in node.values if isinstance(part, ast.Constant))
    return ""


def _is_own_error(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return bool(re.search(r"(Error|Invalide|Erreur|Failed|Impossible)$", name)) and not hasattr(builtins, name)


def _is_output(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("write", "say", "fail", "step")
        and ast.unparse(call.func.value) in ("self.stdout", "self.stderr", "console", "self.console")
    )


def shown_texts(source: str) -> Iterator[str]:
    """Texts of a module that people read: arguments of its own errors, command output, labels and help."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if _is_own_error(node) or _is_output(node):
                yield from (_text(argument) for argument in node.args)
            yield from (_text(word.value) for word in node.keywords if word.arg in _LISIBLES)
        elif isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if names & _LISIBLES:
                yield _text(node.value)


def _application() -> list[Path]:
    return [p for p in python_files() if not {"tests", "benchmarks", "migrations"} & set(p.relative_to(RACINE).parts)]


def _faults(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{relative(path)} : {text}"
        for path in _application()
        for text in shown_texts(path.read_text(encoding="utf-8"))
        if " " in text and pattern.search(NOMS.sub("", text))
    ]


def test_the_texts_are_found() -> None:
    source = 'raise ReseauInvalide(f"colonne {x} absente")\nraise ValueError("no")\nself.stdout.write("Fait.")\n'
    assert list(shown_texts(source)) == ["colonne … absente", "Fait."]
    assert ANGLAIS.search("The file is missing")
    assert SANS_ACCENT.search("aucun departement trouvé")
    assert not SANS_ACCENT.search("option --departement, reseau.nom")
    assert sum(1 for path in _application() for _ in shown_texts(path.read_text(encoding="utf-8"))) > 200


def test_no_english_where_people_read() -> None:
    assert _faults(ANGLAIS) == []


def test_trade_words_keep_their_accents() -> None:
    assert _faults(SANS_ACCENT) == []


def test_templates_are_french() -> None:
    """Their text, less tags, comments and scripts."""
    wrong = []
    for path in tracked_files():
        if path.suffix != ".html" or "templates" not in path.parts:
            continue
        text = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<(script|style|code|pre).*?</\1>|<!--.*?-->|<[^>]*>",
            " ",
            path.read_text(),
            flags=re.S,
        )
        wrong += [
            f"{relative(path)} : {found[0]}" for pattern in (ANGLAIS, SANS_ACCENT) if (found := pattern.search(text))
        ]
    assert wrong == []
