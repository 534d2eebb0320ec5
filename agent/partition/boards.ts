import { BOARD_POWER, type PowerModel } from './energy.js';

/** A device that this machine stands for: its times are this machine's, multiplied. */
export interface DeviceProfile {
  id: string;
  name: string;
  /** YOLOX-nano at 416x416, ONNX Runtime, float32, all four cores, in milliseconds: published or derived. */
  yolox_nano_ms: number;
  source: string;
  /** At its supply, in watts. */
  power: PowerModel & { source: string };
}

/** Milliseconds of YOLOX-nano at 416x416 on one thread of this project's machine (docs/results/rate-yolox-nano.json, `network_ms`). */
export const YOLOX_NANO_HERE_MS = 16.745;

/** 21.3 frames a second: https://www.visionanalysis.org/articles/ncnn-fp32-vs-onnx-fp32-rpi5 */
const PI_5_MS = 1000 / 21.3;

/**
 * Pi 4 over Pi 5, YOLOv8n and YOLOv8s at 640x640, ONNX, float32: 560.04 / 198.69 and 1436.33 / 451.37 ms, their geometric mean
 * (https://docs.ultralytics.com/guides/raspberry-pi/, the revision that compares both boards).
 */
const PI_4_TO_5 = Math.sqrt((560.04 / 198.69) * (1436.33 / 451.37));

/**
 * Zero 2 W over Pi 4, MobileNet v2 and NanoDet-m on four threads of ncnn: 147.39 / 61.88 and 166.27 / 68.38 ms, their geometric
 * mean (https://github.com/Tencent/ncnn/blob/master/benchmark/README.md). An estimate for ONNX Runtime: another runtime, and ncnn
 * was built for 32 bits on the Zero 2 W. Networks with larger convolutions lose more there (YOLOv4-tiny 3.1): its 512 MB
 * of memory are slow.
 */
const ZERO_2_TO_4 = Math.sqrt((147.39 / 61.88) * (166.27 / 68.38));

/**
 * What the agent reckons with. Sending is an estimate on all three, from one published figure for the Pi 4's Wi-Fi: 0.7 W active,
 * 0.1 W idle (https://raspberrypi-5.com/questions/how-much-power-does-a-raspberry-pi-4-use).
 */
const power = (board: keyof typeof BOARD_POWER) => ({
  ...BOARD_POWER[board].power,
  source: `${BOARD_POWER[board].source}; sending: estimated from the Pi 4's Wi-Fi`,
});

/** The boards of this project, slowest first. One factor for all work on the device, networks and image codecs alike. */
export const DEVICES: readonly DeviceProfile[] = [
  {
    id: 'pi-zero-2w',
    name: 'Raspberry Pi Zero 2 W',
    yolox_nano_ms: PI_5_MS * PI_4_TO_5 * ZERO_2_TO_4,
    source: 'estimate: the Pi 4 times 2.4, ncnn benchmark/README.md, MobileNet v2 and NanoDet-m',
    power: power('pi-zero-2w'),
  },
  {
    id: 'pi-4',
    name: 'Raspberry Pi 4',
    yolox_nano_ms: PI_5_MS * PI_4_TO_5,
    source:
      'derived: the Pi 5 times 3.0, https://docs.ultralytics.com/guides/raspberry-pi/, YOLOv8n and YOLOv8s on ONNX',
    power: power('pi-4'),
  },
  {
    id: 'pi-5',
    name: 'Raspberry Pi 5',
    yolox_nano_ms: PI_5_MS,
    source: 'published: 21.3 frames a second, https://www.visionanalysis.org/articles/ncnn-fp32-vs-onnx-fp32-rpi5',
    power: power('pi-5'),
  },
];

/**
 * How many times as long the device takes as one thread of a machine.
 * @param yoloxNanoMs YOLOX-nano at 416x416 on one thread of that machine; default: this project's machine
 */
export const slowDown = (device: DeviceProfile, yoloxNanoMs: number = YOLOX_NANO_HERE_MS): number =>
  device.yolox_nano_ms / yoloxNanoMs;
