/** Which calls of the storage protocol are meant, for the options of an exploration. */
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import type { SimulatedCall } from '../../support/simulated-call.js';

const SAFE_SLOTS_AT = 1024;

export type CallTest = (call: SimulatedCall) => boolean;

export const never: CallTest = () => false;
export const ofControlFile: CallTest = ({ path }) => path.endsWith(`/${CONTROL_FILE_NAME}`);
export const ofSegment: CallTest = ({ path }) => path.endsWith('.log');
export const isWrite: CallTest = ({ name }) => name === 'write';
export const isDataSync: CallTest = (call) => call.name === 'sync' && ofSegment(call);
export const isControlWrite: CallTest = (call) => isWrite(call) && ofControlFile(call);
/** Of a whole record S. */
export const isWriteOfSafe: CallTest = (call) =>
  isControlWrite(call) && call.position >= SAFE_SLOTS_AT && call.length > 1;
