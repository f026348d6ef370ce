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
  /** States that a kill leaves, of one recording; `undefined`: every one. */
  readonly killedStates: number | undefined;
  /** Calls at which a real kill is tried, for each scenario and mode; `undefined`: at every one. */
  readonly killPoints: number | undefined;
  /** The same for each kind of error. */
  readonly errorPoints: number | undefined;
  /** Names of the scenarios that are killed and failed; `undefined`: all. */
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
    killedStates: 30,
    killPoints: 2,
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
    killedStates: undefined,
    killPoints: undefined,
    errorPoints: undefined,
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
    killedStates: undefined,
    killPoints: undefined,
    errorPoints: undefined,
    killed: undefined,
    failed: undefined,
    powerLosses: 1000,
    diskFullRounds: 1000,
  },
};
