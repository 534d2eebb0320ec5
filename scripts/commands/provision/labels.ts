import qrcode from 'qrcode';
import type { Identity } from './identity.js';

/** 24 labels of 63.5 x 33.9 mm on A4 (Avery L7159 and the like), 3 by 8. */
const PER_SHEET = 24;

/** What a label's code says: enough to find the device, and to see whether its certificate is the one in the list. */
export const labelText = ({ name, fingerprint }: Pick<Identity, 'name' | 'fingerprint'>): string =>
  `deepcod ${name} ${shortFingerprint(fingerprint)}`;

const shortFingerprint = (fingerprint: string): string => fingerprint.replaceAll(':', '').slice(0, 16).toLowerCase();

/** Sheets of labels to print, a page of HTML that needs nothing else. Nothing on them is secret. */
export async function labelSheets(devices: Identity[]): Promise<string> {
  const labels = await Promise.all(
    devices.map(async (device) => {
      const code = await qrcode.toString(labelText(device), { type: 'svg', margin: 0, errorCorrectionLevel: 'M' });
      const digits = shortFingerprint(device.fingerprint).replace(/.{4}(?!$)/g, '$& ');
      return (
        `<div class="label">${code.trim()}<div><b>${escapeHtml(device.name)}</b><span>${digits}</span>` +
        `<span>until ${device.expires.slice(0, 10)}</span></div></div>`
      );
    }),
  );
  const sheets: string[] = [];
  for (let i = 0; i < labels.length; i += PER_SHEET) {
    sheets.push(`<section>\n${labels.slice(i, i + PER_SHEET).join('\n')}\n</section>`);
  }
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>DeepCOD labels</title>
<style>
  @page { size: A4; margin: 0 }
  body { margin: 0; font: 9pt/1.3 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #000; background: #fff }
  section { box-sizing: border-box; width: 210mm; height: 297mm; padding: 12.9mm 7.2mm; display: grid; break-after: page;
    grid-template-columns: repeat(3, 63.5mm); grid-auto-rows: 33.9mm; column-gap: 2.55mm; align-content: start }
  section:last-child { break-after: auto }
  .label { display: flex; align-items: center; gap: 3mm; padding: 3mm; box-sizing: border-box; overflow: hidden }
  .label svg { width: 25mm; height: 25mm; flex: none }
  .label div { display: flex; flex-direction: column; min-width: 0 }
  .label b { font-size: 13pt; overflow-wrap: anywhere }
  .label span { color: #333; font-size: 7.5pt }
</style>
${sheets.join('\n')}
</html>
`;
}

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** The same as a table: name, serial, fingerprint, expires, folder. */
export function deviceTable(devices: Identity[]): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = devices.map(({ name, serial, fingerprint, expires, folder }) =>
    [name, serial, fingerprint, expires, folder].map(cell).join(','),
  );
  return `name,serial,fingerprint_sha256,expires,folder\n${rows.join('\n')}\n`;
}
