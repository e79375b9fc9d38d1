import { type PlacesEvents, placesEvents } from '../../core/bounded/events.ts';
import { type PlacesOptions, type PlacesSettings, placesDefaults, withPlaces } from '../../core/bounded/options.ts';
import { count, read } from '../../core/check.ts';
import { type ListenerOptions, policyOptions } from '../../core/policy-options.ts';

/** Options of `bulkhead`. */
export interface BulkheadOptions extends PlacesOptions, ListenerOptions<PlacesEvents> {
  /** How many calls may be at work at once, from 1. */
  readonly maxConcurrent: number;
}

/** The options, checked and complete. */
export interface BulkheadSettings extends PlacesSettings {
  readonly maxConcurrent: number;
}

const known = policyOptions(placesEvents, { maxConcurrent: count }, withPlaces({}));

export const readOptions = (options: BulkheadOptions): BulkheadSettings => ({
  ...placesDefaults,
  ...read('bulkhead', options, known),
});
