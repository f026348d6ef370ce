/** How much of everything. */
export interface Size {
  /** Distinct crash states in all, over all scenarios. */
  readonly states: number;
  /** Of one recording: a new one, by another seed, finds more than the same one explored further. */
  readonly statesPerRecording: number;
  /** Crash states of another scenario that a recovery starts from, for each recording. */
  readonly startsPerRecording: number;
  /** Of so many crash states one is settled with a kill at each of its calls; 0: none. */
  readonly settleEvery: number;
  /** The same for states that a recorded kill has left. */
  readonly settleKilledEvery: number;
  /** States that a kill leaves, of one recording; `undefined`: every one. */
  readonly killedStates: number | undefined;
  /** Calls at which a real kill of all processes is tried, for each scenario and mode. */
  readonly killPoints: number;
  /** Calls at which one process of several is really killed, for each scenario; `undefined`: every one. */
  readonly killOnePoints: number | undefined;
  /** Calls that are met in memory, of each scenario, kind of fault and kind of call; `undefined`: every one. */
  readonly faultCalls: number | undefined;
  /** Calls that really fail, of each scenario and kind of error. */
  readonly errorPoints: number;
  /** Names of the scenarios that are really killed and failed; `undefined`: all. */
  readonly killed: readonly string[] | undefined;
  readonly failed: readonly string[] | undefined;
  readonly powerLosses: number;
  readonly diskFullRounds: number;
}

export const SIZES: Readonly<Record<string, Size>> = {
  small: {
    states: 1240,
    statesPerRecording: 40,
    startsPerRecording: 1,
    settleEvery: 20,
    settleKilledEvery: 10,
    killedStates: 30,
    killPoints: 2,
    killOnePoints: 2,
    faultCalls: 2,
    errorPoints: 1,
    killed: ['roll', 'group-commit', 'compaction', 'recovery-roll', 'klog-produce', 'klog-topic-alter-delete'],
    failed: ['roll', 'topics', 'klog-produce'],
    powerLosses: 1,
    diskFullRounds: 3,
  },
  nightly: {
    states: 200_000,
    statesPerRecording: 2000,
    startsPerRecording: 5,
    settleEvery: 50,
    settleKilledEvery: 1,
    killedStates: undefined,
    killPoints: 2,
    killOnePoints: undefined,
    faultCalls: undefined,
    errorPoints: 1,
    killed: undefined,
    failed: undefined,
    powerLosses: 100,
    diskFullRounds: 50,
  },
  release: {
    states: 1_000_000,
    statesPerRecording: 2500,
    startsPerRecording: 5,
    settleEvery: 20,
    settleKilledEvery: 1,
    killedStates: undefined,
    killPoints: 10,
    killOnePoints: undefined,
    faultCalls: undefined,
    errorPoints: 5,
    killed: undefined,
    failed: undefined,
    powerLosses: 1000,
    diskFullRounds: 1000,
  },
};
