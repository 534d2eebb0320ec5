/** What the edge’s API speaks of. Written by `npm run schemas` from docs/openapi.json: change the routes, not this. */

export interface Problem {
  type: string;
  title: string;
  status: number;
  /** stable, for programs */
  code: string;
  /** what is wrong, for people */
  detail: string;
  /** what to do about it */
  hint?: string;
}

export interface CameraSummary {
  /** name of a device */
  name: string;
  /** `silent`: it said nothing for 30 s, and no goodbye */
  state: 'online' | 'silent' | 'offline';
  /** milliseconds since 1970 */
  last_seen: number;
  bundle?: {
    id: string;
    name: string;
  };
  /** partition point in use, `raw` or `device` */
  partition?: string;
  /** rate of the codec */
  rate?: number;
  /** results per second, recent */
  fps?: number;
  /** of a frame message, recent */
  bytes_mean?: number;
  /** what the device holds the link to be, bits per second */
  bandwidth_bps?: number;
  /** p50 from capture to result, ms */
  total_ms?: number;
  /** whether there is a picture of it now */
  picture: boolean;
  /** alerts that nobody has closed */
  open_alerts: number;
}

export interface Camera {
  /** name of a device */
  name: string;
  /** `silent`: it said nothing for 30 s, and no goodbye */
  state: 'online' | 'silent' | 'offline';
  /** milliseconds since 1970 */
  last_seen: number;
  bundle?: {
    id: string;
    name: string;
  };
  /** partition point in use, `raw` or `device` */
  partition?: string;
  /** rate of the codec */
  rate?: number;
  /** results per second, recent */
  fps?: number;
  /** of a frame message, recent */
  bytes_mean?: number;
  /** what the device holds the link to be, bits per second */
  bandwidth_bps?: number;
  /** p50 from capture to result, ms */
  total_ms?: number;
  /** whether there is a picture of it now */
  picture: boolean;
  /** alerts that nobody has closed */
  open_alerts: number;
  /** frame messages since the edge started */
  frames: number;
  results: number;
  failures: number;
  bytes: number;
  /** p50 of each step of a frame’s trip, ms, by step */
  steps_ms?: Record<string, number>;
  /** frames not sent since the device started, by cause */
  drops?: Record<string, number>;
  versions?: Record<string, string>;
  uptime_s?: number;
  /** results that the device keeps until the broker takes them */
  waiting_results?: number;
  /** why the partition point was chosen: a code */
  reason?: string;
  /** the same as a sentence */
  why?: string;
  /** classes that its bundle knows */
  labels: (string)[];
  /** what the command `partition` may choose from */
  choices: (Choice)[];
  /** what went wrong lately, newest last */
  errors: (CameraError)[];
}

export interface Choice {
  /** partition point in use, `raw` or `device` */
  partition: string;
  /** rates of this point */
  rates: (number)[];
}

export interface CameraError {
  code: string;
  message: string;
  hint?: string;
  count: number;
  /** milliseconds since 1970 */
  at: number;
}

/** one minute of a camera, or several together */
export interface Sample {
  /** start, milliseconds since 1970 */
  at: number;
  /** frames with a result */
  results: number;
  /** frames without one */
  failures: number;
  /** frames that the device did not send */
  drops: number;
  /** of frame messages */
  bytes: number;
  /** from capture to result where the device says so, else at the edge */
  p50_ms?: number;
  p95_ms?: number;
  /** mean of each step, ms */
  steps_ms: Record<string, number>;
  /** detections in a frame, by class */
  counts: Record<string, {
    max: number;
    mean: number;
  }>;
  /** partition point in use, `raw` or `device` */
  partition?: string;
  rate?: number;
}

/** the partition point or the rate changed */
export interface Change {
  /** milliseconds since 1970 */
  at: number;
  /** partition point in use, `raw` or `device` */
  partition: string;
  rate: number;
  reason?: string;
  why?: string;
}

/** a class was to be seen at a camera, from `started` to `ended` */
export interface Event {
  id: string;
  /** name of a device */
  camera: string;
  /** a class name of the bundle */
  label: string;
  /** zones that it was in */
  zones: (string)[];
  /** milliseconds since 1970 */
  started: number;
  /** absent while it goes on */
  ended?: number;
  /** best score, 0 to 1 */
  score: number;
  /** when the best score was */
  best_at: number;
  /** of the best score: x, y, width, height as shares of the picture */
  box: (number)[];
  /** most of them in one frame */
  max_count: number;
  /** frames in which it was seen */
  frames: number;
  /** whether /events/{id}/snapshot has a picture */
  snapshot: boolean;
}

