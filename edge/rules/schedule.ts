import type { Hours } from './types.js';

/** Whether a time lies in one of these hours, by this machine's local time; without hours, always. */
export function inSchedule(schedule: readonly Hours[], at: number): boolean {
  if (schedule.length === 0) return true;
  const local = new Date(at);
  const day = local.getDay();
  const minute = local.getHours() * 60 + local.getMinutes();
  return schedule.some(({ days, from, to }) => {
    const [start, end] = [minutes(from), minutes(to)];
    if (start < end) return days.includes(day) && minute >= start && minute < end;
    // through midnight: the day is that of its start
    return (days.includes(day) && minute >= start) || (days.includes((day + 6) % 7) && minute < end);
  });
}

function minutes(clock: string): number {
  const [hours, minutes] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}
