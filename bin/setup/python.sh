# Sourced by bin/demo and bin/test: sets PYTHON to a python >= 3.11, installing the system's where there is none.
# Kept to what must happen before Python exists; everything else is in bin/setup/*.py.

limitrophe_find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, json, ssl; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            PYTHON=$(command -v "$name")
            return 0
        fi
    done
    return 1
}

limitrophe_stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

limitrophe_install_python() {
    local found="aucun python3"
    if command -v python3 >/dev/null 2>&1; then
        found="python3 est en version $(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo inconnue)"
    fi
    command -v apt-get >/dev/null 2>&1 ||
        limitrophe_stop "Il faut Python 3.11 ou plus récent ($found) : installez-le avec l'outil de votre système, puis relancez."
    local as_root=""
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
            as_root="sudo"
        else
            limitrophe_stop "Il faut Python 3.11 ou plus récent ($found), et ce compte n'a pas le droit de l'installer : demandez à un administrateur « apt-get install python3 python3-venv » (sur Ubuntu 22.04 : python3.11 python3.11-venv), puis relancez."
        fi
    fi
    local log
    log=$(mktemp)
    printf 'Installation de Python par apt-get (1 à 2 minutes)…\n'
    if ! $as_root apt-get update >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        limitrophe_stop "apt-get update a échoué : vérifiez le réseau et les sources de paquets, puis relancez."
    fi
    # The distribution's own python3 where it is recent enough, else its versioned package (Ubuntu 22.04).
    local version packages="python3.11 python3.11-venv"
    version=$(LC_ALL=C apt-cache policy python3 | sed -n 's/^ *Candidate: *\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    # shellcheck disable=SC2086
    set -- $version
    if [ "${1:-0}" -gt 3 ] || { [ "${1:-0}" -eq 3 ] && [ "${2:-0}" -ge 11 ]; }; then
        packages="python3 python3-venv"
    fi
    # shellcheck disable=SC2086
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        limitrophe_stop "L'installation de Python a échoué : installez les paquets $packages, puis relancez."
    fi
    rm -f "$log"
}

PYTHON=
if ! limitrophe_find_python; then
    limitrophe_install_python
    limitrophe_find_python || limitrophe_stop "Il faut Python 3.11 ou plus récent : aucun n'a été trouvé après l'installation."
fi