export interface EventPage {
  events: (Event)[];
  /** pass it as `cursor`; absent on the last page */
  next?: string;
}

/** a zone or mask to be */
export interface PlaceDraft {
  /** name of a device */
  camera: string;
  /** letters, digits, spaces and _ . ' -; 1 to 64 characters */
  name: string;
  /** `mask`: what lies in it is not seen */
  kind: 'zone' | 'mask';
  /** the point of a box that must lie inside: the middle of its lower edge, or its centre */
  anchor?: 'foot' | 'centre';
  /** a simple polygon: [x, y] as shares of the picture, 0 to 1 */
  points: ((number)[])[];
}

/** a zone or mask */
export interface Place {
  id: string;
  /** name of a device */
  camera: string;
  /** letters, digits, spaces and _ . ' -; 1 to 64 characters */
  name: string;
  /** `mask`: what lies in it is not seen */
  kind: 'zone' | 'mask';
  /** the point of a box that must lie inside: the middle of its lower edge, or its centre */
  anchor: 'foot' | 'centre';
  /** a simple polygon: [x, y] as shares of the picture, 0 to 1 */
  points: ((number)[])[];
  /** milliseconds since 1970 */
  updated: number;
}

/** a rule to be; what is left out has a default */
export interface RuleDraft {
  name: string;
  enabled?: boolean;
  /** presence: one of `labels` is there; count: more than `above`; no_helmet: a bare head */
  type: 'presence' | 'count' | 'no_helmet';
  /** empty: all */
  cameras?: (string)[];
  /** classes that count; empty: all (no_helmet: head) */
  labels?: (string)[];
  /** letters, digits, spaces and _ . ' -; 1 to 64 characters */
  zone?: string;
  /** it must hold for so long */
  seconds: number;
  /** count: more than so many */
  above?: number;
  /** weaker detections do not count */
  min_score?: number;
  severity?: 'info' | 'warning' | 'critical';
  /** when it watches; empty: always */
  schedule?: ({
    /** 0: Sunday */
    days: (number)[];
    /** HH:MM, the edge’s local time */
    from: string;
    /** not after `from`: until then on the next day */
    to: string;
  })[];
  /** seconds from the end of an alert to the next */
  cooldown_s?: number;
  notify?: ('mqtt' | 'webhook' | 'email')[];
}

export interface Rule {
  id: string;
  name: string;
  enabled: boolean;
  /** presence: one of `labels` is there; count: more than `above`; no_helmet: a bare head */
  type: 'presence' | 'count' | 'no_helmet';
  /** empty: all */
  cameras: (string)[];
  /** classes that count; empty: all (no_helmet: head) */
  labels: (string)[];
  /** letters, digits, spaces and _ . ' -; 1 to 64 characters */
  zone?: string;
  /** it must hold for so long */
  seconds: number;
  /** count: more than so many */
  above?: number;
  /** weaker detections do not count */
  min_score: number;
  severity: 'info' | 'warning' | 'critical';
  /** when it watches; empty: always */
  schedule: ({
    /** 0: Sunday */
    days: (number)[];
    /** HH:MM, the edge’s local time */
    from: string;
    /** not after `from`: until then on the next day */
    to: string;
  })[];
  /** seconds from the end of an alert to the next */
  cooldown_s: number;
  notify: ('mqtt' | 'webhook' | 'email')[];
  /** milliseconds since 1970 */
  updated: number;
}

export interface Alert {
  id: string;
  rule: {
    id: string;
    name: string;
  };
  /** name of a device */
  camera: string;
  severity: 'info' | 'warning' | 'critical';
  /** what happened, as a sentence */
  message: string;
  /** letters, digits, spaces and _ . ' -; 1 to 64 characters */
  zone?: string;
  labels: (string)[];
  /** most at one time */
  count: number;
  /** best score */
  score: number;
  /** milliseconds since 1970 */
  started: number;
  /** when it no longer held; absent while it does */
  ended?: number;
  state: 'open' | 'acknowledged' | 'closed';
  /** who acknowledged or closed it */
  by?: string;
  /** when its state changed */
  changed: number;
  note?: string;
  /** the event that set it off */
  event?: string;
  /** whether /alerts/{id}/snapshot has a picture */
  snapshot: boolean;
}

export interface AlertPage {
  alerts: (Alert)[];
  next?: string;
}

