import { type Grants, grantsOf, type Role } from '../../../edge/broker/grants.js';

/** Who beside the devices has a place in a broker's access list. */
export interface Members {
  base: string;
  workers: readonly string[];
  operators: readonly string[];
}

const named = (role: Role, names: readonly string[], base: string): [string, Grants][] =>
  names.map((name) => [name, grantsOf(role, base, name)]);

/** `acl` of mosquitto. Its patterns leave out names with `+`, `#` or `/`, so no name opens another's topics. */
export function mosquittoAccess({ base, workers, operators }: Members): string {
  const lines = [
    '# Who may do what. Whatever is not here is refused. Written by: deepcod broker mosquitto',
    '',
    '# Each device, by the common name of its certificate (%u): its own topics, and what the edges say of themselves.',
  ];
  const device = grantsOf('device', base, '%u');
  for (const topic of device.write) lines.push(`pattern write ${topic}`);
  for (const topic of device.read) lines.push(`pattern read ${topic}`);
  for (const [role, names] of [
    ['worker', workers],
    ['operator', operators],
  ] as const) {
    for (const [name, grants] of named(role, names, base)) {
      lines.push('', `# ${role}`, `user ${name}`);
      const both = grants.write.filter((topic) => grants.read.includes(topic));
      for (const topic of both) lines.push(`topic readwrite ${topic}`);
      for (const topic of grants.write) if (!both.includes(topic)) lines.push(`topic write ${topic}`);
      for (const topic of grants.read) if (!both.includes(topic)) lines.push(`topic read ${topic}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** `acl.conf` of EMQX: terms of Erlang, the first that fits decides. */
export function emqxAccess({ base, workers, operators }: Members): string {
  const topics = (list: readonly string[]): string => `[${list.map((topic) => `"${topic}"`).join(', ')}]`;
  const rules = (who: string, { write, read }: Grants): string[] => [
    `{allow, ${who}, publish, ${topics(write)}}.`,
    `{allow, ${who}, subscribe, ${topics(read)}}.`,
  ];
  const lines = [
    '%% Who may do what: the first line that fits decides. Written by: deepcod broker emqx',
    '',
    '%% Each device, by the common name of its certificate: its own topics, and what the edges say of themselves.',
    ...rules('all', grantsOf('device', base, `\${username}`)),
  ];
  for (const [role, names] of [
    ['worker', workers],
    ['operator', operators],
  ] as const) {
    for (const [name, grants] of named(role, names, base)) {
      lines.push('', `%% ${role}`, ...rules(`{username, "${name}"}`, grants));
    }
  }
  return `${[...lines, '', '%% Nothing else.', '{deny, all}.'].join('\n')}\n`;
}
