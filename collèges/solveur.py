"""New sectors for one block: annealing, pieces by integer programming, bound and plans by whole sectors. Pure module.

Three searches help each other, each one contiguous by construction:
- `collèges.recherche` moves zones one by one from today's plan (or the best one) under simulated annealing;
- `collèges.morceau` frees some neighbouring collèges and shares their zones out anew by an integer program;
- `collèges.maitre` proves a bound by column generation over whole sectors, and puts sectors of many plans together.
The programs are solved by HiGHS in child processes that are killed when the search ends. Today's plan is always a plan:
the answer never costs more. With ``stop.iterations`` (number of turns) and no time limit nothing depends on a clock, so
that the same seed gives the same plan on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from territoires.calcul import Arret, Progres, silent

from .depart import given, start
from .donnees import Donnees, Memoire, donnees, memoire
from .evaluation import cost_of, known_tables
from .graphe import attached
from .maitre import Colonne
from .morceau import build, edge_lengths, sector_graph
from .moteur import Enfant, ProcessusPerdu
from .partages import ended, sharing
from .probleme import AUCUN, F64, I32, Problem
from .programme import Programme, Reponse
from .recherche import anneal, relink_all, restart, seeded
from .relache import assignment, relax
from .resultat import Plan, Solution
from .suivi import Suivi
from .variation import total

#: Steps of one annealing, by zone that may move; steps between two looks at the clock.
PAS_PAR_ZONE, PAS = 2_000, 5_000
#: Hottest temperatures of the annealings in turn, and the coldest, as shares of `_heat`.
CHALEURS, FROID = (1.0, 0.35, 1.0, 0.15), 0.0025
#: Pieces after each annealing; collèges in a piece (more as long as they are solved to the end); seconds at most, and
#: branches where nothing may depend on a clock.
MORCEAUX, TAILLES, SECONDES, NOEUDS = 10, (4, 16), 3.0, 20
#: Turns of the master asked at once; seconds and branches of its integer program.
TOURS_MAITRE, SECONDES_MAITRE, NOEUDS_MAITRE = 12, 3.0, 20
#: The same of the assignment without contiguity.
SECONDES_AFFECTATION, NOEUDS_AFFECTATION = 6.0, 20
#: Gap above which the master's integer program is not worth its time.
ECART_ENTIER = 0.045
#: How far from the best the sectors may be that it chooses from, in turn, as shares of the gap by collège.
LARGEURS = (0.5, 1.0, 2.5)
#: Shared zones tried a turn.
PARTAGEES = 20
#: What the bound may lose by leaving branches, as a share of the cost.
MARGE = 2e-4
#: Turns without a better plan or bound after which a search without time limit ends.
PATIENCE = 12


class Recherche:
    """One solve: arrays, plan in hand, children, best plan."""

    def __init__(
        self, problem: Problem, stop: Arret, seed: int, progress: Progres, departs: Sequence[Plan] = ()
    ) -> None:
        self.problem, self.stop, self.seed = problem, stop, seed
        self.d: Donnees = donnees(problem, known_tables(problem))
        self.m = m = start(problem, self.d)
        m.totaux[2] = m.totaux[3] = total(self.d, m)
        m.meilleur[:] = m.x
        self.constante = self._constant()
        self.suivi = Suivi(problem, stop, seed, progress, m.x, m.x2, float(m.totaux[2]), self.constante)
        self.alea = seeded(seed)
        self.tirage = np.random.default_rng(seed)
        self.longueurs: F64 = edge_lengths(problem, self.d)
        self.colonnes: dict[Colonne, None] = {}
        self.sur_horloge = stop.iterations is None or stop.seconds is not None
        self.relache = relax(self.d, problem.present)
        #: Zones that may be shared; what a rule imposes has its price.
        self.partages = problem.present[:, 1] >= 0
        self.attend_affectation = False
        self.maitre: Enfant
        self.pieceur: Enfant
        self.attend_maitre, self.maitre_fini, self.demandes, self.finies = False, False, 0, 0
        self.numero = 0
        self.recu: I32 | None = None
        self.taille = TAILLES[0] + 2
        for plan in departs:
            self._begin_from(plan)

    def _begin_from(self, plan: Plan) -> None:
        """A plan given to start from: its sectors are kept for the master; it is the plan in hand when it is the best
        so far."""
        x, x2 = given(self.problem, self.d, plan)
        self.keep_sectors(x)
        autre = self.memory(x, x2)
        if autre is not None and self.suivi.offer(x, x2, float(autre.totaux[2])):
            self.m = autre

    def _constant(self) -> float:
        """Cost of those whom no plan moves: cost of today's plan less what the search counts of it."""
        college = self._college(self.m.x, self.m.x2)
        return cost_of(self.problem, Plan(college)) - float(self.m.totaux[2])

    def _college(self, x: I32, x2: I32) -> I32:
        return np.stack([np.where(x == self.problem.n_colleges, -1, x), x2], axis=1).astype(np.int32)

    def over(self) -> bool:
        """Time to end; the best plan in hand is offered, and told, on the way."""
        if self.m.totaux[3] < self.suivi.cout - 1e-7:
            self.suivi.offer(self.m.meilleur, self.m.x2, float(self.m.totaux[3]))
        self.suivi.tell()
        if self.sur_horloge:
            self.hear_master()
        return self.suivi.reached()

    @property
    def zones(self) -> I32:
        """Zones of the plan in hand that move one by one: those that are not shared and have a choice."""
        return self.mobile(self.m)

    def mobile(self, m: Memoire) -> I32:
        """The same of any plan."""
        return np.flatnonzero(~self.d.fige & (m.x2 < 0)).astype(np.int32)

    def heat(self) -> float:
        """Temperature at which a whole zone may go anywhere near: a quarter of the price of its pupils' places."""
        r = self.problem.regles
        zones = self.zones if len(self.zones) else np.flatnonzero(self.m.x2 >= 0)
        moyen = float(self.d.eleves[zones].mean()) if len(zones) else 1.0
        prix = max(0.25 * max(r.poids_sureffectif, r.poids_souseffectif), r.poids_depart, 5.0 * r.poids_minutes, 1e-6)
        return max(moyen * prix, 1e-6)

    def anneal(self, chaleur: float) -> None:
        """One annealing from the plan in hand, and its sectors for the master."""
        d, m = self.d, self.m
        zones, chaud, froid = self.zones, self.heat() * chaleur, self.heat() * FROID
        pas = max(2 * PAS, PAS_PAR_ZONE * len(zones))
        pas -= pas % PAS
        instantane = max(1, pas // (20 * PAS)) * PAS
        for debut in range(0, pas, PAS):
            anneal(d, m, self.alea, zones, chaud, froid, debut, PAS, pas)
            if debut > 0.7 * pas and debut % instantane == 0:
                self.keep_sectors(m.x)
            if self.over():
                return
        restart(d, m)
        self.keep_sectors(m.x)

    def keep_sectors(self, x: I32) -> None:
        """Sectors of a plan, for the master."""
        ordre = np.argsort(x, kind="stable").astype(np.int32)
        fins = np.searchsorted(x[ordre], np.arange(self.problem.n_colleges + 1))
        for j in range(self.problem.n_colleges):
            zones = ordre[fins[j] : fins[j + 1]]
            self.colonnes[j, zones[self.relache.couvrir[zones]].tobytes()] = None

    def take(self, x: I32, x2: I32 | None = None) -> bool:
        """Take a plan found by a program as the plan in hand, when it is contiguous and better than the best;
        ``x2`` None: what is shared stays so."""
        autre = self.memory(x, self.m.x2 if x2 is None else x2)
        if autre is None or autre.totaux[2] >= self.suivi.cout - 1e-7:
            return False
        self.m = autre
        self.suivi.offer(autre.x, autre.x2, float(autre.totaux[2]))
        return True

    def memory(self, x: I32, x2: I32) -> Memoire | None:
        """Sums of a plan; None when it cuts zones off."""
        d, college = self.d, self._college(x, x2)
        detachees = (college >= 0) & ~attached(college, d.portes, d.indptr, d.indices)
        zones = np.arange(self.problem.n_zones)[:, None]
        if (detachees & ~d.tolerees[zones, np.maximum(college, 0)]).any():
            return None
        autre = memoire(d, x, x2)
        relink_all(d, autre)
        autre.totaux[2] = autre.totaux[3] = total(d, autre)
        autre.meilleur[:] = autre.x
        return autre

    def unshare(self) -> None:
        """Shared sectors end, or are shared again, in the best plan: one zone, then some that touch it and share the
        same two collèges today, up to all of them. What this makes possible is tried by a short annealing before it is
        judged."""
        for zone in self.tirage.permutation(np.flatnonzero(self.partages))[:PARTAGEES].tolist():
            groupe = sharing(self.d, self.problem.present, self.partages, zone, self.tirage)
            for j in [AUCUN, *np.flatnonzero(self.d.permis[zone]).tolist()]:
                for zones in ([zone], groupe):
                    if self.over():
                        return
                    self._try_plan(*ended(self.d, self.problem.present, self.suivi.x, self.suivi.x2, zones, j))
        self.back_to_best()

    def _try_plan(self, x: I32, x2: I32) -> None:
        """A plan near the best one, kept when an annealing makes it better."""
        change = (x != self.suivi.x) | (x2 != self.suivi.x2)
        autre = self.memory(x, x2) if change.any() else None
        if autre is None:
            return
        mobiles = self.mobile(autre)
        pas = max(2_000, 30 * len(mobiles))
        chaud = self.heat() * (1.0 if self.tirage.random() < 0.3 else 0.1)
        anneal(self.d, autre, self.alea, mobiles, chaud, self.heat() * FROID, 0, pas, pas)
        if autre.totaux[3] < self.suivi.cout - 1e-7:
            self.suivi.offer(autre.meilleur, autre.x2, float(autre.totaux[3]))

    def pieces(self, combien: int) -> None:
        """Some pieces of the best plan, each solved anew; larger ones as long as they are solved to the end."""
        voisins = sector_graph(self.d, self.m)
        ouverts = [j for j in range(self.problem.n_colleges) if voisins[j]]
        for _ in range(combien if ouverts else 0):
            self.take_received()
            if self.over():
                return
            choisis = self._neighbours(voisins, ouverts)
            morceau = build(self.d, self.m, self.longueurs, choisis, self.problem.present)
            if morceau is None:
                continue
            secondes = min(SECONDES, self.stop.remaining()) if self.sur_horloge else float("inf")
            noeuds = None if self.sur_horloge else NOEUDS
            self.ask_program(morceau.programme, secondes, noeuds, morceau.depart)
            reponse = self.answer(secondes + 2.0)
            if reponse is None:
                return
            if reponse.x is None:
                continue
            fini = reponse.objectif - reponse.borne <= 1e-4 * abs(reponse.objectif)
            self.taille = min(self.taille + 1, TAILLES[1]) if fini else max(self.taille - 2, TAILLES[0])
            if self.take(*morceau.plan(reponse.x, self.m)):
                voisins = sector_graph(self.d, self.m)
                self.keep_sectors(self.m.x)

    def _neighbours(self, voisins: list[set[int]], ouverts: list[int]) -> list[int]:
        """Collèges whose sectors touch, grown from one drawn at random."""
        taille = int(self.tirage.integers(max(TAILLES[0], self.taille - 2), self.taille + 1))
        choisis = [ouverts[int(self.tirage.integers(len(ouverts)))]]
        while len(choisis) < taille:
            autour = sorted({k for j in choisis for k in voisins[j]} - set(choisis))
            if not autour:
                break
            # Those that touch the most first, so that the piece is round.
            touches = np.array([len(voisins[k] & set(choisis)) for k in autour], dtype=np.float64)
            touches += self.tirage.random(len(autour))
            choisis.append(autour[int(np.argmax(touches))])
        return sorted(choisis)

    def wait(self, enfant: Enfant, secondes: float) -> tuple[Any, ...] | None:
        """The child's next message; progress goes on meanwhile. None when it is time to end: asked first, so that a
        search that has ended reads nothing more, however quick the child is."""
        fin = self.stop.elapsed() + secondes
        while not self.over() and self.stop.elapsed() <= fin:
            message = enfant.receive(0.02)
            if message is not None:
                return message
        return None

    def ask_program(self, programme: Programme, secondes: float, noeuds: int | None, depart: F64 | None) -> None:
        """Give the child of pieces a program, numbered: `answer` reads the answer to the last one alone."""
        self.numero += 1
        self.pieceur.send("programme", self.numero, programme, secondes, noeuds, depart)

    def answer(self, secondes: float) -> Reponse | None:
        """The answer to the last program asked; None when it does not come in time (0: it is not there yet). HiGHS may
        overrun its limit: what comes late answers a program that is no longer asked."""
        fin = self.stop.elapsed() + secondes
        while True:
            reste = max(0.0, fin - self.stop.elapsed())
            message = self.wait(self.pieceur, reste) if secondes > 0.0 else self.pieceur.receive()
            if message is None:
                return None
            _, numero, reponse = message
            if numero == self.numero:
                return cast(Reponse, reponse)

    def ask_assignment(self) -> None:
        """The assignment without contiguity, on the child that has no piece yet: another bound, better than the
        master's where sectors are large."""
        programme, zone, _ = assignment(self.relache)
        entier = np.arange(len(programme.cout)) < len(zone)
        self.attend_affectation = True
        secondes = min(SECONDES_AFFECTATION, 0.3 * self.stop.remaining()) if self.sur_horloge else float("inf")
        noeuds = None if self.sur_horloge else NOEUDS_AFFECTATION
        self.ask_program(programme._replace(entier=entier), secondes, noeuds, None)

    def assigned(self) -> bool:
        """Whether the assignment without contiguity has answered."""
        if self.attend_affectation:
            reponse = self.answer(0.0 if self.sur_horloge else float("inf"))
            if reponse is not None:
                self.attend_affectation = False
                self.suivi.bound(float(reponse.borne) + self.relache.fixe)
        return not self.attend_affectation

    def ask_master(self) -> None:
        """Give the master the new sectors; it answers in its own time (`hear_master`)."""
        neuves, self.colonnes = list(self.colonnes), {}
        secondes = min(SECONDES_MAITRE, self.stop.remaining()) if self.sur_horloge else float("inf")
        noeuds = None if self.sur_horloge else NOEUDS_MAITRE
        ecart = self.suivi.cout - self.suivi.borne
        largeur = None
        if self.demandes % 2 == 1 and ecart < ECART_ENTIER * abs(self.suivi.cout):
            largeur = LARGEURS[self.demandes // 2 % len(LARGEURS)] * max(0.0, ecart) / self.problem.n_colleges
        self.maitre.send("avance", TOURS_MAITRE, neuves, self.suivi.cout, largeur, secondes, noeuds)
        self.demandes += 1
        self.attend_maitre = True

    def hear_master(self) -> None:
        """What the master has to say: bounds, plans (kept for `take_received`). It is given work again, once it has
        finished only when there are new sectors."""
        while self.attend_maitre:
            message = self.maitre.receive()
            if message is None:
                return
            self._heard(message)
        fini = self.maitre_fini and self.demandes > self.finies + 2 * len(LARGEURS) and not self.colonnes
        if self.sur_horloge and self.demandes and not fini:
            self.ask_master()

    def _heard(self, message: tuple[Any, ...]) -> None:
        quoi, borne, fini, x = message
        self.suivi.bound(float(borne))
        if quoi == "fait":
            self.attend_maitre = False
            if fini and not self.maitre_fini:
                self.maitre_fini, self.finies = True, self.demandes
            if x is not None:
                self.recu = np.asarray(x, dtype=np.int32)

    def take_received(self) -> None:
        """The master's last plan, if it is better. It says nothing of zones shared today: they keep what they have."""
        if self.recu is not None and self.take(np.where(self.relache.couvrir, self.recu, self.m.x).astype(np.int32)):
            self.keep_sectors(self.m.x)
        self.recu = None

    def run(self) -> Solution:
        """Turns of annealing, pieces, master, until ``stop``."""
        if len(self.zones) or (self.problem.present[:, 1] >= 0).any():
            with Enfant() as self.maitre, Enfant() as self.pieceur:
                marge = MARGE * abs(self.suivi.cout)
                self.maitre.send("maitre", self.relache, marge, self.seed)
                self.ask_assignment()
                try:
                    self._turns()
                except ProcessusPerdu as perdu:
                    # Whatever happened to a child, what was found is kept.
                    cout = self.suivi.cout + self.constante
                    self.suivi.progress(None, f"Recherche écourtée : {perdu} ; le meilleur plan est gardé", cout)
            self.take_received()
        else:
            # Nobody may move, and no shared sector could have stayed so.
            self.suivi.bound(self.suivi.cout)
        self.suivi.tell(force=True)
        return self.suivi.solution()

    def _turns(self) -> None:
        sans_mieux = 0
        self.keep_sectors(self.m.x)
        while not self.over():
            avant = (self.suivi.cout, self.suivi.borne)
            self.anneal(CHALEURS[self.suivi.tours % len(CHALEURS)])
            self.back_to_best()
            self.take_received()
            if not self.attend_maitre:
                self.ask_master()
            self.unshare()
            if self.assigned():
                self.pieces(MORCEAUX)
            while self.attend_maitre and not self.sur_horloge:
                message = self.wait(self.maitre, float("inf"))
                if message is None:
                    return
                self._heard(message)
            self.take_received()
            self.back_to_best()
            self.suivi.tours += 1
            sans_mieux = 0 if (self.suivi.cout, self.suivi.borne) != avant else sans_mieux + 1
            if self.stop.seconds is None and sans_mieux >= PATIENCE:
                return

    def back_to_best(self) -> None:
        """The best plan becomes the plan in hand."""
        if np.array_equal(self.m.x, self.suivi.x) and np.array_equal(self.m.x2, self.suivi.x2):
            return
        self.m = memoire(self.d, self.suivi.x, self.suivi.x2)
        relink_all(self.d, self.m)
        self.m.totaux[2] = self.m.totaux[3] = total(self.d, self.m)
        self.m.meilleur[:] = self.m.x


def solve(
    problem: Problem, stop: Arret, seed: int = 1, progress: Progres = silent, departs: Sequence[Plan] = ()
) -> Solution:
    """New sectors for a block: always a plan, contiguous but for the islands tolerated, never dearer than today's; a
    bound proves how far it is from the best at most.

    ``departs``: plans already known (an earlier answer, those of the block's parts put together): the answer costs no
    more than any of them. Raises `ValueError` (French) for one that the solver may not give (see `depart.given`)."""
    return Recherche(problem, stop, seed, progress, departs).run()