export interface Retention {
  /** events, samples and alerts are kept for so long */
  days: number;
  /** size of the embedded database; beyond it the oldest make room */
  megabytes: number;
  /** snapshots are kept for so long */
  snapshot_days: number;
  /** size of all snapshots */
  snapshot_megabytes: number;
}

/** of the history */
export interface Status {
  /** milliseconds since 1970 */
  now: number;
  database: 'sqlite' | 'postgres' | 'none';
  /** PostgreSQL with TimescaleDB */
  timescale?: boolean;
  /** of the embedded database */
  bytes?: number;
  /** pictures kept */
  snapshots: number;
  snapshot_bytes: number;
  /** writes that wait */
  waiting: number;
  /** writes since the edge started */
  written: number;
  /** writes given up since then, because the database was too slow or failed */
  dropped: number;
  /** why writing fails now */
  failing?: string;
  /** of the oldest event */
  oldest?: number;
  /** notifications that wait */
  outbox: number;
  /** what is set up */
  notify: {
    mqtt: boolean;
    webhook: boolean;
    email: boolean;
  };
  /** whether commands to devices are allowed here */
  commands: boolean;
  uptime_s: number;
}

/** Method and path of each operation. */
export const operations = {
  liveState: { method: 'GET', path: '/api/state' },
  liveEvents: { method: 'GET', path: '/api/events' },
  livePicture: { method: 'GET', path: '/api/devices/{device}/picture' },
  liveShown: { method: 'GET', path: '/api/devices/{device}/shown' },
  listCameras: { method: 'GET', path: '/api/v1/cameras' },
  getCamera: { method: 'GET', path: '/api/v1/cameras/{camera}' },
  removeCamera: { method: 'DELETE', path: '/api/v1/cameras/{camera}' },
  getPicture: { method: 'GET', path: '/api/v1/cameras/{camera}/picture' },
  listSamples: { method: 'GET', path: '/api/v1/cameras/{camera}/samples' },
  listChanges: { method: 'GET', path: '/api/v1/cameras/{camera}/changes' },
  listEvents: { method: 'GET', path: '/api/v1/events' },
  exportEvents: { method: 'GET', path: '/api/v1/events.csv' },
  getEvent: { method: 'GET', path: '/api/v1/events/{id}' },
  getEventSnapshot: { method: 'GET', path: '/api/v1/events/{id}/snapshot' },
  listZones: { method: 'GET', path: '/api/v1/zones' },
  createZone: { method: 'POST', path: '/api/v1/zones' },
  replaceZone: { method: 'PUT', path: '/api/v1/zones/{id}' },
  deleteZone: { method: 'DELETE', path: '/api/v1/zones/{id}' },
  listRules: { method: 'GET', path: '/api/v1/rules' },
  createRule: { method: 'POST', path: '/api/v1/rules' },
  getRule: { method: 'GET', path: '/api/v1/rules/{id}' },
  replaceRule: { method: 'PUT', path: '/api/v1/rules/{id}' },
  deleteRule: { method: 'DELETE', path: '/api/v1/rules/{id}' },
  listAlerts: { method: 'GET', path: '/api/v1/alerts' },
  getAlert: { method: 'GET', path: '/api/v1/alerts/{id}' },
  getAlertSnapshot: { method: 'GET', path: '/api/v1/alerts/{id}/snapshot' },
  acknowledgeAlert: { method: 'POST', path: '/api/v1/alerts/{id}/acknowledge' },
  closeAlert: { method: 'POST', path: '/api/v1/alerts/{id}/close' },
  choosePartition: { method: 'POST', path: '/api/v1/cameras/{camera}/commands/partition' },
  getRetention: { method: 'GET', path: '/api/v1/settings/retention' },
  setRetention: { method: 'PUT', path: '/api/v1/settings/retention' },
  listLabels: { method: 'GET', path: '/api/v1/labels' },
  getStatus: { method: 'GET', path: '/api/v1/status' },
  stream: { method: 'GET', path: '/api/v1/stream' },
} as const;

