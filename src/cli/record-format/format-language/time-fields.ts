/** What a time that is read says of itself, and which moment that is. */
import type { TimeZone } from './time-zone.js';

export class TimeFields {
  /** Seconds since 1970: says everything but the milliseconds. */
  epochSeconds: number | undefined;
  year = 1970;
  month = 1;
  day = 1;
  /** From 1, instead of month and day. */
  yearDay: number | undefined;
  hour = 0;
  /** `AM` or `PM`, with hours from 1 to 12. */
  isAfternoon: boolean | undefined;
  minute = 0;
  second = 0;
  millisecond = 0;
  /** Of the time's own zone. */
  offsetSeconds: number | undefined;

  /** Undefined for what no clock or calendar shows, such as 30 February. */
  timestamp(zone: TimeZone): number | undefined {
    if (this.epochSeconds !== undefined) return this.epochSeconds * 1000 + this.millisecond;
    const days = this.#days();
    const hour = this.#hour();
    if (days === undefined || hour === undefined || this.minute > 59 || this.second > 59) return undefined;
    const local = ((days * 24 + hour) * 60 + this.minute) * 60_000 + this.second * 1000 + this.millisecond;
    if (this.offsetSeconds !== undefined) return local - this.offsetSeconds * 1000;
    // A second time with the offset found first: near a change of the clocks that one may be the other side's.
    const guess = local - zone.offsetSecondsAt(local) * 1000;
    return local - zone.offsetSecondsAt(guess) * 1000;
  }

  /** Since 1970. */
  #days(): number | undefined {
    const { year, yearDay } = this;
    const [month, day] = yearDay === undefined ? [this.month, this.day] : [1, yearDay];
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    const fits = date.getUTCFullYear() === year && (yearDay !== undefined || date.getUTCMonth() === month - 1);
    return fits && day >= 1 ? date.getTime() / 86_400_000 : undefined;
  }

  #hour(): number | undefined {
    const { hour, isAfternoon } = this;
    if (isAfternoon === undefined) return hour > 23 ? undefined : hour;
    if (hour < 1 || hour > 12) return undefined;
    return (hour % 12) + (isAfternoon ? 12 : 0);
  }
}
