/** Whether the whole name of a topic fits. */
export function fits({ source, flags }: RegExp): (topic: string) => boolean {
  const whole = new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ''));
  return (topic) => whole.test(topic);
}
