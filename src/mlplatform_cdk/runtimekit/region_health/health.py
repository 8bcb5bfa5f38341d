"""The decision: from what was, and what a round saw, to what is, and what is published.

What a region publishes depends on the rounds of the others and never on what these publish in answer to it, so that no
two regions can chase each other; what is left is the way through the load, and the penalty bounds that.
"""

from typing import NamedTuple

from mlplatform_cdk.runtimekit.region_health.evidence import BADNESS, Evidence, Golden, Peer
from mlplatform_cdk.runtimekit.region_health.rules import HealthRules
from mlplatform_cdk.runtimekit.region_health.state import HealthState
from mlplatform_cdk.runtimekit.region_health.verdict import DRAINED, IN_SERVICE, OUT_OF_SERVICE, Verdict

_PENALTY = 1000.0
_NOTHING = 1.0  # a penalty below this is none
_ROUNDS_TO_TELL = 2  # of a peer: the first may have begun before the doubt, the second did not
_ANSWERED = (Golden.RIGHT, Golden.SLOW)
_GOOD, _BAD, _NEITHER = 1, -1, 0
_RULES = HealthRules()


class _Rounds(NamedTuple):
    """The damped sum after a round."""

    well: bool
    bad: float
    good_in_a_row: int
    seen: tuple[tuple[str, int], ...]


class RegionHealth:
    """Folds rounds into verdicts.

    :param rules: default: those of ``HealthRules``.
    """

    def __init__(self, rules: HealthRules = _RULES) -> None:
        self.rules = rules

    def fold(self, state: HealthState, evidence: Evidence) -> tuple[HealthState, Verdict]:
        """The memory and the verdict after a round.

        :param state: the memory before it; ``NEW_REGION`` at the first.
        :param evidence: what the round saw.
        """
        own, peers, _ = evidence
        whole = state.in_service and len(peers) == evidence.others and all(peer.in_service for peer in peers)
        unsettled = state.unsettled_ms if whole else own.at_ms
        settled = whole and own.at_ms - unsettled >= self.rules.settles_ms
        count = _counts(evidence, settled=settled)
        well, bad, good, seen = self._damp(state, count, peers)
        penalty, held = self._decay(state, own.at_ms)
        alone = state.alone + 1 if _is_alone(evidence, held=held) else 0
        in_service, leaves = state.in_service, False
        if own.drained:
            in_service = False
        elif in_service:
            may_leave = not held or penalty < self.rules.stay_at
            leaves = count == _BAD and not well and may_leave and _has_refuge(evidence, seen)
            in_service = not leaves
        else:
            in_service = (well and not held) or alone >= self.rules.unhealthy_after
        if leaves:
            penalty += _PENALTY
            held = held or penalty >= self.rules.hold_at
        same = in_service == state.in_service and own.drained == state.drained and state.round > 0
        since = state.since_ms if same else own.at_ms
        new = HealthState(
            state.round + 1,
            own.at_ms,
            well,
            bad,
            good,
            alone,
            penalty,
            held,
            in_service,
            own.drained,
            since,
            unsettled,
            seen,
            *self._differs(state, evidence),
        )
        return new, self._verdict(new, evidence, count)

    def _damp(self, state: HealthState, count: int, peers: tuple[Peer, ...]) -> _Rounds:
        if count == _GOOD:
            good = state.good_in_a_row + 1
            if state.well or good >= self.rules.healthy_after:
                bad = max(0.0, state.bad - self.rules.forgiven) if state.well else 0.0
                return _Rounds(well=True, bad=bad, good_in_a_row=good, seen=())
            return _Rounds(well=False, bad=state.bad, good_in_a_row=good, seen=())
        if count == _NEITHER:
            return _Rounds(state.well, state.bad, state.good_in_a_row, state.seen)
        bad = min(state.bad + 1.0, float(self.rules.unhealthy_after))
        known = dict(state.seen)
        seen = tuple((peer.region, known.get(peer.region, peer.round)) for peer in peers)
        return _Rounds(state.well and bad < self.rules.unhealthy_after, bad, 0, seen)

    def _decay(self, state: HealthState, now_ms: int) -> tuple[float, bool]:
        """The penalty now, and whether it still holds; a clock that goes back makes it neither more nor less."""
        if not state.penalty:
            return 0.0, False
        elapsed = max(0, now_ms - state.at_ms)
        penalty = state.penalty * 2.0 ** (-elapsed / self.rules.half_life_ms)
        return (penalty, state.held and penalty > self.rules.release_at) if penalty >= _NOTHING else (0.0, False)

    def _differs(self, state: HealthState, evidence: Evidence) -> tuple[int, tuple[tuple[str, str], ...]]:
        """For how long the versions in service have differed, and which they are.

        A version that changes begins it anew: so a train may go through any number of regions, for as long as it goes
        on. A round adds what has passed since the one before, and never more than a verdict counts for, so that no
        clock that jumps makes it long. One that has read all regions, and found them alike, ends it; one that could not
        read a region, or did not learn its own version, neither adds nor ends.
        """
        own, peers, others = evidence
        serving = [(peer.region, peer.version) for peer in peers if peer.in_service and peer.version]
        if own.version and any(version != own.version for _, version in serving):
            served = {**dict(state.served), **dict(serving), "": own.version}
            same = tuple(sorted(served.items()))
            if same != state.served:
                return 0, same
            return state.differs_ms + min(max(0, own.at_ms - state.at_ms), self.rules.valid_for_ms), same
        return (0, ()) if own.version and len(peers) == others else (state.differs_ms, state.served)

    def _verdict(self, state: HealthState, evidence: Evidence, count: int) -> Verdict:
        own = evidence.own
        status = DRAINED if state.drained else IN_SERVICE if state.in_service else OUT_OF_SERVICE
        return Verdict(
            status,
            own.golden,
            own.version,
            state.well,
            state.steady,
            state.round,
            state.since_ms,
            own.at_ms + self.rules.valid_for_ms,
            own.version if count == _BAD and not state.well and _is_wrong_everywhere(evidence) else "",
            _why(state, evidence, count),
            self._next_look(state, evidence, count),
            state.differs_ms if state.in_service else 0,
        )

    def _next_look(self, state: HealthState, evidence: Evidence, count: int) -> int:
        """Sooner in doubt: a bad round of one's own is confirmed, and a peer that doubts wants to know of us."""
        interval, peers = self.rules.interval_ms, evidence.peers
        if not state.in_service:
            return interval
        if any(p.in_service and p.well and BADNESS[p.golden] > BADNESS[Golden.SLOW] for p in peers):
            return interval // 4
        in_doubt = count == _BAD and (state.well or any(p.in_service and p.golden is Golden.RIGHT for p in peers))
        return interval // 2 if in_doubt else interval


