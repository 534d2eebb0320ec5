/** Does a topic match a subscription? `+` is one level, a final `#` is the rest, `$share/<group>/` in front is left aside. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  if (wanted[0] === '$share') wanted.splice(0, 2);
  const levels = topic.split('/');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i >= levels.length || (wanted[i] !== '+' && wanted[i] !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}
