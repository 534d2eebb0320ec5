import type { BufferPool } from './buffers.js';
import type { Colours } from './colours.js';
import type { LocalService } from './local.js';
import type { Preprocessor } from './preprocess.js';
import type { Trip } from './trip.js';

/** The trip of frames that never leave: the whole service runs here. */
export class DeviceTrips {
  constructor(
    readonly preprocessor: Preprocessor,
    readonly buffers: Record<Colours, BufferPool>,
    readonly service: LocalService,
  ) {}

  /** Fills in the trip. @throws what the service's run throws */
  async fly(trip: Trip): Promise<void> {
    trip.partition = 'device';
    trip.rate = 0;
    const { picture, steps } = trip;
    const start = performance.now();
    const colours = this.service.coloursFor(this.preprocessor.coloursOf(picture));
    const input = this.buffers[colours].take();
    this.preprocessor.place(picture, input, colours);
    const placed = performance.now();
    steps.preprocess = placed - start;
    const source = { width: picture.sourceWidth, height: picture.sourceHeight };
    const result = await this.service.run(input, source, colours);
    this.buffers[colours].give(result.picture);
    steps.post = result.postMs;
    steps.head = performance.now() - placed - result.postMs;
    trip.headRunMs = result.runMs;
    trip.detections = result.detections;
    trip.outcome = 'local';
  }
}
