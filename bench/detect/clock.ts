/**
 * Milliseconds that this process has used the processor, all threads together. One thing happens at a time, on one thread: on
 * an idle machine this is the time it takes, and on a busy one it still is.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