def _counts(evidence: Evidence, *, settled: bool) -> int:
    """Whether a round speaks for the region, against it, or of something else.

    :param settled: has no region been away for a while.
    """
    own, peers, others = evidence
    if own.golden is Golden.RIGHT:
        return _GOOD
    if own.golden is Golden.WRONG:
        return _BAD
    if own.golden is Golden.FAILED:
        # A probe that reaches nobody at all has lost its own way out.
        return _BAD if peers or not others else _NEITHER
    if own.golden is Golden.SLOW:
        # While another region is away, its load may be what makes this one slow, and so it is for a while after.
        return _BAD if settled and all(map(_serves_right, peers)) else _NEITHER
    return _NEITHER


def _has_refuge(evidence: Evidence, seen: tuple[tuple[str, int], ...]) -> bool:
    """Whether a region would do better, as far as is known since the doubt began."""
    if evidence.own.golden is not Golden.WRONG:
        return any(peer.well and _serves_right(peer) for peer in evidence.peers)
    first = dict(seen)
    return any(
        peer.well and _serves_right(peer) and peer.round >= first.get(peer.region, peer.round) + _ROUNDS_TO_TELL
        for peer in evidence.peers
    )


def _serves_right(peer: Peer) -> bool:
    return peer.in_service and peer.golden is Golden.RIGHT


def _is_alone(evidence: Evidence, *, held: bool) -> bool:
    """Whether no other region is a better place.

    A region that answers nobody, or wrongly, must know that of another at least; while it is held, it is better than
    none only.
    """
    own, peers, others = evidence
    answers, badness = own.golden in _ANSWERED, BADNESS[own.golden]
    serving = [peer for peer in peers if peer.in_service]
    if not answers and held and serving:
        return False
    if any(peer.well or BADNESS[peer.golden] < badness for peer in serving):
        return False
    return answers or bool(peers) or not others


def _is_wrong_everywhere(evidence: Evidence) -> bool:
    """Whether the version answers wrongly wherever it is known to answer."""
    if evidence.own.golden is not Golden.WRONG:
        return False
    alike = (peer for peer in evidence.peers if peer.version == evidence.own.version)
    return not any(peer.golden in _ANSWERED for peer in alike)


def _why(state: HealthState, evidence: Evidence, count: int) -> str:
    """One sentence for people."""
    own = evidence.own
    if state.drained:
        return "drained by hand"
    if count == _GOOD and state.steady:
        return own.reason
    if count == _GOOD:
        doing = "held out: it left too often" if state.held and not state.in_service else "coming back"
        return doing if not state.in_service else own.reason or "no other region would do better"
    said = f"{own.golden.value}: {own.reason}" if own.reason else own.golden.value
    if not state.in_service:
        return said
    if count == _NEITHER:
        return f"{said}; not counted against the region"
    return f"{said}; {'to be confirmed' if state.well else 'no other region would do better, or it left too often'}"
