import { openBundle } from '../../../../platform/bundle.js';
import { DeepcodError } from '../../../../platform/errors.js';
import { defineCheck } from '../check.js';

const again =
  'Copy the whole folder again from where it came from: `rsync -a BUNDLE/ DEVICE:{dir}/`, or let the edge send it: `deepcod update`.';

export const bundleCheck = defineCheck({
  name: 'bundle',
  title: 'bundle',
  group: 'model',
  timeoutMs: 8000,
  needs: ['bundleFolder'],
  gives: ['bundle'],
  findings: {
    bundle_ok: {
      status: 'pass',
      means: 'Every file of the bundle is there, with the size and hash that its manifest says.',
    },
    bundle_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'There is no bundle where the configuration says. The agent does not start.',
      todo: `Check \`bundle\` in the configuration. ${again}`,
    },
    bundle_invalid: {
      status: 'failure',
      symptom: 'silent',
      means: 'The bundle’s manifest cannot be used: damaged, or made for another version.',
      todo: again,
    },
    bundle_damaged: {
      status: 'failure',
      symptom: 'silent',
      means:
        'A file of the bundle is missing, or is not what the manifest says: damaged on its way or on the card. The agent does not start.',
      todo: `${again} If it happens again, the SD card is failing.`,
    },
  },
  async run({ known, tell }) {
    const dir = known.bundleFolder as string;
    try {
      const bundle = await openBundle(dir);
      known.bundle = bundle;
      const { files, service } = bundle.manifest;
      const count = Object.keys(files).length;
      tell('bundle_ok', `${service.name}/${bundle.id}, ${count} files`, {
        id: bundle.id,
        service: service.name,
        files: count,
      });
    } catch (error) {
      if (!(error instanceof DeepcodError)) throw error;
      const damaged = ['bundle_file', 'bundle_hash', 'bundle_path'].includes(error.code);
      const id = damaged ? 'bundle_damaged' : error.code === 'bundle_missing' ? 'bundle_missing' : 'bundle_invalid';
      tell(id, error.message, { dir });
    }
  },
});
