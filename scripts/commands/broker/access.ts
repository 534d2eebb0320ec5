import { type Grants, grantsOf, type Role, type Space } from '../../../edge/broker/grants.js';

/** Who beside the devices has a place in a broker's access list. */
export interface Members {
  space: Space;
  workers: readonly string[];
  operators: readonly string[];
  /** Home Assistant and its like. */
  integrations: readonly string[];
}

/** Everybody who is named in an access list, with role and grants. */
function named({ space, workers, operators, integrations }: Members): { role: Role; name: string; grants: Grants }[] {
  const of = (role: Role, names: readonly string[]) =>
    names.map((name) => ({ role, name, grants: grantsOf(role, space, name) }));
  return [...of('worker', workers), ...of('operator', operators), ...of('integration', integrations)];
}

/** `acl` of mosquitto. Its patterns leave out names with `+`, `#` or `/`, so no name opens another's topics. */
export function mosquittoAccess(members: Members): string {
  const lines = [
    '# Who may do what. Whatever is not here is refused. Written by: deepcod broker mosquitto',
    '',
    '# Each device, by the common name of its certificate (%u): its own topics, and what the edges say of themselves.',
  ];
  const device = grantsOf('device', members.space, '%u');
  for (const topic of device.write) lines.push(`pattern write ${topic}`);
  for (const topic of device.read) lines.push(`pattern read ${topic}`);
  for (const { role, name, grants } of named(members)) {
    lines.push('', `# ${role}`, `user ${name}`);
    const both = grants.write.filter((topic) => grants.read.includes(topic));
    for (const topic of both) lines.push(`topic readwrite ${topic}`);
    for (const topic of grants.write) if (!both.includes(topic)) lines.push(`topic write ${topic}`);
    for (const topic of grants.read) if (!both.includes(topic)) lines.push(`topic read ${topic}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `acl.conf` of EMQX: terms of Erlang, the first that fits decides. */
export function emqxAccess(members: Members): string {
  const topics = (list: readonly string[]): string => `[${list.map((topic) => `"${topic}"`).join(', ')}]`;
  const rules = (who: string, { write, read }: Grants): string[] => [
    `{allow, ${who}, publish, ${topics(write)}}.`,
    `{allow, ${who}, subscribe, ${topics(read)}}.`,
  ];
  const lines = [
    '%% Who may do what: the first line that fits decides. Written by: deepcod broker emqx',
    '',
    '%% Each device, by the common name of its certificate: its own topics, and what the edges say of themselves.',
    ...rules('all', grantsOf('device', members.space, `\${username}`)),
  ];
  for (const { role, name, grants } of named(members)) {
    lines.push('', `%% ${role}`, ...rules(`{username, "${name}"}`, grants));
  }
  return `${[...lines, '', '%% Nothing else.', '{deny, all}.'].join('\n')}\n`;
}
