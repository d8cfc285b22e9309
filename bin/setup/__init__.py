"""Set-up behind bin/demo and bin/test: standard library only, since it runs before the virtual environment exists.

One concern a module: `system` (packages), `venv`, `node`, `cluster` (private PostgreSQL), `processes`, `stamps`
(what is already done), `console` (what the user sees), and the two commands, `demo` and `checks`.
"""
