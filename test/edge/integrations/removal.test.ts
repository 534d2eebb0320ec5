import mqtt from 'mqtt';
import t from 'tap';
import { startEdge } from '../../../edge/edge.js';
import { startWeb } from '../../../edge/web.js';
import { Device, recordedLog, tinyConfig, until } from '../harness.js';

const config = 'homeassistant/device/deepcod_cam/config';

t.test(
  'a camera comes to Home Assistant over a real broker, and goes: by the API, or when its status is cleared',
  async (t) => {
    const { log } = recordedLog();
    const settings = tinyConfig({
      ...{ broker: { port: 0 }, web: { enabled: true, port: 0 }, history: { enabled: false } },
      home_assistant: { enabled: true },
    });
    const edge = await startEdge(settings, log);
    const web = await startWeb(settings, edge, log);
    const device = await Device.connect(edge.brokerUrl, 'cam');
    const home = await mqtt.connectAsync(edge.brokerUrl, { protocolVersion: 4, clientId: 'home-assistant' });
    t.teardown(async () => {
      await device.close();
      await home.endAsync(true);
      await web?.close();
      await edge.close();
    });
    const kept = new Map<string, string>();
    home.on('message', (topic, payload) => void kept.set(topic, payload.toString()));
    await home.subscribeAsync(['homeassistant/#', 'deepcod/cam/#']);
    const say = (online: boolean) =>
      device.client.publishAsync('deepcod/cam/status', JSON.stringify({ online }), { retain: true, qos: 1 });
    const url = `${web?.url}api/v1/cameras/cam`;
    const remove = () => fetch(url, { method: 'DELETE', headers: { origin: new URL(url).origin } });
    const announced = () => until(() => (kept.get(config) ?? '') !== '', 'the announcement');
    const gone = () => until(() => kept.get(config) === '' && kept.get('deepcod/cam/ha') === '', 'the removal');

    const update = 'deepcod/cam/update/status';
    await device.client.publishAsync(update, '{}', { retain: true, qos: 1 });
    await say(true);
    await announced();
    await until(() => kept.get('deepcod/cam/ha')?.includes('"on":"ON"') ?? false, 'the state');
    t.match(JSON.parse(kept.get(config) as string), { dev: { ids: ['deepcod_cam'] }, avty_mode: 'all' });
    t.equal((await remove()).status, 409, 'not while it is there');
    await say(false);
    await until(() => kept.get('deepcod/cam/ha')?.includes('"on":"OFF"') ?? false, 'offline');
    t.equal((await remove()).status, 204);
    await gone();
    await until(() => kept.get(update) === '', 'the end of its update status');
    t.equal(kept.get('deepcod/cam/status'), '', 'the broker keeps nothing of it');
    t.equal((await fetch(url)).status, 404);
    t.equal((await remove()).status, 204, 'once more does no harm');

    await say(true);
    await announced();
    await home.publishAsync('deepcod/cam/status', '', { retain: true, qos: 1 });
    await gone();
  },
);

t.test('Home Assistant needs the page', async (t) => {
  const wrong = () => tinyConfig({ home_assistant: { enabled: true } });
  t.throws(wrong, { code: 'config_invalid', message: /home_assistant\.enabled/ });
});
