/** `--print-metrics`: what the run has cost this process, from {@link processMetrics} to the call of its answer. */
export function processMetrics(): () => Record<string, number> {
  const before = process.resourceUsage();
  return () => {
    const after = process.resourceUsage();
    return {
      'user.cpu.ms': Math.round((after.userCPUTime - before.userCPUTime) / 1000),
      'system.cpu.ms': Math.round((after.systemCPUTime - before.systemCPUTime) / 1000),
      // Since the process began: there is no other peak.
      'peak.memory.kib': after.maxRSS,
      'file.system.writes': after.fsWrite - before.fsWrite,
      'context.switches':
        after.voluntaryContextSwitches +
        after.involuntaryContextSwitches -
        before.voluntaryContextSwitches -
        before.involuntaryContextSwitches,
    };
  };
}