/** What each operation takes and gives. */
export interface Operations {
  /** All that the live page knows, at once; grows with the page, programs use /api/v1/cameras. */
  liveState: {
    answer: Record<string, unknown>;
  };
  /** The live page’s own server-sent events; programs use /api/v1/stream. */
  liveEvents: {
    answer: Response;
  };
  /** The newest picture of a device. */
  livePicture: {
    params: { device: string };
    answer: Response;
  };
  /** Boxes and picture of one frame: u32 little endian length of a JSON text, the text, the picture. */
  liveShown: {
    params: { device: string };
    answer: Response;
  };
  /** All cameras that were heard of. */
  listCameras: {
    answer: {
      /** milliseconds since 1970 */
      now: number;
      cameras: (CameraSummary)[];
    };
  };
  /** One camera: live figures and health. */
  getCamera: {
    params: { camera: string };
    answer: Camera;
  };
  /** Takes a camera away that is gone for good: from the list, from the broker, from Home Assistant. Its history stays. */
  removeCamera: {
    params: { camera: string };
    answer: undefined;
  };
  /** The newest picture of a camera, where it has one. */
  getPicture: {
    params: { camera: string };
    answer: Response;
  };
  /** Figures of a camera over time, one a minute or as many together as `step_s` says. */
  listSamples: {
    params: { camera: string };
    query?: { from?: number; to?: number; step_s?: number };
    answer: {
      step_s: number;
      samples: (Sample)[];
    };
  };
  /** When partition point or rate changed, and why; newest first. */
  listChanges: {
    params: { camera: string };
    query?: { from?: number; to?: number; limit?: number };
    answer: {
      changes: (Change)[];
    };
  };
  /** Events, newest first, by camera, class, zone and time. */
  listEvents: {
    query?: { camera?: string; label?: string; zone?: string; from?: number; to?: number; limit?: number; cursor?: string };
    answer: EventPage;
  };
  /** The same as a table: CSV by RFC 4180, UTF-8. */
  exportEvents: {
    query?: { camera?: string; label?: string; zone?: string; from?: number; to?: number };
    answer: Response;
  };
  /** One event. */
  getEvent: {
    params: { id: string };
    answer: Event;
  };
  /** The picture of its best moment. */
  getEventSnapshot: {
    params: { id: string };
    answer: Response;
  };
  /** Zones and masks, of one camera or of all. */
  listZones: {
    query?: { camera?: string };
    answer: {
      zones: (Place)[];
    };
  };
  /** Adds a zone or mask. */
  createZone: {
    body: PlaceDraft;
    answer: Place;
  };
  /** Changes a zone or mask. */
  replaceZone: {
    params: { id: string };
    body: PlaceDraft;
    answer: Place;
  };
  /** Removes a zone or mask. */
  deleteZone: {
    params: { id: string };
    answer: undefined;
  };
  /** All rules. */
  listRules: {
    answer: {
      rules: (Rule)[];
    };
  };
  /** Adds a rule. */
  createRule: {
    body: RuleDraft;
    answer: Rule;
  };
  /** One rule. */
  getRule: {
    params: { id: string };
    answer: Rule;
  };
  /** Changes a rule; what is left out gets its default. */
  replaceRule: {
    params: { id: string };
    body: RuleDraft;
    answer: Rule;
  };
  /** Removes a rule; its alerts stay. */
  deleteRule: {
    params: { id: string };
    answer: undefined;
  };
  /** Alerts, newest first. */
  listAlerts: {
    query?: { state?: 'open' | 'acknowledged' | 'closed'; camera?: string; rule?: string; from?: number; to?: number; limit?: number; cursor?: string };
    answer: AlertPage;
  };
  /** One alert. */
  getAlert: {
    params: { id: string };
    answer: Alert;
  };
  /** The picture of the event behind it. */
  getAlertSnapshot: {
    params: { id: string };
    answer: Response;
  };
  /** Somebody has seen it. */
  acknowledgeAlert: {
    params: { id: string };
    body: {
      note?: string;
    };
    answer: Alert;
  };
  /** It is dealt with. */
  closeAlert: {
    params: { id: string };
    body: {
      note?: string;
    };
    answer: Alert;
  };
  /** Tells a device where to cut the network; it obeys if its settings allow it, and its health says so. */
  choosePartition: {
    params: { camera: string };
    body: {
      /** a partition point of its bundle, `raw`, `device`, or `auto`: the device decides */
      partition: string;
      /** absent: the device decides */
      rate?: number;
    };
    answer: {
      sent: 'true';
    };
  };
  /** How long and how much is kept. */
  getRetention: {
    answer: Retention;
  };
  /** Changes how long and how much is kept. */
  setRetention: {
    body: Retention;
    answer: Retention;
  };
  /** All classes that the bundles here know. */
  listLabels: {
    answer: {
      labels: (string)[];
    };
  };
  /** How the history is. */
  getStatus: {
    answer: Status;
  };
  /** Server-sent events: `cameras`, `event`, `alert`, `settings`, `end`; docs/api.md says what each holds. */
  stream: {
    answer: Response;
  };
}
