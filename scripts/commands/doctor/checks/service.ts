import { defineCheck } from '../check.js';
import { properties } from '../environment.js';

export const UNIT = 'deepcod-agent.service';

/** Exit codes of the agent that name the part: platform/errors.ts. */
const EXITS: Record<string, string> = { 2: 'configuration', 3: 'bundle', 4: 'camera', 5: 'broker' };
/** More restarts than this since the start are no accident. */
const MANY = 3;

export const serviceCheck = defineCheck({
  name: 'service',
  title: 'the agent’s service',
  group: 'agent',
  timeoutMs: 4000,
  gives: ['service'],
  findings: {
    service_ok: { status: 'pass', means: 'systemd runs the agent, and starts it with the device.' },
    service_restarting: {
      status: 'failure',
      symptom: 'silent',
      means: 'The agent ends again and again, and systemd starts it again with growing pauses.',
      todo: 'Its last words: `journalctl -u deepcod-agent -n 50`. Most often the configuration, bundle or camera findings here say why.',
    },
    service_failed: {
      status: 'failure',
      symptom: 'silent',
      means: 'The agent ended, and systemd has given up starting it.',
      todo: '`journalctl -u deepcod-agent -n 50`; when the cause is gone: `sudo systemctl reset-failed deepcod-agent && sudo systemctl start deepcod-agent`.',
    },
    service_stopped: {
      status: 'failure',
      symptom: 'silent',
      means: 'The agent is not running: somebody stopped it, or it was never started.',
      todo: '`sudo systemctl enable --now deepcod-agent`',
    },
    service_disabled: {
      status: 'warning',
      means: 'The agent runs, but does not start with the device: after the next power cut it stays away.',
      todo: '`sudo systemctl enable deepcod-agent`',
    },
    service_unstable: {
      status: 'warning',
      means: 'systemd had to start the agent again several times since the device was started.',
      todo: '`journalctl -u deepcod-agent | grep -iE "error|main process exited|watchdog" | tail`',
    },
  },
  async run({ env, known, tell, skip }) {
    const keys =
      'LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,UnitFileState,User,SupplementaryGroups';
    const { code, stdout } = await env.run('systemctl', ['show', UNIT, `--property=${keys}`], 3000);
    const unit = properties(stdout);
    if (code !== 0 || unit.LoadState === undefined) return skip('systemd does not run here');
    if (unit.LoadState === 'not-found') return skip(`there is no ${UNIT}: the agent is not installed as a service`);
    known.service = unit.ActiveState;
    const restarts = Number(unit.NRestarts ?? 0);
    const part = EXITS[unit.ExecMainStatus];
    const because = unit.Result && unit.Result !== 'success' ? `, ${unit.Result}${part ? ` (${part})` : ''}` : '';
    const what = `${unit.ActiveState} (${unit.SubState})${because}, ${restarts} restarts`;
    const values = { state: unit.ActiveState, restarts, result: unit.Result, exit: Number(unit.ExecMainStatus ?? 0) };
    if (unit.SubState === 'auto-restart' || unit.SubState === 'auto-restart-queued')
      tell('service_restarting', what, values);
    else if (unit.ActiveState === 'failed') tell('service_failed', what, values);
    else if (unit.ActiveState !== 'active' && unit.ActiveState !== 'activating' && unit.ActiveState !== 'reloading')
      tell('service_stopped', what, values);
    else if (restarts > MANY) tell('service_unstable', what, values);
    else if (unit.UnitFileState === 'disabled') tell('service_disabled', what, values);
    else tell('service_ok', what, values);
  },
});
