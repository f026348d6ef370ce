// Measures a part of a process's work as bash's `time` does a whole command: wall clock and CPU of all its threads.

export class SelfTimer {
  #wallMs = 0;
  #userMs = 0;
  #systemMs = 0;

  run(work) {
    const stop = this.#start();
    const result = work();
    stop();
    return result;
  }

  async runAsync(work) {
    const stop = this.#start();
    const result = await work();
    stop();
    return result;
  }

  print() {
    const { maxRSS } = process.resourceUsage();
    const [wallMs, userMs, systemMs] = [this.#wallMs, this.#userMs, this.#systemMs];
    process.stdout.write(`${JSON.stringify({ wallMs, userMs, systemMs, peakKib: maxRSS })}\n`);
  }

  #start() {
    const start = process.hrtime.bigint();
    const before = process.cpuUsage();
    return () => {
      const { user, system } = process.cpuUsage(before);
      this.#wallMs += Number(process.hrtime.bigint() - start) / 1e6;
      this.#userMs += user / 1e3;
      this.#systemMs += system / 1e3;
    };
  }
}
