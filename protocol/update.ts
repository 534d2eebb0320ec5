/** Releases of bundles and settings, and how they travel: docs/updates.md. */
export * from './update/canonical.js';
export * from './update/chunks.js';
export * from './update/messages.js';
export * from './update/release.js';
export * from './update/status.js';
