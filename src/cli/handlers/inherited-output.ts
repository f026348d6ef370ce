/**
 * What handlers inherit has to block. Whenever Node closes the pipe to a child it looks at `process.stderr`, makes a
 * stream of it thereby, and so sets the pipe behind standard error non-blocking for all who share it: a handler that
 * writes more than it holds would fail. Node itself puts that right only when it exits.
 */
export function keepStandardErrorBlocking(): void {
  const { _handle: handle } = process.stderr as { readonly _handle?: { setBlocking?(isBlocking: boolean): void } };
  handle?.setBlocking?.(true);
}
