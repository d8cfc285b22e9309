"""The whole problem as one plain integer program for scipy: an oracle for sizes that the brute force cannot enumerate.

Assignments are free: the nearest open level is the best one for time and for coverage, so that the rule of AUCUNE needs
no row. Not for the radius of shared demands, nor for what only the brute force looks at (demands of weight 0).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from accueil.probleme import Capacites, Etat, Modele, Problem

DISTANCE = (Modele.MEDIANE, Modele.CENTRE)


def solve_program(problem: Problem) -> float:
    """Least objective (inf: infeasible) of any model but CENTRE_PUIS_MEDIANE."""
    p = problem
    poids = p.populations @ p.mix
    actives = np.flatnonzero(poids > 0)
    poids, d, n = poids[actives], len(actives), p.n_niveaux
    minutes = p.minutes[actives][:, p.niveau_site].astype(float) + p.attente
    ferme = p.etat[p.niveau_site] == Etat.INTERDIT
    if p.pmr_exige:
        ferme |= (p.etat[p.niveau_site] == Etat.CANDIDAT) & ~p.pmr[p.niveau_site]
    permis = np.isfinite(minutes) & ~ferme
    if p.minutes_max is not None:
        permis &= minutes <= p.minutes_max + 1e-4
    minutes = np.where(permis, minutes, 0.0)
    couvre = permis & (minutes <= (-1 if p.seuil is None else p.seuil) + 1e-4)
    # Columns: levels (n), x (d n), unserved (d), radius, worst share.
    total = n + d * n + d + 2
    x0, u0, r, t = n, n + d * n, total - 2, total - 1
    couts = np.zeros(total)
    couts[:n] = p.poids_ouverture * p.cout_ouverture + p.poids_annuel * p.cout_annuel
    couts[t] = -p.equite_poids
    constante = p.equite_poids
    if p.modele is Modele.MEDIANE:
        couts[x0:u0] = (poids[:, None] * minutes).ravel()
        couts[u0 : u0 + d] = poids * (p.minutes_non_servi or 0.0)
    elif p.modele is Modele.COUVERTURE_MAX:
        couts[x0:u0] = -(poids[:, None] * couvre).ravel()
        constante += float(poids.sum())
    elif p.modele is Modele.COUVERTURE_TOTALE:
        couts[:n] += 1
    else:
        couts[r] = 1
    haut = np.ones(total)
    haut[:n][ferme] = 0
    haut[x0:u0] = permis.ravel()
    haut[u0 : u0 + d] = float(p.modele not in DISTANCE or p.minutes_non_servi is not None)
    haut[r] = np.inf
    entier = np.zeros(total)
    entier[:n] = 1
    if p.capacites is Capacites.UNIQUE or p.modele is Modele.CENTRE:
        entier[x0 : u0 + d] = 1
    lignes, bas, sommet = [], [], []

    def row(colonnes: object, valeurs: object, au_moins: float = -np.inf, au_plus: float = np.inf) -> None:
        c = np.atleast_1d(np.asarray(colonnes, dtype=int))
        v = np.broadcast_to(np.asarray(valeurs, dtype=float), c.shape)
        lignes.append(csr_array((v, (np.zeros(len(c), dtype=int), c)), shape=(1, total)))
        bas.append(au_moins)
        sommet.append(au_plus)

    tous = np.arange(n)
    for i in range(d):
        row([*(x0 + i * n + tous), u0 + i], 1.0, 1, 1)
        for k in np.flatnonzero(permis[i]):
            row([x0 + i * n + k, k], [1.0, -1.0], au_plus=0)
        if p.modele is Modele.CENTRE:
            row([*(x0 + i * n + tous), u0 + i, r], [*minutes[i], p.minutes_non_servi or 0.0, -1.0], au_plus=0)
    for site in range(p.n_sites):
        niveaux = np.flatnonzero(p.niveau_site == site)
        row(niveaux, 1.0, float(p.etat[site] == Etat.REQUIS), 1)
    row(tous, 1.0, p.sites_min, np.inf if p.sites_max is None else p.sites_max)
    for prix, budget in ((p.cout_ouverture, p.budget_ouverture), (p.cout_annuel, p.budget_annuel)):
        if budget is not None:
            row(tous, prix, au_plus=budget)
    if p.capacites is not Capacites.AUCUNE:
        for k in np.flatnonzero(np.isfinite(p.capacite)):
            row(x0 + np.arange(d) * n + k, p.volume[actives], au_plus=p.capacite[k])
    part = 1.0 if p.modele is Modele.COUVERTURE_TOTALE and p.part_min is None else p.part_min
    gain, groupe = poids[:, None] * couvre, p.demande_groupe[actives]
    if part:
        row(np.arange(x0, u0), gain.ravel(), part * poids.sum() - 1e-7)
    for g in range(len(p.groupes)):
        if p.sites_min_groupe is not None:
            row(np.flatnonzero(p.site_groupe[p.niveau_site] == g), 1.0, p.sites_min_groupe[g])
        membres = groupe == g
        if not membres.any():
            continue
        pese = poids[membres].sum()
        exige = max(0.0 if p.part_min_groupe is None else p.part_min_groupe[g], p.equite_min or 0.0)
        dedans = (gain * membres[:, None]).ravel()
        if exige:
            row(np.arange(x0, u0), dedans, exige * pese - 1e-7)
        if p.equite_poids:
            row([*range(x0, u0), t], [*(-dedans / pese), 1.0], au_plus=0)
    resultat = milp(
        couts,
        integrality=entier,
        bounds=Bounds(np.zeros(total), haut),
        constraints=LinearConstraint(vstack(lignes), bas, sommet),
        options={"mip_rel_gap": 1e-9},
    )
    if resultat.status == 2:
        return float("inf")
    assert resultat.status == 0, resultat.message
    return float(resultat.fun) + constante
