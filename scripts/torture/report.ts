/** What is printed, and what is counted: a line for each check, and a last one that says how many there were. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  states = 0;
  /** That the crash states took, from the first recording to the last verdict. */
  stateSeconds = 0;
  kills = 0;
  /** That a kill leaves at a call, or in the middle of it, by the recording of a run. */
  killedStates = 0;
  errors = 0;
  /** Calls that failed, or processes of several that were killed, in memory. */
  memoryFaults = 0;
  /** In the middle of settling what a crash has left. */
  settleKills = 0;
  readonly #start = performance.now();

  /** @param repeat commands that show a failure again */
  result(
    part: string,
    name: string,
    isGood: boolean,
    figures: string,
    details = '',
    repeat: readonly string[] = [],
  ): void {
    if (isGood) this.passed++;
    else this.failed++;
    console.log(`${isGood ? 'ok  ' : 'FAIL'} ${part.padEnd(20)} ${name.padEnd(26)} ${figures}`);
    if (isGood) return;
    for (const line of details.trim().split('\n')) console.log(`     ${line}`);
    for (const command of repeat) console.log(`     again: ${command}`);
  }

  skip(part: string, why: string): void {
    this.skipped++;
    console.log(`skip ${part.padEnd(20)} ${why}`);
  }

  end(): number {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(0);
    console.log(
      `${this.states} crash states (${Math.round(this.states / Math.max(this.stateSeconds, 0.1))}/s), ${this.killedStates} states of kills, ${this.kills} kills, ` +
        `${this.settleKills} kills of settling, ${this.errors} errors, ${this.memoryFaults} faults in memory; ` +
        `${this.skipped} skipped; ${seconds} s`,
    );
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}
