import { versions } from '../../../../platform/versions.js';
import { defineCheck } from '../check.js';

export const versionsCheck = defineCheck({
  name: 'versions',
  title: 'versions',
  group: 'agent',
  timeoutMs: 1000,
  uses: ['status', 'edges'],
  findings: {
    versions_ok: {
      status: 'pass',
      means: 'Device, running agent and edge are of the same version, as far as they say.',
    },
    version_restart: {
      status: 'warning',
      means: 'The running agent is of another version than what is installed: it was updated and not restarted.',
      todo: '`sudo systemctl restart deepcod-agent`',
    },
    version_edge_newer: {
      status: 'warning',
      means: 'The edge is of a newer version than this device.',
      todo: 'Update the device: `sudo apt install ./deepcod_{edge}_$(dpkg --print-architecture).deb`.',
    },
    version_edge_older: {
      status: 'warning',
      means: 'The edge is of an older version than this device.',
      todo: 'Update the edge: `sudo apt install ./deepcod_{here}_$(dpkg --print-architecture).deb` there.',
    },
  },
  async run({ known, tell }) {
    const { deepcod: here, node, onnxruntime } = versions();
    const values = { here, node, onnxruntime };
    const running = known.status?.online ? known.status.versions?.deepcod : undefined;
    if (running !== undefined && running !== here) {
      return tell('version_restart', `running ${running}, installed ${here}`, { ...values, running });
    }
    const edge = [...(known.edges?.values() ?? [])].find(({ online, versions }) => online && versions?.deepcod)
      ?.versions?.deepcod;
    if (edge !== undefined && edge !== here) {
      const id = newer(edge, here) ? 'version_edge_newer' : 'version_edge_older';
      return tell(id, `edge ${edge}, here ${here}`, { ...values, edge });
    }
    tell('versions_ok', `deepcod ${here}, Node.js ${node}, ONNX Runtime ${onnxruntime}`, values);
  },
});

/** Of versions like 1.10.2. */
function newer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number));
  const i = left.findIndex((part, at) => part !== right[at]);
  return i >= 0 && (left[i] || 0) > (right[i] || 0);
}
