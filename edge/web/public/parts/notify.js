import { link } from '../router.js';
import { site } from '../site.js';

const KEYS = { sound: 'deepcod.sound', notification: 'deepcod.notification' };
/** Between two sounds, ms: ten alerts at once are one sound. */
const QUIET_MS = 3000;

let audio;
let lastSound = Number.NEGATIVE_INFINITY;

/** What this browser shall do when an alert begins; nothing unless somebody asked for it here. */
export const wishes = {
  get sound() {
    return read(KEYS.sound);
  },
  set sound(on) {
    write(KEYS.sound, on);
    if (on) beep();
  },
  get notification() {
    return read(KEYS.notification) && globalThis.Notification?.permission === 'granted';
  },
};

/** @returns {Promise<boolean>} whether it is as wished: the browser asks the person, who may refuse */
export async function wishNotifications(on) {
  if (!on || !globalThis.Notification) {
    write(KEYS.notification, false);
    return !on;
  }
  const granted = (await Notification.requestPermission()) === 'granted';
  write(KEYS.notification, granted);
  return granted;
}

export function startNotifying() {
  site.addEventListener('alert', ({ detail: { type, alert } }) => {
    if (type !== 'new') return;
    if (wishes.sound && performance.now() - lastSound > QUIET_MS) beep();
    if (wishes.notification) tell(alert);
  });
}

function tell({ id, message, camera }) {
  const note = new Notification(message, { body: camera, tag: id });
  note.onclick = () => {
    focus();
    location.hash = link('alerts', [id]);
  };
}

/** Two soft tones. */
function beep() {
  lastSound = performance.now();
  audio ??= new AudioContext();
  audio.resume();
  [660, 880].forEach((frequency, i) => {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const at = audio.currentTime + i * 0.18;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
}

function read(key) {
  try {
    return localStorage.getItem(key) === 'on';
  } catch {
    return false;
  }
}

function write(key, on) {
  try {
    if (on) localStorage.setItem(key, 'on');
    else localStorage.removeItem(key);
  } catch {
    // a browser that keeps nothing asks again next time
  }
}
